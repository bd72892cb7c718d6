import test from "ava";
import type { Member, MembersReport } from "../../../../lib/install/host/members-report.ts";
import type { ClusterSpec, HostSpec } from "../../../../lib/install/remote/cluster-file.ts";
import type { HostFacts } from "../../../../lib/install/remote/host-facts.ts";
import { allSteps, type Leaver, type Plan, planCluster, type Supplies } from "../../../../lib/install/remote/plan.ts";
import { stepPlan } from "../../../../lib/install/remote/step-text.ts";

const MIB = 1024 ** 2, program = { file: "kaji", bytes: 150 * MIB, sha256: "new" };
const SUPPLIES: Supplies = { programs: { x64: program, arm64: program }, bundles: {} };
const running = (units: readonly string[], state: "current" | "stale" | "stopped" = "current"): HostFacts["units"] => Object.fromEntries(units.map((unit) => [unit, state]));
const MASTER = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"], NODE = ["containerd", "kubelet", "kube-proxy"];

const bare = (name: string, more: Partial<HostFacts> = {}): HostFacts => ({
  hostname: name, system: "Debian GNU/Linux 12 (bookworm)", architecture: "x64", machine: "x86_64", machineId: `id-${name}`, addresses: [`address-${name}`], clockOffsetMs: 0, freeMib: 10_000, systemd: true, root: true, packages: "apt", library: false,
  program: undefined, commit: undefined, units: {}, traces: false, bundle: undefined, authority: undefined, isMaster: false, nodeName: undefined, foreignKubelet: false, up: false, cluster: undefined, ...more,
});
const settings = { server: "https://192.0.2.1:6443", podCidr: "10.244.0.0/16", serviceCidr: "10.96.0.0/16", clusterDomain: "cluster.local", profile: "small" } as const;
const member = (host: string, more: Partial<Member> = {}): Member => ({ role: host === "m" ? "master" : "worker", host, machineId: `id-${host}`, reach: { address: `ssh-${host}`, port: 22, user: "root" }, labels: [], taints: [], ...(host === "m" ? { apiServerNames: ["ssh-m"] } : {}), ...more });
const report = (names: readonly string[], more: Partial<MembersReport> = {}): MembersReport => ({
  version: 1, settings, pin: "sha256:0", members: Object.fromEntries(["m", ...names].map((name) => [name, member(name)])),
  nodes: names.map((name) => ({ name, ready: true, unschedulable: false, machineId: `id-${name}`, address: "", labels: {}, taints: [] })), ...more,
});
const installed = { library: true, program: "new", commit: "abc", traces: true, authority: "ours" };
const master = (names: readonly string[], more: Partial<HostFacts> = {}): HostFacts => bare("m", { ...installed, addresses: ["192.0.2.1"], units: running(MASTER), isMaster: true, cluster: report(names), ...more });
const node = (name: string, more: Partial<HostFacts> = {}): HostFacts => bare(name, { ...installed, units: running(NODE), nodeName: name, ...more });

const host = (name: string, more: Partial<HostSpec> = {}): HostSpec => ({ name, nodeName: name, role: name === "m" ? "master" : "worker", reach: { address: `ssh-${name}`, port: 22, user: "root" }, labels: {}, taints: [], ...more });
const spec = (hosts: readonly HostSpec[], more: Partial<ClusterSpec> = {}): ClusterSpec => ({ name: "c", hosts, cluster: { apiServerNames: [] }, drainTimeoutMs: 60_000, complete: true, ...more });
const plan = (facts: readonly HostFacts[], more: { hosts?: readonly HostSpec[]; leavers?: readonly Leaver[]; supplies?: Supplies; spec?: Partial<ClusterSpec> } = {}): Plan =>
  planCluster(spec(more.hosts ?? facts.map((own) => host(own.hostname)), more.spec), more.supplies ?? SUPPLIES, { facts: new Map(facts.map((own) => [own.hostname, own])), leavers: more.leavers ?? [] });
const steps = (of: Plan): string[] => allSteps(of).map((step) => `${step.host} ${step.kind}`);
const refused = (of: Plan): string[] => of.refusals.map(({ host: name, found, nextStep }) => `${name ?? "*"}: ${found}: ${nextStep}`);

test("planCluster() of bare hosts carries everything over, makes the master, notes all, then lets the rest join", (t) => {
  t.deepEqual(steps(plan([bare("m"), bare("a")])), ["m library", "m program", "m check", "a library", "a program", "a check", "m init", "m record", "a join"]);
});

test("planCluster() of hosts that are as wanted has no step", (t) => {
  t.deepEqual(steps(plan([master(["a"]), node("a")])), []);
});

