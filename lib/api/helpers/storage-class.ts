/** Which storage class a claim names. Counterpart: component-helpers `storage/volume` GetPersistentVolumeClaimClass. */
import type { PersistentVolumeClaim } from "../schema/generated/models.ts";

/** Older than the field, and it wins where both are there. */
export const STORAGE_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";

/** "" when it names none. */
export const claimClass = ({ metadata, spec }: PersistentVolumeClaim): string => metadata.annotations?.[STORAGE_CLASS_ANNOTATION] ?? spec?.storageClassName ?? "";
