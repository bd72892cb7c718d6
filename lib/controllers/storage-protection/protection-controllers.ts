/**
 * Protection of what is in use: claims of pods, volumes of claims, classes of volume attributes. Each of them carries a finalizer, which is
 * taken off once it is being deleted and nobody uses it any more.
 *
 * Promises: before a finalizer goes, users are asked for live; one that somebody took off an object in use is put back.
 * Counterpart: kubernetes `pkg/controller/volume/pvcprotection`, `pvprotection`, `vacprotection`.
 */
import type { ResourceReference } from "../../api/reference.ts";
import { persistentvolumeclaims, persistentvolumes, pods, volumeattributesclasses } from "../../api/schema/generated/references.ts";
import type { PersistentVolume, PersistentVolumeClaim, Pod, VolumeAttributesClass } from "../../api/schema/generated/models.ts";
import { hasReason } from "../../api/status-error.ts";
import type { HasMeta } from "../../client/client.ts";
import { Controller } from "../../runtime/controller.ts";
import type { Informer } from "../../runtime/informer.ts";
import { keyOf } from "../../runtime/object-key.ts";
import type { Runnable } from "../../util/runnable.ts";
import type { ControllerContext } from "../shared/context.ts";
import { CLAIM_FINALIZER, CLASS_FINALIZER, claimsOf, classesOfClaim, classesOfVolume, isBound, usesClaim, VOLUME_FINALIZER } from "./in-use.ts";

const CLAIM_INDEX = "claimsOfPod", CLASS_INDEX = "volumeAttributesClass";

interface Protection<T extends HasMeta> {
  readonly name: string;
  readonly resource: ResourceReference<T>;
  readonly finalizer: string;
  /** More informers that `isInUse` reads. */
  readonly users: readonly Informer<HasMeta>[];
  readonly isInUse: (object: T, signal: AbortSignal) => Promise<boolean> | boolean;
}

function createProtection<T extends HasMeta>(context: ControllerContext, { name, resource, finalizer, users, isInUse }: Protection<T>): Controller {
  const { client, log } = context, informer = context.informers.get(resource);
  const write = async (object: T, finalizers: string[], signal: AbortSignal): Promise<void> => {
    try { await client.update(resource, { ...object, metadata: { ...object.metadata, finalizers } }, {}, signal); }
    catch (error) { if (!hasReason(error, "NotFound")) throw error; }
  };
  const reconcile = async (key: string, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> => {
    const object = informer.get(key), finalizers = object?.metadata.finalizers ?? [], has = finalizers.includes(finalizer);
    if (object === undefined) return {};
    if (object.metadata.deletionTimestamp === undefined) {
      if (!has) await write(object, [...finalizers, finalizer], signal);
    } else if (has && !(await isInUse(object, signal))) {
      await write(object, finalizers.filter((each) => each !== finalizer), signal);
      log.info({ [resource.kind]: key }, "protection taken off, nobody uses it");
    }
    return {};
  };
  const controller = new Controller(context, { name, workers: 1, waitFor: [informer, ...users], reconcile });
  informer.onChange(({ type, object }) => { if (type !== "deleted") controller.queue.add(keyOf(object)); });
  return controller;
}

/** Claims wait for the pods that use them. */
export function createClaimProtection(context: ControllerContext): Runnable {
  const users: Informer<Pod> = context.informers.get(pods, { indexes: { [CLAIM_INDEX]: claimsOf } });
  const controller = createProtection<PersistentVolumeClaim>(context, {
    name: "persistentvolumeclaim-protection-controller", resource: persistentvolumeclaims, finalizer: CLAIM_FINALIZER, users: [users as unknown as Informer<HasMeta>],
    isInUse: async (claim, signal) => users.byIndex(CLAIM_INDEX, keyOf(claim)).some((pod) => usesClaim(pod, claim))
      || (await context.client.list(pods, { namespace: claim.metadata.namespace! }, signal)).items.some((pod) => usesClaim(pod, claim)),
  });
  // A pod that goes, ends or is replaced by another of its name may have been the last.
  users.onChange((change) => {
    for (const key of new Set([...claimsOf(change.object), ...(change.type === "updated" ? claimsOf(change.old) : [])])) controller.queue.add(key);
  });
  return controller;
}

/** Volumes wait for the claim they are bound to. */
export const createVolumeProtection = (context: ControllerContext): Runnable => createProtection<PersistentVolume>(context, {
  name: "persistentvolume-protection-controller", resource: persistentvolumes, finalizer: VOLUME_FINALIZER, users: [], isInUse: isBound,
});

/** Classes of volume attributes wait for claims and volumes that have them. */
export function createClassProtection(context: ControllerContext): Runnable {
  const claims = context.informers.get(persistentvolumeclaims, { indexes: { [CLASS_INDEX]: classesOfClaim } }), volumes = context.informers.get(persistentvolumes, { indexes: { [CLASS_INDEX]: classesOfVolume } });
  const controller = createProtection<VolumeAttributesClass>(context, {
    name: "volumeattributesclass-protection-controller", resource: volumeattributesclasses, finalizer: CLASS_FINALIZER, users: [claims, volumes] as unknown as Informer<HasMeta>[],
    isInUse: async ({ metadata: { name } }, signal) => claims.byIndex(CLASS_INDEX, name).length > 0 || volumes.byIndex(CLASS_INDEX, name).length > 0
      || (await context.client.list(persistentvolumes, {}, signal)).items.some((volume) => classesOfVolume(volume).includes(name))
      || (await context.client.list(persistentvolumeclaims, {}, signal)).items.some((claim) => classesOfClaim(claim).includes(name)),
  });
  claims.onChange((change) => { for (const name of [...classesOfClaim(change.object), ...(change.type === "updated" ? classesOfClaim(change.old) : [])]) controller.queue.add(name); });
  volumes.onChange((change) => { for (const name of [...classesOfVolume(change.object), ...(change.type === "updated" ? classesOfVolume(change.old) : [])]) controller.queue.add(name); });
  return controller;
}
