import test from "ava";
import type { Endpoints, EndpointSlice, EndpointSubset } from "../../../../lib/api/schema/generated/models.ts";
import { mayMirror, MIRRORING_CONTROLLER, planMirror } from "../../../../lib/controllers/endpointslicemirroring/plan-mirror.ts";

const PORT = { name: "http", port: 80, protocol: "TCP" };
const make = (subsets: EndpointSubset[], metadata: Partial<Endpoints["metadata"]> = {}): Endpoints => ({ apiVersion: "v1", kind: "Endpoints", metadata: { name: "web", namespace: "n", uid: "u", ...metadata }, subsets });
let named = 0;
/** As a server would have it after a plan's creates. */
const stored = (slices: readonly EndpointSlice[]): EndpointSlice[] => slices.map((slice) => ({ ...slice, metadata: { ...slice.metadata, name: `web-${++named}`, uid: `s${named}` } }));
const addresses = (slice: EndpointSlice): string[] => slice.endpoints!.map((e) => e.addresses[0]!).toSorted();

test("planMirror() shows ready and other addresses of both families, with the Endpoints' labels and annotations and them as owner", (t) => {
  const source = make([{ addresses: [{ ip: "10.0.0.1", hostname: "a", nodeName: "n1" }, { ip: "fd00::1" }], notReadyAddresses: [{ ip: "10.0.0.2" }], ports: [PORT] }], { labels: { team: "x" }, annotations: { note: "y", "kubectl.kubernetes.io/last-applied-configuration": "{}", "endpoints.kubernetes.io/last-change-trigger-time": "t" } });
  const { create, update, delete: remove } = planMirror(source, [], 1_000);
  t.deepEqual([update, remove], [[], []]);
  const [v4, v6] = ["IPv4", "IPv6"].map((family) => create.find((slice) => slice.addressType === family)!);
  t.deepEqual(v4!.endpoints, [{ addresses: ["10.0.0.1"], conditions: { ready: true }, hostname: "a", nodeName: "n1" }, { addresses: ["10.0.0.2"], conditions: { ready: false } }]);
  t.deepEqual(addresses(v6!), ["fd00::1"]);
  t.deepEqual(v4!.ports, [PORT]);
  t.like(v4!.metadata, { generateName: "web-", namespace: "n", annotations: { note: "y" }, labels: { team: "x", "kubernetes.io/service-name": "web", "endpointslice.kubernetes.io/managed-by": MIRRORING_CONTROLLER } });
  t.deepEqual(Object.keys(v4!.metadata.annotations!), ["note"]);
  t.like(v4!.metadata.ownerReferences![0], { kind: "Endpoints", name: "web", uid: "u", controller: true });
});

test("planMirror() leaves alone what shows it already, and changes it in place when an address, label or port is another", (t) => {
  const source = make([{ addresses: [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }], ports: [PORT] }]), existing = stored(planMirror(source, [], 1_000).create);
  t.like(planMirror(make([{ addresses: [{ ip: "10.0.0.2" }, { ip: "10.0.0.1" }], ports: [{ name: "http", port: 80 }] }]), existing, 1_000), { create: [], update: [], delete: [] });
  for (const changed of [make([{ addresses: [{ ip: "10.0.0.1" }], ports: [PORT] }]), make(source.subsets!, { labels: { a: "b" } }), make([{ addresses: [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }], ports: [{ ...PORT, port: 81 }] }])]) {
    const plan = planMirror(changed, existing, 1_000);
    t.deepEqual([plan.create, plan.delete], [[], []]);
    t.deepEqual(plan.update.map((slice) => slice.metadata.name), [existing[0]!.metadata.name]);
    t.deepEqual(plan.update[0]!.ports, changed.subsets![0]!.ports);
  }
});

test("planMirror() joins subsets with the same ports, takes away what is left over, and shows nothing for no address", (t) => {
  const two = planMirror(make([{ addresses: [{ ip: "10.0.0.1" }], ports: [PORT] }, { addresses: [{ ip: "10.0.0.2" }, { ip: "10.0.0.1" }], ports: [PORT] }, { addresses: [{ ip: "10.0.0.3" }], ports: [{ port: 9 }] }]), [], 1_000);
  t.deepEqual(two.create.map(addresses), [["10.0.0.1", "10.0.0.2"], ["10.0.0.3"]]);
  const existing = stored(two.create), twice = [...existing, ...stored(two.create.slice(0, 1))];
  t.deepEqual(planMirror(make([{ addresses: [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }], ports: [PORT] }]), twice, 1_000).delete.map((slice) => slice.metadata.name), [existing[1]!, twice[2]!].map((slice) => slice.metadata.name));
  t.is(planMirror(make([{ ports: [PORT] }]), existing, 1_000).delete.length, 2);
});

test("planMirror() counts addresses that are none and those beyond the most of a subset", (t) => {
  const plan = planMirror(make([{ addresses: [{ ip: "10.0.0.1" }, { ip: "nowhere" }, { ip: "10.0.0.2" }], notReadyAddresses: [{ ip: "10.0.0.3" }], ports: [PORT] }]), [], 2);
  t.deepEqual(plan.create.map(addresses), [["10.0.0.1", "10.0.0.2"]]);
  t.deepEqual([plan.invalid, plan.beyond], [1, 1]);
});

test("mayMirror() leaves out leaders' locks and what has slices of its own", (t) => {
  t.true(mayMirror(make([])));
  t.false(mayMirror(make([], { labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } })));
  t.false(mayMirror(make([], { annotations: { "control-plane.alpha.kubernetes.io/leader": "{}" } })));
});
