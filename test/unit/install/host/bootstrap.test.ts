import test from "ava";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { authorityPin, generateToken, joinCommand, parseToken, readTokenSecret, tokenSecret } from "../../../../lib/install/host/bootstrap-token.ts";
import { bootstrapObjects } from "../../../../lib/install/host/bootstrap-objects.ts";
import { checkSettings, parseSettings } from "../../../../lib/install/host/cluster-settings.ts";
import { configFile, masterConfig, nodeConfig } from "../../../../lib/install/host/daemon-flags.ts";
import { movedData } from "../../../../lib/install/host/init.ts";
import { HOST_PATHS } from "../../../../lib/install/host/host-paths.ts";
import { createAuthority } from "../../../../lib/pki/certificate.ts";
import { FLAGS as API_SERVER_FLAGS, parse as parseApiServer } from "../../../../cmd/kube-apiserver/flags.ts";
import { FLAGS as MANAGER_FLAGS, parse as parseManager } from "../../../../cmd/kube-controller-manager/flags.ts";
import { FLAGS as PROXY_FLAGS, parse as parseProxy } from "../../../../cmd/kube-proxy/flags.ts";
import { FLAGS as KUBELET_FLAGS, resolveConfiguration } from "../../../../cmd/kubelet/flags.ts";
import { KUBELET_CONFIGURATION } from "../../../../lib/kubelet/kubelet-configuration.ts";
import { CONFIG_DEFAULTS as PROXY_DEFAULTS, PROXY_CONFIGURATION, readProxyConfiguration } from "../../../../lib/proxy/config.ts";
import { readSchedulerConfiguration, SCHEDULER_CONFIGURATION } from "../../../../lib/scheduler/scheduler-configuration.ts";
import { type ConfigKind, readConfigKind, withConfigFile } from "../../../../lib/util/config-flags.ts";
import { parseFlags } from "../../../../lib/util/flags.ts";

const settings = { server: "https://192.0.2.1:6443", podCidr: "10.244.0.0/16", serviceCidr: "10.96.0.0/16", clusterDomain: "cluster.local", profile: "small" } as const;

test("tokenSecret() and readTokenSecret() are inverse, and a drawn token parses", (t) => {
  const token = generateToken(), expires = new Date("2026-01-02T03:04:05Z");
  t.notThrows(() => parseToken(token));
  t.deepEqual(readTokenSecret(tokenSecret(token, expires, "for tests")), { token, expires, description: "for tests" });
  t.is(readTokenSecret({ ...tokenSecret(token, undefined, ""), type: "Opaque" }), undefined);
  t.throws(() => parseToken("ABCDEF.0123456789abcdef"), { message: /must look like/ });
});

test("authorityPin() is what openssl computes of the public key, as kubeadm documents", (t) => {
  const { certificatePem } = createAuthority({ commonName: "kubernetes", now: new Date() });
  const hash = execFileSync("sh", ["-c", "openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -hex"], { input: certificatePem, encoding: "utf8" }).trim().split(" ").at(-1);
  t.is(authorityPin(certificatePem), `sha256:${hash}`);
  t.is(joinCommand(settings.server, "abcdef.0123456789abcdef", "sha256:00"), "kaji join 192.0.2.1:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:00");
});

test("bootstrapObjects() lets strangers read only cluster-info, and the token's group nothing but what joining takes", (t) => {
  const objects = bootstrapObjects(settings, "CA"), of = (name: string) => [...objects.roleBindings, ...objects.clusterRoleBindings].filter((each) => each.subjects?.some((subject) => subject.name === name)).map((each) => each.roleRef.name).toSorted();
  t.deepEqual(of("system:anonymous"), ["kubeadm:bootstrap-signer-clusterinfo"]);
  t.deepEqual(of("system:bootstrappers:kubeadm:default-node-token"), ["kaji:compare-nodes", "kaji:nodes-config", "kubeadm:get-nodes", "system:certificates.k8s.io:certificatesigningrequests:nodeclient", "system:node-bootstrapper"]);
  t.notRegex(objects.configMaps[0]!.data!["kubeconfig"]!, /client-key|token/);
  t.deepEqual(parseSettings(objects.configMaps[1]!.data!["settings"]!), settings);
});