for (const [what, facts, wanted] of [
  ["a worker that stopped before it joined", [master(["a"], { cluster: report(["a"], { nodes: [] }) }), bare("a", { library: true, program: "new", commit: "abc", traces: true })], ["a check", "a join"]],
  ["a worker whose daemon is stopped", [master(["a"]), node("a", { units: { ...running(NODE), kubelet: "stopped" } })], ["a check", "a join"]],
  ["a worker whose node is not Ready", [master(["a"], { cluster: report(["a"], { nodes: [{ ...report(["a"]).nodes[0]!, ready: false }] }) }), node("a")], ["a check", "a join"]],
  ["a worker whose Node somebody deleted", [master(["a"], { cluster: report(["a"], { nodes: [] }) }), node("a")], ["a check", "a restart", "a join"]],
  ["an older program on a worker", [master(["a"]), node("a", { program: "old" })], ["a program", "a restart", "a join"]],
  ["a new program that was sent and not yet started", [master(["a"]), node("a", { units: { ...running(NODE, "stale"), containerd: "current" } })], ["a restart", "a join"]],
  ["an older program on the master", [master(["a"], { program: "old" }), node("a")], ["m program", "m restart", "m init"]],
  ["a master whose init did not come to its end", [bare("m", { ...installed, isMaster: true, units: running(MASTER), cluster: report([], { settings: undefined, members: {}, nodes: [] }) })], ["m check", "m init", "m record"]],
  ["a master whose daemons are stopped, so that nobody knows the cluster", [bare("m", { ...installed, isMaster: true, units: running(MASTER, "stopped") })], ["m check", "m init", "m record"]],
] as const) {
  test(`planCluster() finishes ${what}`, (t) => { t.deepEqual(steps(plan(facts)), [...wanted]); });
}

test("planCluster() gives init what the cluster was made with, and the names it must answer to", (t) => {
  const args = (of: Plan): unknown => of.master.flatMap((step) => (step.kind === "init" ? step.args : []));
  t.deepEqual(args(plan([bare("m")], { spec: { cluster: { apiServerNames: ["k8s.example"], podCIDR: "10.1.0.0/16" } } })), ["--pod-cidr=10.1.0.0/16", "--apiserver-cert-extra-sans=k8s.example,ssh-m", "--token-ttl=1m"]);
  t.deepEqual(args(plan([master([])], { hosts: [host("m")], spec: { cluster: { apiServerNames: ["k8s.example"] } } })), ["--advertise-address=192.0.2.1", "--port=6443", "--pod-cidr=10.244.0.0/16", "--service-cidr=10.96.0.0/16", "--cluster-domain=cluster.local", "--profile=small", "--apiserver-cert-extra-sans=k8s.example,ssh-m", "--token-ttl=1m"]);
});

test("planCluster() lets init choose anew where the master has another address than the cluster was made with", (t) => {
  const made = plan([master([], { addresses: ["192.0.2.7"] })], { hosts: [host("m")], spec: { cluster: { apiServerNames: ["fresh.example"] } } });
  t.false(made.master.some((step) => step.kind === "init" && step.args.some((arg) => arg.startsWith("--advertise-address"))));
});

test("planCluster() sends a bundle once, and lets hosts that had one be told of it again", (t) => {
  const bundle = { folder: "b", files: ["packages/libatomic1_1_amd64.deb"], bytes: MIB, id: "b1", library: "packages/libatomic1_1_amd64.deb" }, supplies = { ...SUPPLIES, bundles: { x64: bundle } };
  const first = plan([bare("m"), bare("a")], { supplies });
  t.deepEqual(allSteps(first).filter((step) => step.kind === "library").map((step) => step.from), ["bundle", "bundle"]);
  t.true(first.prepare.some((step) => step.host === "a" && step.kind === "bundle"));
  t.deepEqual(steps(plan([master(["a"], { bundle: "b1" }), node("a", { bundle: "b1" })], { supplies })), []);
  t.deepEqual(steps(plan([master(["a"], { bundle: "b1" }), node("a", { bundle: "b0" })], { supplies })), ["a bundle", "a join"]);
  const again = plan([master(["a"]), node("a", { bundle: "b1", program: "old" })]).renew.find((step) => step.kind === "join");
  t.true(again?.kind === "join" && again.bundle, "without --bundle now, the images still come from the one that is there");
});

