/** Ranges of Services and the addresses taken from them, as objects (`test/e2e/network/service_cidrs.go`, `test/integration/servicecidr`). */
import test from "ava";
import { ipaddresses, servicecidrs, services } from "../../../lib/api/schema/generated/references.ts";
import type { Service, ServiceCIDR } from "../../../lib/api/schema/generated/models.ts";
import { World } from "./world.ts";

let world: World;
test.before(async () => { world = await World.start(); });
test.after.always(() => world.stop());

const makeService = (name: string, spec: object = {}): Promise<Service> => world.client.create<Service>(services, { metadata: { name, namespace: "default" }, spec: { ports: [{ port: 80 }], ...spec } });
const makeRange = (name: string, ...cidrs: string[]): Promise<unknown> => world.client.create(servicecidrs, { metadata: { name }, spec: { cidrs } });
const condition = (range: ServiceCIDR | undefined) => range?.status?.conditions?.find(({ type }) => type === "Ready");
const ready = (name: string, status: string): Promise<ServiceCIDR> => world.until(`${name} being ready: ${status}`, async () => { const range = await world.get(servicecidrs, name); return condition(range)?.status === status ? range : undefined; });

test("the cluster's own range is there, ready and protected; its first address is the API server's", async (t) => {
  const range = await ready("kubernetes", "True");
  t.deepEqual(range.spec.cidrs, ["10.96.0.0/16"]);
  t.is(condition(range)!.message, "Kubernetes default Service CIDR is ready");
  await world.until("the finalizer", async () => (await world.get(servicecidrs, "kubernetes"))!.metadata.finalizers?.includes("networking.k8s.io/service-cidr-finalizer"));
  const address = await world.until("the address", () => world.get(ipaddresses, "10.96.0.1"));
  t.deepEqual(address.spec.parentRef, { resource: "services", namespace: "default", name: "kubernetes" });
  t.deepEqual(address.metadata.labels, { "ipaddress.kubernetes.io/ip-family": "IPv4", "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io" });
});

test("a Service's address is shown while it holds it, and comes back when somebody deletes it", async (t) => {
  const { spec } = await makeService("shown"), ip = spec.clusterIP!;
  const shown = await world.until("the address", () => world.get(ipaddresses, ip));
  await world.client.delete(ipaddresses, { name: ip });
  await world.until("it being back", async () => { const again = await world.get(ipaddresses, ip); return again !== undefined && again.metadata.uid !== shown.metadata.uid; });
  await world.client.delete(services, { name: "shown", namespace: "default" });
  await world.until("it being gone", async () => (await world.get(ipaddresses, ip)) === undefined);
  t.pass();
});

test("an address that somebody else has taken is given to no Service, until it is free again", async (t) => {
  await world.client.create(ipaddresses, { metadata: { name: "10.96.7.7" }, spec: { parentRef: { group: "example.com", resource: "things", name: "mine" } } });
  await t.throwsAsync(makeService("late", { clusterIP: "10.96.7.7" }), { message: /failed to allocate IP 10.96.7.7: provided IP is already allocated/ });
  await world.client.delete(ipaddresses, { name: "10.96.7.7" });
  t.is((await makeService("late", { clusterIP: "10.96.7.7" })).spec.clusterIP, "10.96.7.7");
});

test("a new range gives addresses, stays while one is held that is in no other, and then goes", async (t) => {
  await t.throwsAsync(makeService("outside", { clusterIP: "10.120.0.5" }), { message: /failed to allocate IP 10.120.0.5: the provided network does not match the current range/ });
  await makeRange("more", "10.120.0.0/28");
  t.is(condition(await ready("more", "True"))!.message, "Kubernetes Service CIDR is ready");
  await makeService("outside", { clusterIP: "10.120.0.5" });
  await world.until("the address", () => world.get(ipaddresses, "10.120.0.5"));
  await world.client.delete(servicecidrs, { name: "more" });
  t.like(condition(await ready("more", "False")), { reason: "Terminating" });
  await t.throwsAsync(makeService("another", { clusterIP: "10.120.0.6" }), { message: /does not match the current range/ });
  await world.client.delete(services, { name: "outside", namespace: "default" });
  await world.until("the range being gone", async () => (await world.get(servicecidrs, "more")) === undefined);
});

test("a range inside another may go at once: its addresses have a range", async (t) => {
  await makeRange("inner", "10.96.8.0/24");
  await ready("inner", "True");
  await makeService("in-both", { clusterIP: "10.96.8.8" });
  await world.client.delete(servicecidrs, { name: "inner" });
  await world.until("the range being gone", async () => (await world.get(servicecidrs, "inner")) === undefined);
  await t.throwsAsync(makeService("twice", { clusterIP: "10.96.8.8" }), { message: /already allocated/ });
});
