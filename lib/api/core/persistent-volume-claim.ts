/** PersistentVolumeClaim. Counterpart: kubernetes pkg/registry/core. */
import { defineResource } from "../define-resource.ts";
import type { PersistentVolumeClaim } from "../schema/generated/models.ts";
import { persistentvolumeclaims } from "../schema/generated/references.ts";

export const persistentVolumeClaimDefinition = defineResource<PersistentVolumeClaim>({
  reference: persistentvolumeclaims,
  shortNames: ["pvc"],
  notRunYet: true,
});
