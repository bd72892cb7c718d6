import test from "ava";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { clusterFileText } from "../../../../lib/install/remote/cluster-file-template.ts";
import { clusterFromFlags, parseClusterFile, parseReach, parseTaint } from "../../../../lib/install/remote/cluster-file.ts";

const golden = path.resolve(import.meta.dirname, "../../../golden/cluster-file");
const parse = (text: string) => parseClusterFile(text, "cluster.yaml", "/work-folder");
const head = "apiVersion: kaji.local/v1\nkind: Cluster\n", master = "- {name: m, address: 192.0.2.1, role: master}\n";

test("parseClusterFile() tells every mistake of a file with line, column, field, what was found and what is expected", (t) => {
  const cases = readFileSync(path.join(golden, "mistakes.txt"), "utf8").split(/^=== .*\n/m).slice(1);
  t.true(cases.length >= 10);
  for (const each of cases) {
    const [source, told] = each.split("---\n") as [string, string];
    t.is(`${t.throws(() => parse(source), undefined, source).message}\n`, told, source);
  }
});

test("parseClusterFile() fills in defaults, and hosts take what stands under ssh", (t) => {
  const spec = parse(`${head}ssh: {user: admin, identityFile: ~/.ssh/key, jump: "gate@198.51.100.1:2222"}\nbundle: ./bundle\nhosts:\n${master}- {name: w, address: worker.example, port: 2022, user: bob, role: worker, nodeIP: 10.0.0.2, labels: {a.example/b: c}, taints: ["k=v:NoSchedule", "x:NoExecute"]}\n`);
  const jump = { address: "198.51.100.1", port: 2222, user: "gate", identityFile: path.join(homedir(), ".ssh/key") };
  t.deepEqual(spec.hosts, [
    { name: "m", nodeName: "m", role: "master", asNode: undefined, nodeIp: undefined, labels: {}, taints: [], reach: { address: "192.0.2.1", port: 22, user: "admin", identityFile: jump.identityFile, jump } },
    { name: "w", nodeName: "w", role: "worker", asNode: undefined, nodeIp: "10.0.0.2", labels: { "a.example/b": "c" }, taints: [{ key: "k", value: "v", effect: "NoSchedule" }, { key: "x", value: "", effect: "NoExecute" }], reach: { address: "worker.example", port: 2022, user: "bob", identityFile: jump.identityFile, jump } },
  ]);
  t.deepEqual([spec.name, spec.bundle, spec.drainTimeoutMs, spec.complete, spec.cluster], ["kaji", "/work-folder/bundle", 300_000, true, { apiServerNames: [] }]);
});

test("parseClusterFile() takes a host of the file as the way to the others, and goes straight to that one", (t) => {
  const { hosts } = parse(`${head}ssh: {jump: m}\nhosts:\n${master}- {name: w, address: 10.0.0.2, role: worker}\n`);
  t.is(hosts[0]!.reach.jump, undefined);
  t.is(hosts[1]!.reach.jump!.address, "192.0.2.1");
});

test("what kaji config new writes is read without a mistake, as it is and with every comment taken away", (t) => {
  const text = clusterFileText("prod", []), all = text.replaceAll(/^# ((?:cluster|options|bundle):.*|  +(?:podCIDR|serviceCIDR|domain|port|profile|apiServerNames|drainTimeout):.*)$/gm, "$1").replaceAll(/^(\s+)# (port|identityFile|jump|asNode|nodeIP|labels|taints): /gm, "$1$2: ");
  t.deepEqual(parse(text).hosts.map((host) => [host.name, host.role, host.reach.address]), [["master-1", "master", "192.0.2.11"], ["worker-1", "worker", "192.0.2.12"]]);
  const spec = parse(all);
  t.deepEqual([spec.cluster.podCIDR, spec.cluster.port, spec.hosts[1]!.labels, spec.hosts[1]!.reach.jump?.address, spec.bundle], ["10.244.0.0/16", 6443, { "example.com/disk": "ssd" }, "bastion.example", "/work-folder/kaji-bundle-{arch}"]);
  t.notRegex(all.split("\nhosts:")[1]!, /^ *# (?!One|nodes|For|options)/m);
});

test("what kaji config new writes for given hosts names them", (t) => {
  const { hosts } = clusterFromFlags(["root@192.0.2.1"], ["bob@192.0.2.2:2022", "host.example"], { name: "x", user: "root", drainTimeoutMs: 1 });
  t.deepEqual(parse(clusterFileText("x", hosts.map((host) => host.reach))).hosts.map((host) => [host.name, host.role, `${host.reach.user}@${host.reach.address}:${host.reach.port}`]),
    [["master-1", "master", "root@192.0.2.1:22"], ["worker-1", "worker", "bob@192.0.2.2:2022"], ["worker-2", "worker", "root@host.example:22"]]);
});

test("clusterFromFlags() refuses what is no host, a second master and a host named twice, and says which", (t) => {
  const of = (masters: string[], workers: string[]) => () => clusterFromFlags(masters, workers, { name: "x", user: "root", drainTimeoutMs: 1 });
  t.throws(of(["a b"], []), { message: /--master "a b": expected user@address/ });
  t.throws(of([], ["a"]), { message: /0 times --master/ });
  t.throws(of(["a", "b"], []), { message: /2 times --master/ });
  t.throws(of(["a"], ["b", "root@b"]), { message: /Cannot use b twice/ });
});

test("parseReach() reads users, ports and IPv6, and refuses what a shell or SSH could take for something else", (t) => {
  const defaults = { user: "root", port: 22 };
  t.deepEqual(parseReach("192.0.2.1", defaults), { user: "root", address: "192.0.2.1", port: 22 });
  t.deepEqual(parseReach("bob@host.example:2222", defaults), { user: "bob", address: "host.example", port: 2222 });
  t.deepEqual(parseReach("bob@[2001:db8::1]:2222", defaults), { user: "bob", address: "2001:db8::1", port: 2222 });
  t.deepEqual(parseReach("2001:db8::1", defaults), { user: "root", address: "2001:db8::1", port: 22 });
  for (const odd of ["", "@host", "a@b@c", "-oProxyCommand=x", "host:0", "host:70000", "ho st", "$(id)@host", "1.2.3", "host:22:22"]) t.is(parseReach(odd, defaults), undefined, odd);
});

test("parseTaint() reads kubectl's form only", (t) => {
  t.deepEqual(parseTaint("a.example/b=c:PreferNoSchedule"), { key: "a.example/b", value: "c", effect: "PreferNoSchedule" });
  for (const odd of ["a", "a=b", "a=b:Never", "=b:NoSchedule", "a b:NoSchedule"]) t.is(parseTaint(odd), undefined, odd);
});
