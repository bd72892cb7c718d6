import test from "ava";
import { judge, refusal } from "../../../../../lib/install/host/check.ts";
import { roughly } from "../../../../../lib/install/host/checks/clock.ts";
import { withLine, planFixes } from "../../../../../lib/install/host/checks/fix.ts";
import { refusedPorts } from "../../../../../lib/install/host/checks/firewall.ts";
import type { HostFacts } from "../../../../../lib/install/host/checks/host-facts.ts";
import { checkClone } from "../../../../../lib/install/host/checks/identity.ts";
import { nameProblem } from "../../../../../lib/install/host/checks/names.ts";
import { portsOf } from "../../../../../lib/install/host/checks/ports.ts";
import { makeFacts } from "./make-facts.ts";

/** `severity check` of each finding. */
const found = (changed: Partial<HostFacts>): string[] => judge(makeFacts(changed)).map((each) => `${each.severity} ${each.check}`);
const only = (changed: Partial<HostFacts>) => judge(makeFacts(changed))[0]!;
const base = makeFacts(), disk = base.disks[0]!;

test("judge() finds nothing on a host where nothing is wrong, as a node and as a master", (t) => {
  t.deepEqual(found({}), []);
  t.deepEqual(found({ role: "master" }), []);
});
test("judge() wants root, systemd and a processor there is a release for", (t) => {
  t.regex(only({ uid: 1000 }).advice, /sudo/);
  t.regex(only({ uid: 1000, hasSudo: false }).advice, /su -/);
  t.deepEqual(found({ hasSystemd: false, architecture: "riscv64" }), ["error privileges", "error privileges"]);
});
test("judge() refuses an old kernel and one without what pods need, and leaves what loads by itself alone", (t) => {
  const kernel = (features: object, release = base.kernel.release) => ({ kernel: { ...base.kernel, release, features: { ...base.kernel.features, ...features } } as HostFacts["kernel"] });
  t.regex(only(kernel({}, "4.18.0-553.el8")).problem, /4\.18\.0.*4\.19/);
  t.deepEqual(found(kernel({}, "4.19.0")), []);
  t.deepEqual(found(kernel({ overlay: "missing", nat: "missing" })), ["error kernel", "error kernel"]);
  t.deepEqual(found(kernel({ vxlan: "missing" })), ["warning kernel"], "hosts in one subnet need no VXLAN");
  t.deepEqual(found(kernel({ nf_conntrack: "unknown" })), ["warning kernel"]);
  t.deepEqual(only(kernel({ br_netfilter: "loadable" })).fix, { kind: "load-module", module: "br_netfilter" });
  t.deepEqual(found({ ...kernel({ overlay: "missing" }), role: "master" }), [], "a master runs no pods");
  t.deepEqual(only({ kernel: { ...base.kernel, sysctls: { "net.ipv4.ip_forward": "0" } } }).fix, { kind: "sysctl", name: "net.ipv4.ip_forward", value: "1" });
});
test("judge() wants the memory controller, and says how to get it", (t) => {
  t.regex(only({ cgroups: { version: 2, controllers: ["cpuset", "cpu", "pids"] } }).advice, /cgroup_enable=memory/);
  t.deepEqual(found({ cgroups: { version: undefined, controllers: [] } }), ["error cgroups"]);
  t.deepEqual(found({ cgroups: { version: 1, controllers: ["cpu", "cpuset", "memory", "pids"] } }), ["warning cgroups"]);
});
test("judge() names who has a port, unless it is our own daemon", (t) => {
  const port = { port: 10_250, protocol: "tcp", daemon: "kubelet", holder: { pid: 77, command: "nc -l" }, own: false } as const;
  t.regex(only({ ports: [port] }).problem, /10250\/tcp.*kubelet.*77 \(nc -l\)/);
  t.deepEqual(found({ ports: [{ ...port, own: true }, { ...port, holder: undefined }] }), []);
});
test("judge() takes swap for an error only where the kubelet does", (t) => {
  t.deepEqual(found({ swap: ["/dev/sda2"] }), ["warning memory"]);
  t.deepEqual(found({ swap: ["/dev/sda2"], failSwapOn: true }), ["error memory"]);
  t.deepEqual(only({ swap: ["/dev/sda2"] }).fix, { kind: "swap-off" });
});
test("judge() looks at space, inodes, and file systems that cannot be written, run from or laid over", (t) => {
  const disks = (changed: Partial<typeof disk>) => found({ disks: [{ ...disk, ...changed }] });
  t.deepEqual(disks({ freeBytes: 500 * 1024 ** 2 }), ["error disk"]);
  t.deepEqual(disks({ freeBytes: 2 * 1024 ** 3 }), ["warning disk"]);
  t.deepEqual(disks({ inodesFree: 10 }), ["error disk"]);
  t.deepEqual(disks({ inodesFree: undefined }), [], "btrfs has no fixed number");
  t.deepEqual(disks({ readOnly: true }), ["error disk"]);
  t.deepEqual(disks({ type: "nfs4" }), ["error disk"]);
  t.deepEqual(disks({ noExec: true }), ["warning disk"]);
  t.deepEqual(disks({ path: "/usr/local/bin", noExec: true }), ["error disk"]);
});
test("judge() compares the clock with the master's: a little is told, minutes are refused with who is off", (t) => {
  const clock = (masterAheadMs: number) => judge(makeFacts({ clock: { ...base.clock, masterAheadMs } }));
  t.deepEqual(clock(2_000), []);
  t.is(clock(30_000)[0]!.severity, "warning");
  t.like(clock(86_400_000)[0], { severity: "error", problem: "this host's clock is 24 h behind the master's" });
  t.regex(clock(-3_600_000)[0]!.problem, /60 min ahead of/);
  t.deepEqual([1_000, 150_000, 5 * 86_400_000].map(roughly), ["1 s", "3 min", "5 days"]);
  t.deepEqual(only({ clock: { synchronised: false, canSync: true, masterAheadMs: undefined } }).fix, { kind: "clock-sync" });
});
test("judge() wants a name that a node can have and the host knows", (t) => {
  const name = (hostname: string) => judge(makeFacts({ names: { hostname, resolvesTo: ["::1"], hostsEntries: [] } }));
  t.deepEqual(["node-1", "a.example.org", "UPPER"].flatMap(name), []);
  t.deepEqual(["localhost", "under_score", "-x", "a..b", "x".repeat(64)].map((each) => name(each)[0]?.severity), ["error", "error", "error", "error", "error"]);
  t.is(nameProblem("x".repeat(63)), undefined);
  t.deepEqual(found({ names: { hostname: "under_score", resolvesTo: ["::1"], hostsEntries: [] }, nodeName: "good" }), []);
  t.deepEqual(found({ names: { ...base.names, resolvesTo: [] } }), ["warning name"]);
  t.deepEqual(found({ names: { ...base.names, hostsEntries: [{ address: "127.0.1.1", names: ["n1.example", "n1"] }] } }), ["note name"]);
});
test("judge() wants a machine-id, and can make one", (t) => {
  for (const machineId of ["", "uninitialized", "abc"]) t.like(only({ identity: { ...base.identity, machineId } }), { severity: "error", fix: { kind: "machine-id" } });
});
test("checkClone() tells the node this host is a clone of, and does not take itself for one", (t) => {
  const other = { name: "n2", machineId: base.identity.machineId, systemUuid: "other" };
  t.like(checkClone(base.identity, "n1", [other])[0], { severity: "error" });
  t.regex(checkClone(base.identity, "n1", [other])[0]!.problem, /"n2"/);
  t.deepEqual(checkClone(base.identity, "n2", [other]), []);
  t.is(checkClone(base.identity, "n1", [{ ...other, machineId: "x", systemUuid: base.identity.productUuid.toUpperCase() }])[0]!.severity, "warning");
  t.deepEqual(checkClone({ ...base.identity, productUuid: "" }, "n1", [{ ...other, machineId: "x", systemUuid: "" }]), []);
});
test("judge() refuses a host that is in another cluster, tells what one left, and lets container engines be", (t) => {
  t.deepEqual(found({ activeUnits: ["k3s-agent.service"] }), ["error other-cluster"]);
  t.deepEqual(found({ programs: ["kubelet"], foreignFiles: ["/etc/kubernetes/kubelet.conf"] }), ["error other-cluster"]);
  t.regex(only({ foreignFiles: ["/etc/kubernetes/admin.conf"] }).advice, /kubeadm reset/);
  t.regex(only({ foreignFiles: ["/var/lib/kaji/cluster.json"] }).advice, /kaji down/);
  t.deepEqual(found({ activeUnits: ["docker.service", "containerd.service"] }), ["note container-engine"]);
});
test("judge() refuses CNI files that come before ours, and leaves later ones and our own", (t) => {
  t.deepEqual(found({ cniFiles: ["05-cilium.conflist"] }), ["error cni"]);
  t.deepEqual(found({ cniFiles: ["87-podman-bridge.conflist"] }), ["note cni"]);
  t.deepEqual(found({ cniFiles: ["10-kaji.conflist"] }), []);
});
test("judge() says which resolver pods get where the host's own is a stub", (t) => {
  t.deepEqual(found({ resolver: { nameservers: ["127.0.0.53"], podResolvConf: "/run/systemd/resolve/resolv.conf" } }), ["note resolver"]);
  t.deepEqual(found({ resolver: { nameservers: ["127.0.0.1"], podResolvConf: "" } }), ["warning resolver"]);
});
test("judge() refuses chains of ours in both backends of iptables, and warns of others' rules in the second", (t) => {
  const other = { backend: "legacy", program: "iptables-legacy-save", rules: 3, chains: ["DOCKER"] } as const;
  t.deepEqual(found({ iptables: { ...base.iptables, other } }), ["warning iptables"]);
  t.deepEqual(found({ iptables: { ...base.iptables, other: { ...other, chains: ["KUBE-SERVICES"] } } }), ["error iptables"]);
});

