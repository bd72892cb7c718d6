import test from "ava";
import fc from "fast-check";
import { services } from "../../../../lib/api/schema/generated/references.ts";
import type { Service, ServiceSpec } from "../../../../lib/api/schema/generated/models.ts";
import { StatusError } from "../../../../lib/api/status-error.ts";
import { ClusterIpPool } from "../../../../lib/apiserver/allocation/cluster-ip-pool.ts";
import { NodePortPool } from "../../../../lib/apiserver/allocation/node-port-pool.ts";
import { NumberPool } from "../../../../lib/apiserver/allocation/number-pool.ts";
import { ServiceAllocator } from "../../../../lib/apiserver/allocation/service-allocator.ts";
import { FakeCache } from "../fake-cache.ts";

function setUp(options: { ranges?: string[]; nodePortRange?: string } = {}) {
  const cache = new FakeCache();
  const allocator = new ServiceAllocator({ cache }, { clusterIpRanges: options.ranges ?? ["10.96.0.0/16"], nodePortRange: options.nodePortRange ?? "30000-32767", random: () => 0 });
  allocator.start();
  const service = (name: string, spec: ServiceSpec = {}): Service => ({ metadata: { namespace: "a", name }, spec: { type: "ClusterIP", ports: [{ port: 80, protocol: "TCP" }], ...spec } });
  const create = (name: string, spec: ServiceSpec = {}): Service => {
    const object = service(name, spec), transaction = allocator.beginCreate(object, false), stored = cache.put(services, object);
    transaction.finish(true);
    return stored;
  };
  const update = (old: Service, spec: ServiceSpec): Service => {
    const object = structuredClone({ ...old, spec: { ...old.spec, ...spec } }), transaction = allocator.beginUpdate(object, old, false), stored = cache.put(services, object);
    transaction.finish(true);
    return stored;
  };
  return { cache, allocator, service, create, update };
}

test("ServiceAllocator gives an address of the dynamic band and fills in the single-stack fields", (t) => {
  const { create } = setUp(), { spec } = create("web");
  t.like(spec, { clusterIP: "10.96.1.1", ipFamilyPolicy: "SingleStack" });
  t.deepEqual([spec!.clusterIPs, spec!.ipFamilies], [["10.96.1.1"], ["IPv4"]]);
  t.is(create("next").spec!.clusterIP, "10.96.1.2");
});

test("ServiceAllocator refuses taken, foreign and impossible addresses in upstream's words", (t) => {
  const { create, allocator, service } = setUp();
  create("dns", { clusterIP: "10.96.0.10", clusterIPs: ["10.96.0.10"] });
  const refused = (ip: string) => t.throws(() => allocator.beginCreate(service("x", { clusterIP: ip, clusterIPs: [ip] }), false), { instanceOf: StatusError })!.message;
  t.is(refused("10.96.0.10"), 'Service "x" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated');
  t.is(refused("10.97.0.1"), 'Service "x" is invalid: spec.clusterIPs: Invalid value: ["10.97.0.1"]: failed to allocate IP 10.97.0.1: the provided network does not match the current range');
  t.regex(refused("10.96.0.0"), /not in the valid range/); // The network's own.
  t.throws(() => allocator.beginCreate(service("x", { ipFamilies: ["IPv6"] }), false), { message: /spec.ipFamilies\[0\]: Invalid value: "IPv6": not configured on this cluster/ });
  t.throws(() => allocator.beginCreate(service("x", { ipFamilyPolicy: "RequireDualStack" }), false), { message: /this cluster is not configured for dual-stack services/ });
});

test("ServiceAllocator gives headless and ExternalName Services nothing, and takes back what a new type does not need", (t) => {
  const { create, update } = setUp();
  t.deepEqual(create("headless", { clusterIP: "None", clusterIPs: ["None"], selector: { a: "b" } }).spec!.ipFamilies, ["IPv4"]);
  t.like(create("manual", { clusterIP: "None", clusterIPs: ["None"] }).spec, { ipFamilyPolicy: "RequireDualStack" });
  t.is(create("outside", { type: "ExternalName", externalName: "x.y" }).spec!.clusterIP, undefined);
  const web = create("web");
  update(web, { type: "ExternalName", externalName: "x.y", clusterIP: undefined, clusterIPs: undefined });
  t.is(create("other", { clusterIP: web.spec!.clusterIP }).spec!.clusterIP, web.spec!.clusterIP);
});

test("ServiceAllocator frees what a deleted Service held, however it was deleted", (t) => {
  const { create, cache } = setUp(), web = create("web", { type: "NodePort", ports: [{ port: 80, protocol: "TCP", nodePort: 30_080 }] });
  cache.remove(services, "a", "web");
  t.notThrows(() => create("again", { type: "NodePort", clusterIP: web.spec!.clusterIP, ports: [{ port: 80, protocol: "TCP", nodePort: 30_080 }] }));
});

