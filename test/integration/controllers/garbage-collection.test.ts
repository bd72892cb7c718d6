/** What goes with what: kubernetes `test/e2e/apimachinery/garbage_collector.go` and `test/integration/garbagecollector` re-told on the real server and controllers. */
import test from "ava";
import { configmaps, deployments, pods, replicasets, replicationcontrollers } from "../../../lib/api/schema/generated/references.ts";
import type { ConfigMap, OwnerReference, Pod } from "../../../lib/api/schema/generated/models.ts";
import { World } from "./world.ts";

let world: World;
test.before(async () => { world = await World.start(["--controllers=*"]); });
test.after.always(async () => { await world.stop(); });

const container = { name: "web", image: "nginx:1" };
const controller = (name: string, replicas: number): Promise<unknown> => world.client.create(replicationcontrollers, {
  metadata: { name, namespace: "default" }, spec: { replicas, selector: { app: name }, template: { metadata: { name: "", labels: { app: name } }, spec: { containers: [container] } } },
});
const own = (kind: string, apiVersion: string, { name, uid }: { name: string; uid?: string | undefined }, rest: Partial<OwnerReference> = {}): OwnerReference => ({ apiVersion, kind, name, uid: uid!, ...rest });
const gone = (read: () => Promise<unknown>): Promise<true> => world.until("the object to be gone", async () => (await read()) === undefined && true);
const map = (name: string, owners: OwnerReference[] = [], rest: object = {}): Promise<ConfigMap> => world.client.create(configmaps, { metadata: { name, namespace: "default", ...(owners.length === 0 ? {} : { ownerReferences: owners }), ...rest } });
const running = (app: string, count: number): Promise<Pod[]> => world.until(`${count} pods of ${app}`, async () => { const found = await world.list(pods, `app=${app}`); return found.length === count && found; });

test("pods of a replication controller go with it in the background, stay as orphans, and go before it in the foreground", async (t) => {
  for (const [name, propagationPolicy] of [["rc-background", "Background"], ["rc-orphan", "Orphan"], ["rc-foreground", "Foreground"]] as const) {
    await controller(name, 3);
    await running(name, 3);
    const key = { namespace: "default", name }, { metadata } = (await world.get(replicationcontrollers, name))!;
    await world.client.delete(replicationcontrollers, key, { propagationPolicy, preconditions: { uid: metadata.uid! } });
    if (propagationPolicy === "Foreground") {
      const waiting = await world.get(replicationcontrollers, name);
      if (waiting !== undefined) t.deepEqual([waiting.metadata.finalizers, waiting.metadata.deletionTimestamp !== undefined], [["foregroundDeletion"], true]);
    }
    await gone(() => world.get(replicationcontrollers, name));
    const left = propagationPolicy === "Orphan" ? await running(name, 3) : await running(name, 0);
    t.true(left.every((pod) => pod.metadata.ownerReferences === undefined));
  }
});

test("a replica set that loses its Deployment as an orphan keeps its pods", async (t) => {
  await world.deployment("orphaned", 2);
  await running("orphaned", 2);
  await world.client.delete(deployments, { namespace: "default", name: "orphaned" }, { propagationPolicy: "Orphan" });
  await gone(() => world.get(deployments, "orphaned"));
  const [set, ...more] = await world.list(replicasets, "app=orphaned");
  t.deepEqual([more, set!.metadata.ownerReferences, (await running("orphaned", 2)).length], [[], undefined, 2]);
});

test("a dependent of two owners stays while one of them does, though the other waits for its dependents", async (t) => {
  await controller("to-stay", 0);
  await controller("to-go", 4);
  const made = await running("to-go", 4), stay = (await world.get(replicationcontrollers, "to-stay"))!.metadata;
  const shared = made.slice(0, 2).map(({ metadata }) => metadata.name);
  for (const name of shared) await world.client.patch(pods, { namespace: "default", name }, "strategic", { metadata: { ownerReferences: [own("ReplicationController", "v1", stay)] } });
  await world.client.delete(replicationcontrollers, { namespace: "default", name: "to-go" }, { propagationPolicy: "Foreground" });
  await gone(() => world.get(replicationcontrollers, "to-go"));
  const left = await running("to-go", 2);
  t.deepEqual(left.map(({ metadata }) => metadata.name).toSorted(), shared.toSorted());
  t.deepEqual(left.map(({ metadata }) => metadata.ownerReferences!.map(({ name }) => name)), [["to-stay"], ["to-stay"]]);
});

test("a circle of dependents does not hold up their deletion", async (t) => {
  const names = ["circle-1", "circle-2", "circle-3"], made: ConfigMap[] = [];
  for (const name of names) made.push(await map(name));
  for (const [i, name] of names.entries()) await world.client.patch(configmaps, { namespace: "default", name }, "merge", { metadata: { ownerReferences: [own("ConfigMap", "v1", made[(i + 2) % 3]!.metadata, { controller: true, blockOwnerDeletion: true })] } });
  await world.client.delete(configmaps, { namespace: "default", name: "circle-1" }, { propagationPolicy: "Foreground" });
  for (const name of names) await gone(() => world.get(configmaps, name));
  t.pass();
});

test("only a dependent that blocks holds up its owner's deletion in the foreground", async (t) => {
  const owner = await map("blocked-owner");
  await map("blocker", [own("ConfigMap", "v1", owner.metadata, { blockOwnerDeletion: true })], { finalizers: ["example.com/held"] });
  await map("bystander", [own("ConfigMap", "v1", owner.metadata)], { finalizers: ["example.com/held"] });
  await world.client.delete(configmaps, { namespace: "default", name: "blocked-owner" }, { propagationPolicy: "Foreground" });
  await world.until("the blocker to be deleted", async () => (await world.get(configmaps, "blocker"))?.metadata.deletionTimestamp !== undefined);
  t.deepEqual((await world.get(configmaps, "blocked-owner"))?.metadata.finalizers, ["foregroundDeletion"]);
  await world.client.patch(configmaps, { namespace: "default", name: "blocker" }, "merge", { metadata: { finalizers: null } });
  await gone(() => world.get(configmaps, "blocked-owner"));
  await world.until("the bystander to be deleted", async () => (await world.get(configmaps, "bystander"))?.metadata.deletionTimestamp !== undefined);
  await world.client.patch(configmaps, { namespace: "default", name: "bystander" }, "merge", { metadata: { finalizers: null } });
  await gone(() => world.get(configmaps, "bystander"));
});

test("an owner of another name, kind or namespace is none: its uid alone does not count", async (t) => {
  const owner = await map("real-owner");
  for (const [name, reference] of [["other-kind", own("Secret", "v1", owner.metadata)], ["other-name", own("ConfigMap", "v1", { name: "no-such", uid: owner.metadata.uid })], ["other-uid", own("ConfigMap", "v1", { name: "real-owner", uid: "00000000-0000-0000-0000-000000000000" })]] as const) {
    await map(name, [reference]);
    await gone(() => world.get(configmaps, name));
  }
  await map("unknown-kind", [own("Nothing", "example.com/v1", { name: "x", uid: "1" })]);
  await map("true-dependent", [own("ConfigMap", "v1", owner.metadata)]);
  await map("later", [own("ConfigMap", "v1", { name: "real-owner", uid: "00000000-0000-0000-0000-000000000001" })]);
  await gone(() => world.get(configmaps, "later")); // By then the two before it were looked at.
  t.truthy(await world.get(configmaps, "true-dependent"));
  t.truthy(await world.get(configmaps, "unknown-kind"), "whose owner's kind is unknown is left alone");
});