const ports = portsOf("worker", 6_443).filter((each) => each.open), refused = (...rules: string[]): string[] => refusedPorts(`*filter\n${rules.join("\n")}\nCOMMIT\n`, ports).map(({ port, protocol }) => `${port}/${protocol}`);
const ALL = ["10250/tcp", "10256/tcp", "10053/tcp", "10053/udp", "8472/udp"];
test("refusedPorts() tells what a policy or a last rule of INPUT drops and no rule before lets in", (t) => {
  t.deepEqual(refused(":INPUT ACCEPT [0:0]"), []);
  t.deepEqual(refused(":INPUT DROP [0:0]", "-A INPUT -i lo -j ACCEPT", "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 10250 -j ACCEPT"), ALL);
  t.deepEqual(refused(":INPUT DROP [0:0]", "-A INPUT -p tcp -m multiport --dports 22,10000:10300 -j ACCEPT"), ["10053/udp", "8472/udp"]);
  t.deepEqual(refused(":INPUT ACCEPT [0:0]", "-A INPUT -p udp -j ACCEPT", "-A INPUT -j REJECT --reject-with icmp-port-unreachable", "-A INPUT -p tcp -j ACCEPT"), ["10250/tcp", "10256/tcp", "10053/tcp"]);
  t.deepEqual(refused(":INPUT DROP [0:0]", ":OWN - [0:0]", "-A INPUT -j OWN", "-A OWN -j ACCEPT"), []);
});
test("judge() says what to open in ufw and firewalld, and is silent when it is", (t) => {
  const ufw = { ...base.firewall, ufw: true, ufwStatus: "Status: active\n\nTo    Action  From\n22/tcp  ALLOW  Anywhere\n" };
  t.regex(only({ firewall: ufw }).advice, /ufw allow 10250\/tcp.*ufw allow 8472\/udp/);
  t.deepEqual(found({ firewall: { ...ufw, ufwStatus: ALL.map((port) => `${port}   ALLOW   Anywhere`).join("\n") } }), []);
  t.regex(only({ role: "master", firewall: { ...base.firewall, firewalld: true } }).advice, /--add-port=6443\/tcp/);
  t.deepEqual(found({ firewall: { ...base.firewall, firewalld: true, firewalldPorts: ALL } }), []);
});

test("refusal() is one message with every error and its next step, and none for warnings", (t) => {
  t.is(refusal("worker", judge(makeFacts({ swap: ["/swap"] }))), undefined);
  t.regex(refusal("worker", judge(makeFacts({ hasSystemd: false, cniFiles: ["00.conf"] })))!, /^Cannot make .+ a worker:\n {2}- systemd.+: .+\n {2}- \/etc\/cni.+: .+$/);
});
test("planFixes() does each fix once, and withLine() adds a line once", (t) => {
  const fix = { kind: "swap-off" } as const, finding = { check: "a", severity: "note", problem: "", advice: "", fix } as const;
  t.deepEqual(planFixes([finding, { ...finding, check: "b" }, { ...finding, fix: { kind: "machine-id" } }]), [fix, { kind: "machine-id" }]);
  t.is(withLine(withLine("# x", "overlay"), "overlay"), "# x\noverlay\n");
});
