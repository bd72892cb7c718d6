import test from "ava";
import { planSlices, type SlicePlan } from "../../../../lib/controllers/endpointslice/plan-slices.ts";
import { SliceTracker } from "../../../../lib/controllers/shared/slice-tracker.ts";
import type { EndpointSlice, Pod, Service } from "../../../../lib/api/schema/generated/models.ts";
import { makeNode, makePod, makeService } from "../build.ts";

const plan = (service: Service, pods: readonly Pod[], existing: readonly EndpointSlice[] = [], endpointsMax = 100): SlicePlan =>
  planSlices({ service, pods, existing, endpointsMax, triggerMs: undefined, nodeOf: (name) => makeNode({ name, zone: `zone-${name}` }) });
let named = 0;
/** What a server would have after the plan. */
function apply(existing: readonly EndpointSlice[], { create, update, delete: remove }: SlicePlan): EndpointSlice[] {
  const rest = existing.filter((s) => ![...update, ...remove].some((u) => u.metadata.name === s.metadata.name));
  return [...rest, ...update, ...create.map((s) => ({ ...s, metadata: { ...s.metadata, name: `slice-${++named}` } }))];
}
const pods = (from: number, to: number): Pod[] => Array.from({ length: to - from }, (_, i) => makePod({ name: `p${from + i}`, ip: `10.244.0.${from + i}`, node: "n1" }));
const count = (s: EndpointSlice): number => s.endpoints!.length;

test("planSlices() makes one slice with labels, owner, ports and topology", (t) => {
  const { create } = plan(makeService({ labels: { team: "a" } }), [makePod({ name: "p", ip: "10.244.0.1", node: "n1" })]);
  t.is(create.length, 1);
  t.like(create[0], { addressType: "IPv4", ports: [{ name: "http", port: 8080, protocol: "TCP" }] });
  t.is(create[0]!.metadata.generateName, "web-");
  t.deepEqual(create[0]!.metadata.labels, { team: "a", "kubernetes.io/service-name": "web", "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io" });
  t.like(create[0]!.metadata.ownerReferences![0], { kind: "Service", name: "web", controller: true, blockOwnerDeletion: true });
  t.deepEqual(create[0]!.endpoints, [{ addresses: ["10.244.0.1"], conditions: { ready: true, serving: true, terminating: false }, targetRef: { kind: "Pod", namespace: "default", name: "p", uid: "uid-p" }, nodeName: "n1", zone: "zone-n1" }]);
});

test("planSlices() keeps terminating pods that still serve, never as ready", (t) => {
  const { create } = plan(makeService(), [makePod({ ip: "10.244.0.1", terminating: true })]);
  t.deepEqual(create[0]!.endpoints![0]!.conditions, { ready: false, serving: true, terminating: true });
  t.deepEqual(plan(makeService({ publishNotReadyAddresses: true }), [makePod({ ip: "10.244.0.1", ready: false })]).create[0]!.endpoints![0]!.conditions, { ready: true, serving: false, terminating: false });
});

test("planSlices() leaves out finished pods, pods without an address, and addresses of other families", (t) => {
  const { create } = plan(makeService(), [makePod({ ip: "10.244.0.1", phase: "Failed" }), makePod({}), makePod({ ip: "fd00::1" })]);
  t.is(count(create[0]!), 0);
});

test("planSlices() keeps one empty slice without ports for a Service without endpoints, and leaves it alone", (t) => {
  const first = plan(makeService(), []);
  t.deepEqual([first.create.length, first.create[0]!.ports], [1, []]);
  const again = plan(makeService(), [], apply([], first));
  t.deepEqual([again.create, again.update, again.delete], [[], [], []]);
});

test("planSlices() turns the empty slice into the real one instead of deleting it", (t) => {
  const slices = apply([], plan(makeService(), [])), next = plan(makeService(), pods(1, 3), slices);
  t.deepEqual([next.create.length, next.delete.length, next.update.length], [0, 0, 1]);
  t.is(next.update[0]!.metadata.name, slices[0]!.metadata.name);
  t.is(count(next.update[0]!), 2);
});

test("planSlices() changes nothing when nothing changed", (t) => {
  const slices = apply([], plan(makeService(), pods(1, 30)));
  const again = plan(makeService(), pods(1, 30), slices);
  t.deepEqual([again.create, again.update, again.delete], [[], [], []]);
});