test("planCluster() refuses as a whole what cannot be one cluster", (t) => {
  t.deepEqual(refused(plan([bare("m"), bare("a"), bare("b", { machineId: "id-a" })])), [
    '*: hosts "a" (ssh-a) and "b" (ssh-b) have the same machine-id id-a: one is a clone of the other: on one of them: "rm /etc/machine-id /var/lib/dbus/machine-id; systemd-machine-id-setup", then reboot',
  ]);
  t.deepEqual(refused(plan([bare("m"), bare("a"), bare("b", { machineId: "id-a", addresses: ["address-a"] })])), ['*: hosts "a" (ssh-a) and "b" (ssh-b) are the same machine: name it once']);
  t.deepEqual(refused(plan([bare("m"), bare("a"), bare("b")], { hosts: [host("m"), host("a", { nodeIp: "10.0.0.5" }), host("b", { nodeIp: "10.0.0.5" })] })), ['*: hosts "a" (ssh-a) and "b" (ssh-b) have the same address 10.0.0.5: correct nodeIP of one of them']);
  t.deepEqual(refused(plan([master(["a"]), node("a")], { spec: { cluster: { apiServerNames: [], podCIDR: "10.1.0.0/16" } } })), ['*: cluster.podCIDR is 10.1.0.0/16, the cluster was made with 10.244.0.0/16: write 10.244.0.0/16, or make a new cluster ("kaji delete" first)']);
  t.regex(refused(planCluster(spec([host("n", { role: "master" })]), SUPPLIES, { facts: new Map([["n", master([])]]), leavers: [] }))[0]!, /^\*: the cluster's master was added as "m", here it is called "n": call it "m"/);
});

for (const [what, facts, pattern] of [
  ["another processor", bare("a", { architecture: undefined, machine: "riscv64" }), /its processor is riscv64: use an x86_64 or aarch64 host/],
  ["no systemd", bare("a", { systemd: false }), /systemd does not run it/],
  ["a cluster of kaji up", bare("a", { up: true }), /"kaji down"/],
  ["another cluster's kubelet", bare("a", { foreignKubelet: true }), /kubelet\.service/],
  ["a clock a day off", bare("a", { clockOffsetMs: -86_400_000 }), /its clock is 86400 s behind this machine's, at most 30 s is allowed: set it \("timedatectl set-ntp true"\)/],
  ["a full disk", bare("a", { freeMib: 200 }), /\/var\/lib has 200 MiB free, what is carried there takes 150 and 200 are left spare: free some space/],
  ["no library and no apt", bare("a", { packages: "none" }), /libatomic\.so\.1 is missing/],
  ["another cluster it belongs to", node("a", { authority: "theirs" }), /belongs to another cluster .*: run "kaji reset" there first/],
  ["another name it has in the cluster", node("a", { nodeName: "z" }), /it is node "z" already: call it "z"/],
  ["a master of its own", bare("a", { isMaster: true }), /it is the master of a cluster/],
  ["a name that a node of another machine has", bare("a", { machineId: "other" }), /the cluster has another machine as node "a"/],
] as const) {
  test(`planCluster() leaves out a host with ${what}, and goes on with the others`, (t) => {
    const made = plan([master(["a", "b"], { cluster: report(["a"]) }), facts, bare("b")]);
    t.is(refused(made).length, 1);
    t.regex(refused(made)[0]!, pattern);
    t.is(made.refusals[0]!.host, "a");
    t.deepEqual(steps(made).filter((step) => step.startsWith("a ")), []);
    t.true(steps(made).includes("b join"));
  });
}

test("planCluster() changes only the labels and taints it is responsible for", (t) => {
  const cluster = report(["a"]), own = { ...cluster, members: { ...cluster.members, a: member("a", { labels: ["gone", "kept"], taints: ["old:NoSchedule"] }) }, nodes: [{ ...cluster.nodes[0]!, labels: { gone: "1", kept: "1", theirs: "1" }, taints: [{ key: "old", value: "", effect: "NoSchedule" }, { key: "theirs", value: "", effect: "NoExecute" }] }] };
  const made = plan([master(["a"], { cluster: own }), node("a")], { hosts: [host("m"), host("a", { labels: { kept: "2", fresh: "1" }, taints: [{ key: "new", value: "v", effect: "NoExecute" }] })] });
  t.deepEqual(made.renew.map(stepPlan), ["label kept=2, label fresh=1, remove label gone, taint new=v:NoExecute, remove taint old:NoSchedule"]);
});

test("planCluster() drains, resets and forgets who is named no more; away, only the node goes and the host stays noted", (t) => {
  const leaver = (facts: HostFacts | undefined, givenUp = false): Leaver => ({ node: "b", member: member("b"), facts, givenUp }), facts = [master(["a", "b"]), node("a")];
  t.deepEqual(steps(plan(facts, { leavers: [leaver(node("b"))] })), ["b record", "b drain", "b reset", "b remove"]);
  const away = plan(facts, { leavers: [leaver(undefined)] });
  t.deepEqual(away.leave.slice(-1), [{ host: "b", kind: "remove", node: "b", forget: false }]);
  t.deepEqual(plan(facts, { leavers: [leaver(undefined, true)] }).leave.slice(-1), [{ host: "b", kind: "remove", node: "b", forget: true }]);
  t.deepEqual(steps(plan(facts, { leavers: [leaver(node("b", { library: false, commit: undefined, program: undefined, units: {} }))] })), ["b library", "b program", "b record", "b drain", "b reset", "b remove"], "an interrupted reset took what it takes to finish it");
  for (const stranger of [node("b", { machineId: "other" }), node("b", { authority: "theirs" })]) t.false(steps(plan(facts, { leavers: [leaver(stranger)] })).includes("b reset"));
});
