import test from "ava";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { HOST_COMMANDS } from "../../../../cmd/kaji/host-commands.ts";
import { configFile, masterConfig, nodeConfig } from "../../../../lib/install/host/daemon-flags.ts";
import { tablesOf } from "../../../../lib/install/host/host-before.ts";
import { HOST_PATHS } from "../../../../lib/install/host/host-paths.ts";
import { isOurShim, namespacesIn, removeEmpty, removeShimSockets } from "../../../../lib/install/host/leftovers.ts";
import { heldBack } from "../../../../lib/install/host/remove-packages.ts";
import { networkOf } from "../../../../lib/install/host/reset.ts";

const settings = { server: "https://192.0.2.1:6443", podCidr: "10.11.0.0/16", serviceCidr: "10.12.0.0/16", clusterDomain: "cluster.local", profile: "small" } as const;
const folder = (): string => mkdtempSync(path.join(tmpdir(), "kaji-reset-"));

test("networkOf() reads address and ranges from flags and from YAML, in whatever file they are", (t) => {
  const node = nodeConfig(settings, { name: "n1", address: "192.0.2.2", resolvConf: "" }, HOST_PATHS), master = masterConfig(settings, "192.0.2.1", HOST_PATHS);
  const texts = [configFile("kubelet", node.kubelet), configFile("kube-controller-manager", master["kube-controller-manager"])];
  t.deepEqual(networkOf(texts), { dns: "10.12.0.10", ranges: ["10.11.0.0/16", "10.12.0.0/16"] });
  t.deepEqual(networkOf(["clusterDNS:\n  - 10.12.0.10\n", 'clusterCIDR: "10.11.0.0/16"\nservice-cluster-ip-range: 10.12.0.0/16\n']), { dns: "10.12.0.10", ranges: ["10.11.0.0/16", "10.12.0.0/16"] });
  t.deepEqual(networkOf([]), { dns: undefined, ranges: [] });
});
test("tablesOf() calls a table empty only when nobody has a rule, a chain or a policy in it", (t) => {
  const text = "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n*nat\n:PREROUTING ACCEPT [0:0]\n:DOCKER - [0:0]\nCOMMIT\n*mangle\n:INPUT DROP [0:0]\nCOMMIT\n*raw\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j ACCEPT\nCOMMIT\n";
  t.deepEqual(tablesOf(text).map(({ name, isEmpty }) => `${name} ${isEmpty}`), ["filter true", "nat false", "mangle false", "raw false"]);
  t.deepEqual(tablesOf(""), []);
});
test("isOurShim() knows our containerd's shims from Docker's", (t) => {
  t.true(isOurShim("/usr/bin/containerd-shim-runc-v2\0-namespace\0k8s.io\0-address\0/run/kaji/containerd/containerd.sock\0"));
  t.false(isOurShim("/usr/bin/containerd-shim-runc-v2\0-namespace\0moby\0-address\0/run/containerd/containerd.sock\0"));
  t.false(isOurShim("grep\0containerd-shim\0/run/kaji/containerd/\0"));
});
test("namespacesIn() finds the pods' network namespaces in CNI's notes, each once", (t) => {
  const name = "cni-0a1b2c3d-0000-1111-2222-0123456789ab";
  t.deepEqual(namespacesIn(`{"netns":"/var/run/netns/${name}","sandbox":"/run/netns/${name}","id":"cni-short"}`), [name]);
});
test("heldBack() reads from dpkg which packages others need", (t) => {
  t.deepEqual(heldBack("dpkg: dependency problems prevent removal of runc:\n docker.io depends on runc.\n\ndpkg: error processing package runc (--purge):\n"), ["runc"]);
  t.deepEqual(heldBack("dpkg: error: cannot lock"), []);
});
test("removeEmpty() takes away folders that hold nothing, and leaves those with anything in them", (t) => {
  const root = folder();
  for (const each of ["a/b/c", "d/e"]) mkdirSync(path.join(root, each), { recursive: true });
  writeFileSync(path.join(root, "d/kept"), "");
  t.false(removeEmpty(root));
  t.deepEqual((readdirSync(root, { recursive: true }) as string[]).toSorted((a, b) => a.localeCompare(b)), ["d", "d/kept"]);
  t.true(removeEmpty(path.join(root, "missing")));
});
test("removeShimSockets() removes sockets nobody listens on, and no other file", async (t) => {
  const root = folder(), live = path.join(root, "live"), dead = path.join(root, "dead"), servers = [live, dead].map((file) => createServer().listen(file));
  await Promise.all(servers.map((server) => new Promise((resolve) => { server.once("listening", resolve); })));
  writeFileSync(path.join(root, "file"), "");
  removeShimSockets(root, `Num RefCount Protocol Flags Type St Inode Path\n0000: 00000002 00000000 00010000 0001 01 123 ${live}\n`);
  t.deepEqual(readdirSync(root).toSorted(), ["file", "live"]);
  t.false(existsSync(dead));
  for (const server of servers) server.close();
});
test("kaji reset does nothing unasked where it cannot ask", async (t) => {
  await t.throwsAsync(HOST_COMMANDS["reset"]!.run([]), { message: process.getuid!() === 0 ? /give --yes/ : /ordinary user/ });
});
