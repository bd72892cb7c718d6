import test from "ava";
import { FlowCleaner } from "../../../lib/proxy/flow-cleaner.ts";
import { indexTargets, parseConntrack, planStaleFlows, programmedTargets, type FlowTarget, type TrackedFlow } from "../../../lib/proxy/plan-conntrack.ts";

const NONE = { addresses: new Set<string>(), nodePorts: new Set<number>() }, HERE = new Set(["192.168.0.2"]);
const flow = (destination: string, answerer: string): TrackedFlow => ({ destination, answerer, state: undefined });
const target = (endpoints: string[], nodePort = 0): FlowTarget => ({ protocol: "udp", addresses: ["10.96.0.10 53"], nodePort, endpoints });
const stale = (flows: TrackedFlow[], targets: FlowTarget[], gone: { addresses: Set<string>; nodePorts: Set<number> } = NONE): string[] => planStaleFlows(flows, indexTargets(targets, "udp", gone), HERE).map((f) => `${f.destination} -> ${f.answerer}`);

test("parseConntrack() reads where a flow went and who answers", (t) => {
  t.deepEqual(parseConntrack(`udp      17 29 src=10.0.0.5 dst=10.96.0.10 sport=4002 dport=53 [UNREPLIED] src=10.244.1.3 dst=10.0.0.5 sport=5353 dport=4002 mark=0 use=1
tcp      6 110 SYN_SENT src=10.0.0.5 dst=10.96.0.20 sport=4002 dport=80 [UNREPLIED] src=10.244.1.4 dst=10.0.0.5 sport=8080 dport=4002 mark=0 use=1
udp      17 src=fd00::5 dst=fd00:96::a sport=1 dport=53 src=fd00:244::3 dst=fd00::5 sport=5353 dport=1 [OFFLOAD] mark=0 use=2
icmp     1 5 src=1.1.1.1 dst=2.2.2.2 type=8 code=0 id=1 src=2.2.2.2 dst=1.1.1.1 type=0 code=0 id=1 mark=0 use=1
conntrack v1.4.7 (conntrack-tools): 4 flow entries have been shown.
`), [
    { destination: "10.96.0.10 53", answerer: "10.244.1.3 5353", state: undefined },
    { destination: "10.96.0.20 80", answerer: "10.244.1.4 8080", state: "SYN_SENT" },
    { destination: "fd00:96::a 53", answerer: "fd00:244::3 5353", state: undefined },
  ]);
});

test("planStaleFlows() keeps flows that are as the rules would make them now", (t) => {
  t.deepEqual(stale([flow("10.96.0.10 53", "10.244.1.3 5353"), flow("8.8.8.8 53", "8.8.8.8 53"), flow("192.168.0.2 30053", "192.168.0.2 30053")], [target(["10.244.1.3 5353"])]), []);
});

test("planStaleFlows() finds flows to an endpoint that left, also the last one", (t) => {
  const flows = [flow("10.96.0.10 53", "10.244.1.3 5353")];
  t.deepEqual(stale(flows, [target(["10.244.1.4 5353"])]), ["10.96.0.10 53 -> 10.244.1.3 5353"]);
  t.deepEqual(stale(flows, [target([])]), ["10.96.0.10 53 -> 10.244.1.3 5353"]);
});

test("planStaleFlows() finds flows that were never translated once there is an endpoint, and leaves them while there is none", (t) => {
  const flows = [flow("10.96.0.10 53", "10.96.0.10 53")];
  t.deepEqual(stale(flows, [target(["10.244.1.4 5353"])]), ["10.96.0.10 53 -> 10.96.0.10 53"]);
  t.deepEqual(stale(flows, [target([])]), []);
});

