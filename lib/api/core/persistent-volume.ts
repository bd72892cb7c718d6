/** PersistentVolume. Counterpart: kubernetes pkg/registry/core. */
import { defineResource } from "../define-resource.ts";
import type { PersistentVolume } from "../schema/generated/models.ts";
import { persistentvolumes } from "../schema/generated/references.ts";

export const persistentVolumeDefinition = defineResource<PersistentVolume>({
  reference: persistentvolumes,
  shortNames: ["pv"],
  notRunYet: true,
});
