import test from "ava";
import { ADDRESSES_MAX, planEndpoints } from "../../../../lib/controllers/endpoints/plan-endpoints.ts";
import { makePod, makeService } from "../build.ts";

test("planEndpoints() separates ready from not ready addresses, sorted, and leaves out terminating pods", (t) => {
  const pods = [makePod({ name: "b", ip: "10.0.0.2" }), makePod({ name: "a", ip: "10.0.0.1" }), makePod({ name: "c", ip: "10.0.0.3", ready: false }), makePod({ ip: "10.0.0.4", terminating: true })];
  const { subsets } = planEndpoints(makeService(), pods, undefined, undefined)!;
  t.is(subsets!.length, 1);
  t.deepEqual(subsets![0]!.addresses!.map((a) => a.ip), ["10.0.0.1", "10.0.0.2"]);
  t.deepEqual(subsets![0]!.notReadyAddresses!.map((a) => a.ip), ["10.0.0.3"]);
  t.deepEqual(subsets![0]!.ports, [{ name: "http", port: 8080, protocol: "TCP" }]);
});

test("planEndpoints() joins ports that reach the same pods and splits those that do not", (t) => {
  const service = makeService({ ports: [{ name: "http", port: 80, targetPort: "http" }, { name: "metrics", port: 90, targetPort: 9090 }] }), other = makePod({ ip: "10.0.0.2" });
  t.is(planEndpoints(service, [makePod({ ip: "10.0.0.1" })], undefined, undefined)!.subsets!.length, 1);
  other.spec.containers[0]!.ports = [];
  t.deepEqual(planEndpoints(service, [makePod({ ip: "10.0.0.1" }), other], undefined, undefined)!.subsets!.map((s) => [s.ports!.map((p) => p.name), s.addresses!.length]), [[["http"], 1], [["metrics"], 2]]);
});

test("planEndpoints() says nothing about what is right already, whatever its trigger time", (t) => {
  const pods = [makePod({ name: "a", ip: "10.0.0.1" })], first = planEndpoints(makeService(), pods, undefined, 1_000)!;
  t.is(first.metadata.annotations!["endpoints.kubernetes.io/last-change-trigger-time"], "1970-01-01T00:00:01Z");
  t.is(planEndpoints(makeService(), pods, first, 2_000), undefined);
});

test("planEndpoints() keeps ready addresses when there are too many, and says so", (t) => {
  const pods = Array.from({ length: ADDRESSES_MAX + 10 }, (_, i) => makePod({ name: `p${i}`, ip: `10.1.${i >> 8}.${i & 255}`, ready: i >= 20 }));
  const { subsets, metadata } = planEndpoints(makeService(), pods, undefined, undefined)!;
  t.is(subsets![0]!.addresses!.length, ADDRESSES_MAX - 10);
  t.is(subsets![0]!.notReadyAddresses!.length, 10);
  t.is(metadata.annotations!["endpoints.kubernetes.io/over-capacity"], "truncated");
});