test("planSlices() splits at the limit, fills what is touched, and lets endpoints stay where they are", (t) => {
  let slices = apply([], plan(makeService(), pods(1, 11), [], 5));
  t.deepEqual(slices.map(count), [5, 5]);
  const kept = slices[1]!.endpoints!.map((e) => e.addresses[0]);
  const next = plan(makeService(), [...pods(3, 11), ...pods(50, 54)], slices, 5);
  t.is(next.update.length, 1);
  t.is(next.create.length, 1);
  slices = apply(slices, next);
  t.deepEqual(slices.map(count).sort((a, b) => a - b), [2, 5, 5]);
  t.deepEqual(slices[0]!.endpoints!.map((e) => e.addresses[0]), kept);
});

test("planSlices() puts pods whose named port differs into slices of their own", (t) => {
  const other = makePod({ ip: "10.244.0.9" });
  other.spec.containers[0]!.ports = [{ name: "http", containerPort: 9090, protocol: "TCP" }];
  const { create } = plan(makeService(), [...pods(1, 2), other]);
  t.deepEqual(create.map((s) => s.ports![0]!.port).sort((a, b) => a! - b!), [8080, 9090]);
});

test("planSlices() makes slices of both families, and deletes those of a family the Service lost", (t) => {
  const pod = makePod({ ip: "10.244.0.1" });
  pod.status!.podIPs = [{ ip: "10.244.0.1" }, { ip: "fd00::1" }];
  const both = apply([], plan(makeService({ ipFamilies: ["IPv4", "IPv6"] }), [pod]));
  t.deepEqual(both.map((s) => s.addressType), ["IPv4", "IPv6"]);
  t.deepEqual(plan(makeService(), [pod], both).delete.map((s) => s.addressType), ["IPv6"]);
});

test("planSlices() marks headless Services and publishes host names only where both sides ask", (t) => {
  const pod = makePod({ ip: "10.244.0.1" });
  pod.spec.hostname = "db-0";
  pod.spec.subdomain = "web";
  const { create } = plan(makeService({ clusterIP: "None", ports: [] }), [pod]);
  t.is(create[0]!.metadata.labels!["service.kubernetes.io/headless"], "");
  t.is(create[0]!.endpoints![0]!.hostname, "db-0");
  t.deepEqual(create[0]!.ports, []);
});

test("planSlices() gives hints to ready endpoints by the traffic distribution", (t) => {
  const pod = makePod({ ip: "10.244.0.1", node: "n1" });
  t.deepEqual(plan(makeService({ trafficDistribution: "PreferSameZone" }), [pod]).create[0]!.endpoints![0]!.hints, { forZones: [{ name: "zone-n1" }] });
  t.deepEqual(plan(makeService({ trafficDistribution: "PreferSameNode" }), [pod]).create[0]!.endpoints![0]!.hints, { forZones: [{ name: "zone-n1" }], forNodes: [{ name: "n1" }] });
  t.is(plan(makeService({ trafficDistribution: "PreferSameNode" }), [makePod({ ip: "10.244.0.1", ready: false })]).create[0]!.endpoints![0]!.hints, undefined);
});

test("planSlices() follows the Service's labels without touching endpoints", (t) => {
  const slices = apply([], plan(makeService(), pods(1, 3)));
  const next = plan(makeService({ labels: { new: "x" } }), pods(1, 3), slices);
  t.is(next.update.length, 1);
  t.is(next.update[0]!.metadata.labels!["new"], "x");
});

test("planSlices() over random comings and goings always holds every endpoint exactly once, within the limit", (t) => {
  let slices: EndpointSlice[] = [], seed = 7;
  const random = (): number => { seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648; return seed / 2_147_483_648; };
  for (let round = 0; round < 60; round++) {
    const present = pods(1, 40).filter(() => random() < 0.6);
    slices = apply(slices, plan(makeService(), present, slices, 7));
    t.deepEqual(slices.flatMap((s) => s.endpoints!.map((e) => e.addresses[0]!)).sort(), present.map((p) => p.status!.podIP!).sort());
    t.true(slices.every((s) => count(s) <= 7));
  }
});

test("SliceTracker.isStale() until the cache has seen the controller's own writes", (t) => {
  const tracker = new SliceTracker(), slice = (version: string): EndpointSlice => ({ addressType: "IPv4", metadata: { name: "s", uid: "u", resourceVersion: version } });
  tracker.wrote("x/web", slice("10"));
  t.true(tracker.isStale("x/web", () => undefined));
  t.true(tracker.isStale("x/web", () => slice("9")));
  t.true(tracker.isOurs("x/web", slice("10")));
  t.false(tracker.isOurs("x/web", slice("11")));
  t.false(tracker.isStale("x/web", () => slice("10")));
  tracker.deleted("x/web", slice("10"));
  t.true(tracker.isStale("x/web", () => slice("10")));
  t.false(tracker.isStale("x/web", () => undefined));
});