test("movedData() tells joining hosts where a master is that moved, and changes nothing else", (t) => {
  const at = (server: string) => bootstrapObjects({ ...settings, server }, "CA").configMaps, there = "https://192.0.2.9:6443";
  for (const [i, each] of at(settings.server).entries()) {
    t.is(movedData(each, each, settings.server), undefined);
    const moved = movedData({ data: { ...each.data, "jws-kubeconfig-abcdef": "x" } }, at(there)[i]!, there)!;
    t.regex(Object.values(moved).join(), /192\.0\.2\.9/);
    t.false("jws-kubeconfig-abcdef" in moved);
  }
  t.deepEqual(parseSettings(movedData({ data: { settings: JSON.stringify({ ...settings, podCidr: "10.9.0.0/16" }) } }, at(there)[1]!, there)!["settings"]!), { ...settings, podCidr: "10.9.0.0/16", server: there });
});

test("every daemon accepts the file its host gives it", (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), "kaji-config-"));
  t.teardown(() => { rmSync(folder, { recursive: true }); });
  const configs = { ...masterConfig(settings, "192.0.2.1", HOST_PATHS), ...nodeConfig(settings, { name: "n1", address: "192.0.2.2", resolvConf: "" }, HOST_PATHS) };
  const flags = (daemon: keyof typeof configs, specs: Parameters<typeof withConfigFile>[1], kind?: ConfigKind): string[] => {
    const file = path.join(folder, `${daemon}.yaml`);
    writeFileSync(file, configFile(daemon, configs[daemon]));
    return withConfigFile([`--config=${file}`], specs, kind);
  };
  t.is(parseApiServer(flags("kube-apiserver", API_SERVER_FLAGS))["secure-port"], 6443);
  t.is(parseManager(flags("kube-controller-manager", MANAGER_FLAGS))["cluster-cidr"], settings.podCidr);
  t.deepEqual(withConfigFile([`--config=${path.join(folder, "none")}`, "--x"], {}, undefined), [`--config=${path.join(folder, "none")}`, "--x"]); // A daemon without the flag.
  const proxy = parseProxy(flags("kube-proxy", PROXY_FLAGS, PROXY_CONFIGURATION));
  t.is(proxy["cluster-dns"], "10.96.0.10");
  t.deepEqual(readProxyConfiguration(readConfigKind(proxy.config!, PROXY_CONFIGURATION)!), { config: { ...PROXY_DEFAULTS, kubeconfig: "/etc/kaji/proxy.conf", hostnameOverride: "n1", clusterCidrs: [settings.podCidr] }, unused: [] });
  const kubelet = resolveConfiguration(parseFlags(flags("kubelet", KUBELET_FLAGS, KUBELET_CONFIGURATION), KUBELET_FLAGS).flags, new Set());
  t.deepEqual(kubelet.warnings, []);
  t.like(kubelet.configuration, { cgroupDriver: "systemd", clusterDNS: ["10.96.0.10"], rotateCertificates: true, serverTLSBootstrap: true, failSwapOn: false, resolvConf: "", clientCAFile: "/etc/kaji/pki/ca.crt" });
  writeFileSync(path.join(folder, "scheduler.yaml"), configFile("kube-scheduler", configs["kube-scheduler"]));
  const scheduler = readSchedulerConfiguration(readConfigKind(path.join(folder, "scheduler.yaml"), SCHEDULER_CONFIGURATION)!);
  t.deepEqual(scheduler.unused, []);
  t.is(scheduler.configuration.kubeconfig, "/etc/kaji/scheduler.conf");
  t.is(scheduler.configuration.leaderElection.leaderElect, false);
});

test("checkSettings() names the flag whose range holds this host, and ranges that overlap", (t) => {
  t.throws(() => checkSettings({ ...settings, podCidr: "192.0.2.0/24" }, "192.0.2.1"), { message: /--pod-cidr=192\.0\.2\.0\/24/ });
  t.throws(() => checkSettings({ ...settings, serviceCidr: "10.244.3.0/24" }, "192.0.2.1"), { message: /overlap/ });
});
