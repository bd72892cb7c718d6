/** PersistentVolumeClaim: a pod's wish for storage. Counterpart: kubernetes `registry/core/persistentvolumeclaim`. */
import { STORAGE_CLASS_ANNOTATION } from "../helpers/storage-class.ts";
import { ageColumn, column, nameColumn, orUnset } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { SPEC } from "../field-path.ts";
import { canonicalQuantity, milliValue } from "../quantity.ts";
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from "../schema/generated/models.ts";
import { persistentvolumeclaims } from "../schema/generated/references.ts";
import { collect } from "../validation/collect.ts";
import { checkClaimSpec, checkClaimStatus, checkClaimUpdate } from "./persistent-volume-claim-validation.ts";

const SHORT_MODES: Readonly<Record<string, string>> = { ReadWriteOnce: "RWO", ReadOnlyMany: "ROX", ReadWriteMany: "RWX", ReadWriteOncePod: "RWOP" };

/** `RWO,ROX`: in this order, each once. */
export function formatAccessModes(modes: readonly string[] | undefined): string {
  return Object.keys(SHORT_MODES).filter((mode) => modes?.includes(mode) === true).map((mode) => SHORT_MODES[mode]!).join(",");
}

/** The two ways of naming a source say the same. */
function syncDataSources(spec: PersistentVolumeClaimSpec): void {
  if (spec.dataSource !== undefined && spec.dataSourceRef === undefined) spec.dataSourceRef = { ...spec.dataSource };
  else if (spec.dataSourceRef !== undefined && spec.dataSource === undefined && (spec.dataSourceRef.namespace ?? "") === "") {
    const { apiGroup, kind, name } = spec.dataSourceRef;
    spec.dataSource = { apiGroup, kind, name };
  }
}

export const persistentVolumeClaimDefinition = defineResource<PersistentVolumeClaim>({
  reference: persistentvolumeclaims,
  shortNames: ["pvc"],
  notRunYet: true,
  defaults: (claim) => {
    (claim.spec ??= {}).volumeMode ??= "Filesystem";
    (claim.status ??= {}).phase ||= "Pending";
  },
  prepareForCreate: (claim) => {
    claim.status = { phase: "Pending" };
    syncDataSources((claim.spec ??= {}));
  },
  prepareForUpdate: (claim, old) => {
    claim.status = old.status;
    syncDataSources((claim.spec ??= {}));
  },
  prepareForStatusUpdate: (claim, old) => void (claim.spec = old.spec),
  validate: ({ spec }) => collect((errors) => checkClaimSpec(errors, SPEC, spec ?? {})),
  validateUpdate: (claim, old) => collect((errors) => {
    checkClaimSpec(errors, SPEC, claim.spec ?? {});
    checkClaimUpdate(errors, claim, old);
  }),
  validateStatusUpdate: (claim) => collect((errors) => checkClaimStatus(errors, claim)),
  warnings: ({ spec, metadata }) => {
    const storage = spec?.resources?.requests?.["storage"];
    return [
      ...(metadata.annotations?.[STORAGE_CLASS_ANNOTATION] === undefined ? [] : [`metadata.annotations[${STORAGE_CLASS_ANNOTATION}]: deprecated since v1.8; use "storageClassName" attribute instead`]),
      ...(storage === undefined || milliValue(storage) % 1000 === 0 ? [] : [`spec.resources.requests[storage]: fractional byte value ${JSON.stringify(storage)} is invalid, must be an integer`]),
    ];
  },
  columns: [
    nameColumn,
    column("Status", ({ metadata, status }) => (metadata.deletionTimestamp === undefined ? (status?.phase ?? "") : "Terminating"), { description: "Whether a volume was found." }),
    column("Volume", ({ spec }) => spec?.volumeName ?? "", { description: "The volume that was found." }),
    column("Capacity", ({ spec, status }) => ((spec?.volumeName ?? "") === "" ? "" : canonicalQuantity(status?.capacity?.["storage"] ?? "0")), { description: "The size of the volume." }),
    column("Access Modes", ({ spec, status }) => ((spec?.volumeName ?? "") === "" ? "" : formatAccessModes(status?.accessModes)), { description: "How the volume may be mounted." }),
    column("StorageClass", ({ spec, metadata }) => metadata.annotations?.[STORAGE_CLASS_ANNOTATION] ?? spec?.storageClassName ?? "", { description: "StorageClass of the pvc" }),
    column("VolumeAttributesClass", ({ spec }) => orUnset(spec?.volumeAttributesClassName), { description: "VolumeAttributesClass of the pvc" }),
    ageColumn,
    column("VolumeMode", ({ spec }) => orUnset(spec?.volumeMode), { wide: true, description: "A file system or a block device." }),
  ],
  selectableFields: ({ metadata }) => ({ name: metadata.name ?? "" }),
});
