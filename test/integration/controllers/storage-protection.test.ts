/** Claims, volumes and classes that are deleted: gone at once when nobody uses them, else when nobody does any more. */
import test from "ava";
import { persistentvolumeclaims, persistentvolumes, pods, serviceaccounts, volumeattributesclasses } from "../../../lib/api/schema/generated/references.ts";
import { World } from "./world.ts";

let world: World;
test.before(async () => { world = await World.start(); });
test.after.always(() => world.stop());

const SIZE = { requests: { storage: "1Gi" } };
const makeClaim = (name: string, more: object = {}): Promise<unknown> => world.client.create(persistentvolumeclaims, { metadata: { name, namespace: "default" }, spec: { accessModes: ["ReadWriteOnce"], resources: SIZE, storageClassName: "", ...more } });

test("a claim, a volume and a class that nobody uses go when they are deleted", async (t) => {
  await makeClaim("unused");
  await world.client.create(persistentvolumes, { metadata: { name: "unused" }, spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], csi: { driver: "d", volumeHandle: "h" }, persistentVolumeReclaimPolicy: "Retain" } });
  await world.client.create(volumeattributesclasses, { metadata: { name: "unused" }, driverName: "d", parameters: { a: "b" } });
  for (const [resource, finalizer] of [[persistentvolumeclaims, "pvc"], [persistentvolumes, "pv"], [volumeattributesclasses, "vac"]] as const) {
    const object = await world.client.get<{ metadata: { finalizers?: string[] | undefined } }>(resource as never, { name: "unused", ...(resource.namespaced ? { namespace: "default" } : {}) });
    t.deepEqual(object.metadata.finalizers, [`kubernetes.io/${finalizer}-protection`]);
    await world.client.delete(resource as never, { name: "unused", ...(resource.namespaced ? { namespace: "default" } : {}) });
    await world.until(`the ${resource.kind} being gone`, async () => (await world.get(resource as never, "unused")) === undefined);
  }
});

test("a claim stays until the last pod that uses it is gone", async (t) => {
  await makeClaim("used");
  await world.until("the account of pods", () => world.get(serviceaccounts, "default"));
  await world.client.create(pods, { metadata: { name: "user", namespace: "default" }, spec: { nodeName: "n1", containers: [{ name: "c", image: "i" }], volumes: [{ name: "v", persistentVolumeClaim: { claimName: "used" } }] } });
  await world.client.delete(persistentvolumeclaims, { name: "used", namespace: "default" });
  await makeClaim("after");
  await world.client.delete(persistentvolumeclaims, { name: "after", namespace: "default" });
  await world.until("a claim deleted later being gone", async () => (await world.get(persistentvolumeclaims, "after")) === undefined);
  t.deepEqual((await world.get(persistentvolumeclaims, "used"))!.metadata.finalizers, ["kubernetes.io/pvc-protection"]);
  await world.client.delete(pods, { name: "user", namespace: "default" }, { gracePeriodSeconds: 0 });
  await world.until("the claim being gone", async () => (await world.get(persistentvolumeclaims, "used")) === undefined);
});

test("a finalizer that somebody took off an object at work is put back", async (t) => {
  await makeClaim("bare");
  await world.client.patch(persistentvolumeclaims, { name: "bare", namespace: "default" }, "merge", { metadata: { finalizers: null } });
  t.deepEqual((await world.until("the finalizer", async () => { const found = await world.get(persistentvolumeclaims, "bare"); return (found?.metadata.finalizers ?? []).length > 0 ? found : undefined; }))!.metadata.finalizers, ["kubernetes.io/pvc-protection"]);
});
