import test from "ava";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { configFromKubeconfig, defaultKubeconfigFile, inClusterConfig, loadKubeconfig, makeKubeconfig, mergeKubeconfig, parseKubeconfig, readKubeconfig, writeKubeconfig } from "../../../lib/client/kubeconfig.ts";

function directory(t: { teardown(f: () => void): void }): string {
  const made = mkdtempSync(path.join(tmpdir(), "kubeconfig-"));
  t.teardown(() => rmSync(made, { recursive: true }));
  return made;
}
const sample = makeKubeconfig({ cluster: "c", server: "https://10.0.0.1:6443", user: "u", ca: "CA", certificate: "CERT", key: "KEY" });

test("writeKubeconfig() writes a private file that loadKubeconfig() reads back", (t) => {
  const file = path.join(directory(t), "admin.conf");
  writeKubeconfig(file, sample);
  t.is(statSync(file).mode & 0o777, 0o600);
  t.like(loadKubeconfig(file, { component: "kube-test" }), { server: "https://10.0.0.1:6443", caData: "CA", certificateData: "CERT", keyData: "KEY", component: "kube-test" });
});

test("configFromKubeconfig() resolves files against the kubeconfig's folder and takes the named context", (t) => {
  const config = parseKubeconfig(`
clusters: [{ name: a, cluster: { server: "https://a:1", certificate-authority: ca.crt } }, { name: b, cluster: { server: "https://b:1", insecure-skip-tls-verify: true, tls-server-name: x } }]
users: [{ name: u, user: { client-certificate: /abs/c.crt, client-key: sub/c.key } }, { name: v, user: { tokenFile: t, as: root, as-groups: [g] } }]
contexts: [{ name: one, context: { cluster: a, user: u, namespace: ns } }, { name: two, context: { cluster: b, user: v } }]
current-context: one`);
  t.like(configFromKubeconfig(config, "/etc/kaji"), { server: "https://a:1", caFile: "/etc/kaji/ca.crt", certificateFile: "/abs/c.crt", keyFile: "/etc/kaji/sub/c.key", namespace: "ns" });
  t.like(configFromKubeconfig(config, "/etc/kaji", "two"), { server: "https://b:1", tokenFile: "/etc/kaji/t", insecureSkipVerify: true, serverName: "x", impersonate: { user: "root", groups: ["g"] } });
});

test("configFromKubeconfig() names what is missing or not supported", (t) => {
  const broken = (change: object) => () => configFromKubeconfig({ ...sample, ...change }, "/");
  t.throws(broken({ "current-context": "" }), { message: "no current-context is set" });
  t.throws(broken({ "current-context": "x" }), { message: 'context "x" does not exist' });
  t.throws(broken({ clusters: [] }), { message: 'cluster "c" does not exist' });
  t.throws(broken({ users: [] }), { message: 'user "u" does not exist' });
  t.throws(broken({ users: [{ name: "u", user: { exec: { command: "aws" } } }] }), { message: /exec plugin, which is not supported/ });
  t.throws(broken({ clusters: [{ name: "c", cluster: { server: "10.0.0.1" } }] }), { message: /no valid server: got "10.0.0.1"/ });
});

test("readKubeconfig() names the file that is no kubeconfig", (t) => {
  const file = path.join(directory(t), "x.conf");
  for (const [text, message] of [["- a", /it is not a mapping/], ["kind: Pod", /kind is "Pod"/], ["clusters: 3", /clusters is not a list/], ["a: [", /Cannot load kubeconfig/]] as const) {
    writeFileSync(file, text);
    const error = t.throws(() => readKubeconfig(file), { message });
    t.true(error.message.includes(file));
  }
});

test("mergeKubeconfig() replaces entries of the same name and keeps the others", (t) => {
  const other = makeKubeconfig({ cluster: "d", server: "https://d:1", user: "w", token: "t" }), moved = makeKubeconfig({ cluster: "c", server: "https://new:1", user: "u", token: "t" });
  const merged = mergeKubeconfig(mergeKubeconfig(sample, other), moved);
  t.deepEqual(merged.clusters.map((c) => c.cluster.server), ["https://d:1", "https://new:1"]);
  t.is(merged["current-context"], "u@c");
  t.is(merged.contexts.length, 2);
});

test("defaultKubeconfigFile() takes the first that exists, and inClusterConfig() a pod's account", (t) => {
  const folder = directory(t), file = path.join(folder, "b");
  writeFileSync(file, "");
  t.is(defaultKubeconfigFile({ KUBECONFIG: `${folder}/a:${file}` }, folder), file);
  t.is(defaultKubeconfigFile({}, folder), undefined);
  t.is(inClusterConfig("x", {}, folder), undefined);
  writeFileSync(path.join(folder, "token"), "t");
  writeFileSync(path.join(folder, "namespace"), "ns\n");
  t.like(inClusterConfig("x", { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "443" }, folder), { server: "https://[fd00::1]:443", namespace: "ns", tokenFile: path.join(folder, "token") });
  t.is(readFileSync(path.join(folder, "token"), "utf8"), "t");
});
