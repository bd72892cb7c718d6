import test from "ava";
import fc from "fast-check";
import { endpointsByPort, portKey } from "../../../lib/proxy/endpoints.ts";
import { selectEndpoints } from "../../../lib/proxy/select-endpoints.ts";
import { servicePorts, type ServicePortInfo } from "../../../lib/proxy/service-port.ts";
import { makeService, makeSlice, type EndpointWish } from "./objects.ts";

const PLACE = { nodeName: "node-a", zone: "zone-a" };
const port = (spec: Parameters<typeof makeService>[1] = {}): ServicePortInfo => servicePorts(makeService("web", spec), 4)[0]!;
function select(wishes: EndpointWish[], info = port(), place = PLACE): { cluster: string[]; local: string[]; reachable: string[]; any: boolean } {
  const endpoints = endpointsByPort([makeSlice("web", wishes)], 4, place.nodeName).get(portKey("p80", "tcp")) ?? [];
  const chosen = selectEndpoints(endpoints, info, place), ips = (list: readonly { ip: string }[]): string[] => list.map((e) => e.ip);
  return { cluster: ips(chosen.cluster), local: ips(chosen.local), reachable: ips(chosen.reachable), any: chosen.any };
}
const LOCAL_POLICY = port({ type: "LoadBalancer", externalTrafficPolicy: "Local", port: { nodePort: 30080 } });

test("selectEndpoints() takes ready endpoints everywhere with policy Cluster", (t) => {
  t.deepEqual(select([{ ip: "10.0.0.1", node: "node-a" }, { ip: "10.0.0.2", node: "node-b" }, { ip: "10.0.0.3", ready: false }]),
    { cluster: ["10.0.0.1", "10.0.0.2"], local: [], reachable: ["10.0.0.1", "10.0.0.2"], any: true });
});

test("selectEndpoints() falls back to serving endpoints that terminate, for each policy by itself", (t) => {
  const leavingHere = { ip: "10.0.0.1", node: "node-a", ready: false, serving: true, terminating: true }, readyThere = { ip: "10.0.0.2", node: "node-b" };
  t.deepEqual(select([leavingHere, readyThere], LOCAL_POLICY), { cluster: ["10.0.0.2"], local: ["10.0.0.1"], reachable: ["10.0.0.1", "10.0.0.2"], any: true });
  t.deepEqual(select([leavingHere, { ip: "10.0.0.3", ready: false, serving: false, terminating: true }]).cluster, ["10.0.0.1"]);
  t.deepEqual(select([{ ip: "10.0.0.3", ready: false, serving: false, terminating: true }]), { cluster: [], local: [], reachable: [], any: false });
});

test("selectEndpoints() reports endpoints elsewhere to a node that has none under policy Local", (t) => {
  t.deepEqual(select([{ ip: "10.0.0.2", node: "node-b" }], port({ internalTrafficPolicy: "Local" })), { cluster: [], local: [], reachable: [], any: true });
});

test("selectEndpoints() prefers its node, then its zone, and only when every ready endpoint has hints", (t) => {
  const both = [{ ip: "10.0.0.1", zones: ["zone-a"], nodes: ["node-a"] }, { ip: "10.0.0.2", zones: ["zone-a"], nodes: ["node-b"] }, { ip: "10.0.0.3", zones: ["zone-b"], nodes: ["node-c"] }];
  t.deepEqual(select(both).cluster, ["10.0.0.1"]);
  t.deepEqual(select(both, port(), { nodeName: "node-x", zone: "zone-a" }).cluster, ["10.0.0.1", "10.0.0.2"]);
  t.deepEqual(select(both, port(), { nodeName: "node-x", zone: "zone-x" }).cluster, ["10.0.0.1", "10.0.0.2", "10.0.0.3"], "nobody is hinted for here");
  t.deepEqual(select([...both, { ip: "10.0.0.4" }]).cluster.length, 4, "one without hints turns them off");
  t.deepEqual(select([...both, { ip: "10.0.0.4", ready: false }]).cluster, ["10.0.0.1"], "one that is not ready does not count");
});

test("selectEndpoints() never chooses an endpoint that is neither ready nor serving, and loses none that is reachable", (t) => {
  const wish = fc.record({ ip: fc.integer({ min: 1, max: 9 }).map((n) => `10.0.0.${n}`), node: fc.constantFrom("node-a", "node-b"), ready: fc.boolean(), serving: fc.boolean(), terminating: fc.boolean() });
  fc.assert(fc.property(fc.uniqueArray(wish, { selector: (w) => w.ip }), fc.constantFrom(port(), LOCAL_POLICY, port({ internalTrafficPolicy: "Local" })), (wishes, info) => {
    const { cluster, local, reachable, any } = select(wishes, info), usable = new Set(wishes.filter((w) => w.ready || w.serving).map((w) => w.ip));
    t.true(reachable.every((ip) => usable.has(ip)));
    t.deepEqual(reachable, [...new Set([...cluster, ...local])].sort());
    t.true(any || reachable.length === 0);
    if (wishes.some((w) => w.ready)) t.true(any);
  }));
});

test("endpointsByPort() merges an endpoint that is in two slices into the more usable one", (t) => {
  const slices = [makeSlice("web", [{ ip: "10.0.0.1", ready: false }]), makeSlice("web", [{ ip: "10.0.0.1" }], {}, "web-2")];
  for (const order of [slices, slices.toReversed()]) t.deepEqual(endpointsByPort(order, 4, "").get("p80/tcp")?.map((e) => [e.text, e.ready]), [["10.0.0.1:8080", true]]);
});
