import test from "ava";
import { execFileSync } from "node:child_process";
import { authorityPin, generateToken, joinCommand, parseToken, readTokenSecret, tokenSecret } from "../../../../lib/install/host/bootstrap-token.ts";
import { bootstrapObjects } from "../../../../lib/install/host/bootstrap-objects.ts";
import { checkSettings, parseSettings } from "../../../../lib/install/host/cluster-settings.ts";
import { environmentFile, masterFlags, nodeFlags } from "../../../../lib/install/host/daemon-flags.ts";
import { movedData } from "../../../../lib/install/host/init.ts";
import { HOST_PATHS } from "../../../../lib/install/host/host-paths.ts";
import { createAuthority } from "../../../../lib/pki/certificate.ts";
import { parse as parseApiServer } from "../../../../cmd/kube-apiserver/flags.ts";
import { parse as parseManager } from "../../../../cmd/kube-controller-manager/flags.ts";
import { parse as parseProxy } from "../../../../cmd/kube-proxy/flags.ts";
import { FLAGS as KUBELET_FLAGS, resolveConfiguration } from "../../../../cmd/kubelet/flags.ts";
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

test("every daemon accepts the flags its host gives it", (t) => {
  const master = masterFlags(settings, "192.0.2.1", HOST_PATHS), node = nodeFlags(settings, { name: "n1", address: "192.0.2.2", resolvConf: "" }, HOST_PATHS);
  t.notThrows(() => parseApiServer(master["kube-apiserver"]));
  t.is(parseManager(master["kube-controller-manager"])["cluster-cidr"], settings.podCidr);
  t.is(parseProxy(node["kube-proxy"])["cluster-dns"], "10.96.0.10");
  t.is(resolveConfiguration(parseFlags(node.kubelet, KUBELET_FLAGS).flags, new Set()).configuration.cgroupDriver, "systemd");
});

test("environmentFile() refuses what systemd would split", (t) => {
  t.is(environmentFile("kubelet", ["--a=b", "--c"]).split("\n")[1], "FLAGS=--a=b --c");
  t.throws(() => environmentFile("kubelet", ["--a=b c"]), { message: /systemd/ });
});

test("checkSettings() names the flag whose range holds this host, and ranges that overlap", (t) => {
  t.throws(() => checkSettings({ ...settings, podCidr: "192.0.2.0/24" }, "192.0.2.1"), { message: /--pod-cidr=192\.0\.2\.0\/24/ });
  t.throws(() => checkSettings({ ...settings, serviceCidr: "10.244.3.0/24" }, "192.0.2.1"), { message: /overlap/ });
});