test("ServiceAllocator gives back what a failed or dry write reserved", (t) => {
  const { allocator, service, create } = setUp();
  const failed = service("x", { type: "NodePort" }), transaction = allocator.beginCreate(failed, false);
  t.throws(() => allocator.beginCreate(service("y", { clusterIP: failed.spec!.clusterIP }), false), { message: /already allocated/ }); // Still under way.
  transaction.finish(false);
  const dry = service("z", { clusterIP: failed.spec!.clusterIP });
  allocator.beginCreate(dry, true).finish(true);
  t.is(create("w", { clusterIP: failed.spec!.clusterIP }).spec!.clusterIP, failed.spec!.clusterIP);
  t.throws(() => allocator.beginCreate(service("v", { type: "NodePort", ports: [{ port: 1, protocol: "TCP" }, { port: 2, protocol: "TCP", nodePort: 80 }] }), false));
  t.is(create("u", { type: "NodePort" }).spec!.ports![0]!.nodePort, 30_086); // The refused write kept none.
});

test("ServiceAllocator gives node ports, shares one between protocols, and keeps and frees them on update", (t) => {
  const { create, update, allocator, service } = setUp();
  const dns = create("dns", { type: "NodePort", ports: [{ name: "tcp", port: 53, protocol: "TCP" }, { name: "udp", port: 53, protocol: "UDP" }, { name: "http", port: 80, protocol: "TCP", nodePort: 30_000 }] });
  t.deepEqual(dns.spec!.ports!.map((port) => port.nodePort), [30_086, 30_086, 30_000]);
  t.throws(() => allocator.beginCreate(service("x", { type: "NodePort", ports: [{ port: 1, protocol: "TCP", nodePort: 30_000 }] }), false), { message: 'Service "x" is invalid: spec.ports[0].nodePort: Invalid value: 30000: provided port is already allocated' });
  t.throws(() => allocator.beginCreate(service("x", { type: "NodePort", ports: [{ port: 1, protocol: "TCP", nodePort: 80 }] }), false), { message: /provided port is not in the valid range. The range of valid ports is 30000-32767/ });
  const smaller = update(dns, { ports: [dns.spec!.ports![2]!, { name: "new", port: 81, protocol: "TCP" }] });
  t.deepEqual(smaller.spec!.ports!.map((port) => port.nodePort), [30_000, 30_087]);
  t.notThrows(() => create("other", { type: "NodePort", ports: [{ port: 1, protocol: "TCP", nodePort: 30_086 }] })); // Freed by the update.
});

test("ServiceAllocator gives local load balancers a health check port and honours the wish for no node ports", (t) => {
  const { create } = setUp();
  t.is(create("lb", { type: "LoadBalancer", externalTrafficPolicy: "Local", allocateLoadBalancerNodePorts: true }).spec!.healthCheckNodePort, 30_087);
  t.is(create("bare", { type: "LoadBalancer", allocateLoadBalancerNodePorts: false }).spec!.ports![0]!.nodePort, undefined);
});

test("ServiceAllocator knows after a restart what the stored Services hold", (t) => {
  const { cache, create, service } = setUp(), web = create("web");
  const restarted = new ServiceAllocator({ cache }, { clusterIpRanges: ["10.96.0.0/16"], nodePortRange: "30000-32767" });
  restarted.start();
  t.throws(() => restarted.beginCreate(service("x", { clusterIP: web.spec!.clusterIP }), false), { message: /already allocated/ });
});

test("ServiceAllocator on a dual-stack cluster gives one address of each family when asked", (t) => {
  const { create, update } = setUp({ ranges: ["10.96.0.0/16", "fd00::/112"] });
  const both = create("both", { ipFamilyPolicy: "PreferDualStack" });
  t.deepEqual([both.spec!.ipFamilies, both.spec!.clusterIPs], [["IPv4", "IPv6"], ["10.96.1.1", "fd00::101"]]);
  t.deepEqual(update(both, { ipFamilyPolicy: "SingleStack" }).spec!.clusterIPs, ["10.96.1.1"]);
});

test("ClusterIpPool uses the static band last and says when it is full", (t) => {
  const pool = new ClusterIpPool("10.0.0.0/27"), seen: string[] = []; // 30 addresses, 16 of them static.
  for (let ip = pool.choose(); ip !== undefined; ip = pool.choose()) { pool.take(ip); seen.push(ip); }
  t.is(new Set(seen).size, 30);
  t.true(seen.slice(0, 14).every((ip) => Number(ip.split(".")[3]) > 16));
  t.is(pool.problem("10.0.0.31"), "the provided IP (10.0.0.31) is not in the valid range. The range of valid IPs is 10.0.0.0/27");
});

test("NodePortPool reads ranges and refuses nonsense", (t) => {
  t.is(new NodePortPool("30000+10").range, "30000-30010");
  for (const bad of ["", "1", "5-3", "0-10", "1-70000", "a-b"]) t.throws(() => new NodePortPool(bad), { message: /Cannot use the node port range/ }, bad);
});

test("NumberPool never hands out a taken number, whatever is taken and released", (t) => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(19)), { maxLength: 60 }), fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })), (steps, randoms) => {
    const pool = new NumberPool(20, { offset: 5, random: () => randoms.next().value as number }), taken = new Set<number>();
    for (const [take, number] of steps) {
      if (!take) { pool.release(number); taken.delete(number); continue; }
      const chosen = pool.choose();
      if (chosen === undefined) { t.is(taken.size, 20); continue; }
      if (taken.has(chosen) || (chosen < 5 && [...Array(15).keys()].some((i) => !taken.has(i + 5)))) return false;
      pool.take(chosen);
      taken.add(chosen);
    }
    return pool.free === 20 - taken.size;
  }), { numRuns: 200 });
  t.pass();
});
