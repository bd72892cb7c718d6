/** What becomes of Endpoints that somebody writes. Scenario: kubernetes `test/e2e/network/endpointslicemirroring.go`. */
import test from "ava";
import { endpoints, endpointslices, services } from "../../../lib/api/schema/generated/references.ts";
import type { EndpointSlice } from "../../../lib/api/schema/generated/models.ts";
import { World } from "./world.ts";

let world: World;
test.before(async () => { world = await World.start(); });
test.after.always(() => world.stop());

const slicesOf = async (name: string): Promise<EndpointSlice[]> => world.list(endpointslices, `kubernetes.io/service-name=${name}`);
const shown = async (name: string): Promise<unknown[]> => (await slicesOf(name)).map(({ addressType, endpoints: all, ports }) => [addressType, (all ?? []).map((e) => e.addresses[0]), (ports ?? []).map((p) => p.port)]);

test("Endpoints written by hand for a Service without a selector are mirrored through create, update and delete", async (t) => {
  await world.client.create(services, { metadata: { name: "custom", namespace: "default" }, spec: { ports: [{ name: "example", port: 80, protocol: "TCP" }] } });
  const made = await world.client.create(endpoints, { metadata: { name: "custom", namespace: "default" }, subsets: [{ addresses: [{ ip: "10.1.2.3" }], ports: [{ name: "example", port: 80, protocol: "TCP" }] }] });
  const is = (what: string, wanted: unknown[]): Promise<unknown> => world.until(what, async () => (JSON.stringify(await shown("custom")) === JSON.stringify(wanted) ? true : undefined));
  await is("the slice", [["IPv4", ["10.1.2.3"], [80]]]);
  const [slice] = await slicesOf("custom");
  t.is(slice!.metadata.labels!["endpointslice.kubernetes.io/managed-by"], "endpointslicemirroring-controller.k8s.io");
  await world.client.update(endpoints, { ...made, subsets: [{ addresses: [{ ip: "10.2.3.4" }], ports: [{ name: "example", port: 9090, protocol: "TCP" }] }] });
  await is("the changed slice", [["IPv4", ["10.2.3.4"], [9_090]]]);
  t.is((await slicesOf("custom"))[0]!.metadata.uid, slice!.metadata.uid, "the same slice");
  await world.client.delete(endpoints, { name: "custom", namespace: "default" });
  await is("no slice", []);
});

test("mirrored slices go when the Service gets a selector", async (t) => {
  const service = await world.client.create(services, { metadata: { name: "chosen", namespace: "default" }, spec: { ports: [{ port: 80 }] } });
  await world.client.create(endpoints, { metadata: { name: "chosen", namespace: "default" }, subsets: [{ addresses: [{ ip: "10.1.2.3" }], ports: [{ port: 80 }] }] });
  const managers = async (): Promise<(string | undefined)[]> => (await slicesOf("chosen")).map((slice) => slice.metadata.labels!["endpointslice.kubernetes.io/managed-by"]);
  await world.until("the mirrored slice", async () => ((await managers()).includes("endpointslicemirroring-controller.k8s.io") ? true : undefined));
  await world.client.patch(services, service.metadata, "merge", { spec: { selector: { app: "chosen" } } });
  await world.until("slices of pods alone", async () => ((await managers()).join() === "endpointslice-controller.k8s.io" ? true : undefined));
  t.pass();
});
