/** PersistentVolume: storage that outlives pods. Counterpart: kubernetes `registry/core/persistentvolume`. */
import { toTimestamp } from "../helpers/timestamps.ts";
import { STORAGE_CLASS_ANNOTATION } from "../helpers/storage-class.ts";
import { ageColumn, column, nameColumn, orUnset } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { canonicalQuantity } from "../quantity.ts";
import type { PersistentVolume, Volume } from "../schema/generated/models.ts";
import { persistentvolumes } from "../schema/generated/references.ts";
import { collect } from "../validation/collect.ts";
import { formatAccessModes } from "./persistent-volume-claim.ts";
import { checkVolumeSpec, checkVolumeUpdate } from "./persistent-volume-validation.ts";
import { defaultNetworkVolume } from "./pod-spec-defaults.ts";

function defaults(volume: PersistentVolume): void {
  const spec = (volume.spec ??= {});
  (volume.status ??= {}).phase ||= "Pending";
  spec.persistentVolumeReclaimPolicy ||= "Retain";
  spec.volumeMode ??= "Filesystem";
  if (spec.hostPath !== undefined) spec.hostPath.type ??= "";
  if (spec.claimRef !== undefined && spec.claimRef.apiVersion === undefined) spec.claimRef.apiVersion = "v1";
  if (spec.claimRef !== undefined && spec.claimRef.kind === undefined) spec.claimRef.kind = "PersistentVolumeClaim";
  defaultNetworkVolume(spec as unknown as Volume);
}

export const persistentVolumeDefinition = defineResource<PersistentVolume>({
  reference: persistentvolumes,
  shortNames: ["pv"],
  notRunYet: true,
  defaults,
  prepareForCreate: (volume, { now }) => void (volume.status = { phase: "Pending", lastPhaseTransitionTime: toTimestamp(now) }),
  prepareForUpdate: (volume, old) => void (volume.status = old.status),
  prepareForStatusUpdate: (volume, old, { now }) => {
    volume.spec = old.spec;
    const status = (volume.status ??= {});
    if (status.phase !== old.status?.phase && (status.lastPhaseTransitionTime === undefined || status.lastPhaseTransitionTime === old.status?.lastPhaseTransitionTime)) status.lastPhaseTransitionTime = toTimestamp(now);
    else status.lastPhaseTransitionTime ??= old.status?.lastPhaseTransitionTime;
  },
  validate: (volume) => collect((errors) => checkVolumeSpec(errors, volume)),
  validateUpdate: (volume, old) => collect((errors) => {
    checkVolumeSpec(errors, volume);
    checkVolumeUpdate(errors, volume, old);
  }),
  validateStatusUpdate: () => [],
  warnings: ({ spec, metadata }) => [
    ...(metadata.annotations?.[STORAGE_CLASS_ANNOTATION] === undefined ? [] : [`metadata.annotations[${STORAGE_CLASS_ANNOTATION}]: deprecated since v1.8; use "storageClassName" attribute instead`]),
    ...(spec?.persistentVolumeReclaimPolicy === "Recycle" ? ["spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning."] : []),
  ],
  columns: [
    nameColumn,
    column("Capacity", ({ spec }) => canonicalQuantity(spec?.capacity?.["storage"] ?? "0"), { description: "The size of the volume." }),
    column("Access Modes", ({ spec }) => formatAccessModes(spec?.accessModes), { description: "How the volume may be mounted." }),
    column("Reclaim Policy", ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? "", { description: "What becomes of it when its claim goes." }),
    column("Status", ({ metadata, status }) => (metadata.deletionTimestamp === undefined ? (status?.phase ?? "") : "Terminating"), { description: "Whether it is claimed." }),
    column("Claim", ({ spec }) => (spec?.claimRef === undefined ? "" : `${spec.claimRef.namespace ?? ""}/${spec.claimRef.name ?? ""}`), { description: "The claim it is bound to." }),
    column("StorageClass", ({ spec, metadata }) => metadata.annotations?.[STORAGE_CLASS_ANNOTATION] ?? spec?.storageClassName ?? "", { description: "StorageClass of the pv" }),
    column("VolumeAttributesClass", ({ spec }) => orUnset(spec?.volumeAttributesClassName), { description: "VolumeAttributesClass of the pv" }),
    column("Reason", ({ status }) => status?.reason ?? "", { description: "Why it is in that state." }),
    ageColumn,
    column("VolumeMode", ({ spec }) => orUnset(spec?.volumeMode), { wide: true, description: "A file system or a block device." }),
  ],
  selectableFields: ({ metadata }) => ({ name: metadata.name ?? "" }),
});