test("planStaleFlows() finds flows of a Service that is gone", (t) => {
  t.deepEqual(stale([flow("10.96.0.10 53", "10.244.1.3 5353")], [], { addresses: new Set(["10.96.0.10 53"]), nodePorts: new Set() }), ["10.96.0.10 53 -> 10.244.1.3 5353"]);
  t.deepEqual(stale([flow("10.96.0.10 53", "10.244.1.3 5353")], [target(["10.244.1.3 5353"])], { addresses: new Set(["10.96.0.10 53"]), nodePorts: new Set() }), [], "unless another has its address now");
});

test("planStaleFlows() minds node ports on this host's addresses only", (t) => {
  const flows = [flow("192.168.0.2 30053", "10.244.1.3 5353"), flow("203.0.113.9 30053", "203.0.113.9 30053")];
  t.deepEqual(stale(flows, [target(["10.244.1.4 5353"], 30053)]), ["192.168.0.2 30053 -> 10.244.1.3 5353"]);
  t.deepEqual(stale(flows, [target(["10.244.1.3 5353"], 30053)]), []);
});

test("programmedTargets() reads what rules of an earlier run sent on", (t) => {
  const { addresses, nodePorts } = programmedTargets([
    '-d 10.96.0.10/32 -p udp -m comment --comment "kube-system/kube-dns:dns cluster IP" -m udp --dport 53 -j KUBE-SVC-X',
    '-d 10.96.0.10/32 -p tcp -m comment --comment "kube-system/kube-dns:dns-tcp cluster IP" -m tcp --dport 53 -j KUBE-SVC-Y',
  ], ['-p udp -m comment --comment "ns/dns:u" -m udp --dport 30053 -j KUBE-EXT-X'], "udp");
  t.deepEqual([[...addresses], [...nodePorts]], [["10.96.0.10 53"], [30053]]);
});

test("FlowCleaner remembers what is gone until a clean-up went through, and joins requests", async (t) => {
  const forgotten: string[] = [], errors: unknown[] = [];
  let lists = 0, fail = true, targets: FlowTarget[] = [];
  const cleaner = new FlowCleaner({
    conntrack: { list: async () => { lists++; if (fail) throw new Error("no table"); return [flow("10.96.0.10 53", "10.244.1.3 5353")]; }, forget: async (_, f) => forgotten.push(f.destination) },
    targets: () => targets, localAddresses: () => HERE, onForgotten: () => {}, onError: (error) => errors.push(error),
  });
  cleaner.changed([target(["10.244.1.3 5353"])], []);
  await cleaner.start();
  t.is(errors.length, 1);
  fail = false;
  targets = [{ ...target([]), addresses: ["10.96.0.99 53"] }];
  cleaner.changed([], targets);
  await Promise.all([cleaner.start(), cleaner.start()]);
  t.deepEqual(forgotten, ["10.96.0.10 53"], "the address that went before the failure is still cleaned");
  t.is(lists, 2);
});

test("FlowCleaner looks at TCP only when an endpoint left or the first one came", async (t) => {
  const listed: string[] = [];
  const cleaner = new FlowCleaner({ conntrack: { list: async (protocol) => { listed.push(protocol); return []; }, forget: async () => 0 }, targets: () => [], localAddresses: () => HERE, onForgotten: () => {}, onError: (e) => t.fail(String(e)) });
  const tcp = (endpoints: string[]): FlowTarget => ({ ...target(endpoints), protocol: "tcp" });
  cleaner.changed([tcp(["1.1.1.1 80"])], [tcp(["1.1.1.1 80", "1.1.1.2 80"])]);
  await cleaner.start();
  t.deepEqual(listed, []);
  cleaner.changed([tcp(["1.1.1.1 80", "1.1.1.2 80"])], [tcp(["1.1.1.2 80"])]);
  await cleaner.start();
  t.deepEqual(listed, ["tcp"]);
  cleaner.changed([tcp([])], [tcp(["1.1.1.3 80"])]);
  await cleaner.start();
  cleaner.changed([], [tcp(["1.1.1.3 80"])]);
  await cleaner.start();
  t.deepEqual(listed, ["tcp", "tcp", "tcp"]);
});
