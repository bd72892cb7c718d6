/** A claim's spec, also where it is embedded in a template. Counterpart: `ValidatePersistentVolumeClaimSpec` in kubernetes `apis/core/validation`. */
import { STORAGE_CLASS_ANNOTATION } from "../helpers/storage-class.ts";
import { forbiddenField, invalid, notSupported, required } from "../field-error.ts";
import { SPEC, STATUS, METADATA, FieldPath } from "../field-path.ts";
import { isNativeResource } from "../helpers/resource-names.ts";
import { compareQuantity, quantityValue } from "../quantity.ts";
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec, TypedLocalObjectReference, TypedObjectReference } from "../schema/generated/models.ts";
import { describeDifference, semanticEqual } from "../semantic-equal.ts";
import { checkDnsSubdomain, checkImmutable, checkName, checkOptionalOneOf, checkPositiveQuantity, IMMUTABLE, type Errors } from "../validation/checks.ts";
import { checkLabelSelector } from "../validation/labels.ts";
import { isLabelKey, nameIsDnsLabel } from "../validation/names.ts";

export const ACCESS_MODES: readonly string[] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
export const VOLUME_MODES: readonly string[] = ["Block", "Filesystem"];
const RESIZE_STATUSES = ["ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"].sort();

export function checkAccessModes(errors: Errors, path: FieldPath, modes: readonly string[]): void {
  for (const mode of modes) if (!ACCESS_MODES.includes(mode)) errors.push(notSupported(path, mode, ACCESS_MODES));
  if (modes.includes("ReadWriteOncePod") && modes.some((mode) => mode !== "ReadWriteOncePod" && ACCESS_MODES.includes(mode))) {
    errors.push(forbiddenField(path, "may not use ReadWriteOncePod with other access modes"));
  }
}

export function checkClaimSpec(errors: Errors, path: FieldPath, spec: PersistentVolumeClaimSpec): void {
  const { accessModes = [], dataSource, dataSourceRef } = spec;
  if (accessModes.length === 0) errors.push(required(path.child("accessModes"), "at least 1 access mode is required"));
  checkLabelSelector(errors, path.child("selector"), spec.selector);
  checkAccessModes(errors, path.child("accessModes"), accessModes);
  const storage = spec.resources?.requests?.["storage"], storagePath = path.child("resources").key("storage");
  if (storage === undefined) errors.push(required(storagePath));
  else checkPositiveQuantity(errors, storagePath, storage);
  if ((spec.storageClassName ?? "") !== "") checkDnsSubdomain(errors, path.child("storageClassName"), spec.storageClassName!);
  checkOptionalOneOf(errors, path.child("volumeMode"), spec.volumeMode, VOLUME_MODES);
  if (dataSource !== undefined) checkDataSource(errors, path.child("dataSource"), dataSource);
  if (dataSourceRef !== undefined) {
    checkDataSource(errors, path.child("dataSourceRef"), dataSourceRef);
    if ((dataSourceRef.namespace ?? "") !== "") checkName(errors, path.child("dataSourceRef", "namespace"), dataSourceRef.namespace!, nameIsDnsLabel);
  }
  if (dataSource !== undefined && dataSourceRef !== undefined) checkSourcesAgree(errors, path, dataSource, dataSourceRef);
  if ((spec.volumeAttributesClassName ?? "") !== "") checkDnsSubdomain(errors, path.child("volumeAttributesClassName"), spec.volumeAttributesClassName!);
}

function checkDataSource(errors: Errors, path: FieldPath, source: TypedLocalObjectReference | TypedObjectReference): void {
  const group = source.apiGroup ?? "";
  if ((source.name ?? "") === "") errors.push(required(path.child("name")));
  if ((source.kind ?? "") === "") errors.push(required(path.child("kind")));
  if (group === "" && source.kind !== "PersistentVolumeClaim") errors.push(invalid(path, source.kind ?? "", "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
  if (group !== "") checkDnsSubdomain(errors, path.child("apiGroup"), group);
}

function checkSourcesAgree(errors: Errors, path: FieldPath, source: TypedLocalObjectReference, reference: TypedObjectReference): void {
  if ((reference.namespace ?? "") !== "") errors.push(invalid(path, String(path.child("dataSource")), "may not be specified when dataSourceRef.namespace is specified"));
  else if ((source.apiGroup ?? "") !== (reference.apiGroup ?? "") || source.kind !== reference.kind || source.name !== reference.name) {
    errors.push(invalid(path, String(path.child("dataSource")), "must match dataSourceRef"));
  }
}

/** What may change: the volume's name once, the class once, and of a bound claim the size and the attributes class. */
export function checkClaimUpdate(errors: Errors, claim: PersistentVolumeClaim, old: PersistentVolumeClaim): void {
  const was = old.spec ?? {}, now = claim.spec ?? {};
  const compared = structuredClone(now), annotation = old.metadata.annotations?.[STORAGE_CLASS_ANNOTATION], newAnnotation = claim.metadata.annotations?.[STORAGE_CLASS_ANNOTATION];
  if ((was.volumeName ?? "") === "") compared.volumeName = was.volumeName;
  const isUpgrade = annotation !== undefined && was.storageClassName === undefined && now.storageClassName === annotation && (newAnnotation === undefined || newAnnotation === annotation);
  if (isUpgrade) compared.storageClassName = undefined;
  else {
    if ((annotation ?? "") !== (newAnnotation ?? "")) errors.push(invalid(METADATA.child("annotations", STORAGE_CLASS_ANNOTATION), newAnnotation ?? "", IMMUTABLE));
    if (now.storageClassName !== undefined && was.storageClassName === undefined && (annotation === undefined || annotation === now.storageClassName)) compared.storageClassName = was.storageClassName;
  }
  if (claim.status?.phase === "Bound") {
    if (compared.resources?.requests !== undefined) compared.resources.requests["storage"] = was.resources?.requests?.["storage"] ?? "0";
    if (compared.volumeAttributesClassName !== undefined) compared.volumeAttributesClassName = was.volumeAttributesClassName;
  }
  if (!semanticEqual(compared, was)) {
    errors.push(forbiddenField(SPEC, `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${describeDifference(was, compared, "spec")}`));
  }
  checkSizeUpdate(errors, claim, old);
  checkImmutable(errors, FieldPath.of("volumeMode"), now.volumeMode, was.volumeMode);
  if (was.volumeAttributesClassName === undefined || was.volumeAttributesClassName === now.volumeAttributesClassName) return;
  if (now.volumeAttributesClassName === undefined) errors.push(forbiddenField(SPEC.child("volumeAttributesClassName"), "update from non-nil value to nil is forbidden"));
  else if (now.volumeAttributesClassName === "") errors.push(forbiddenField(SPEC.child("volumeAttributesClassName"), "update from non-nil value to an empty string is forbidden"));
}

function checkSizeUpdate(errors: Errors, claim: PersistentVolumeClaim, old: PersistentVolumeClaim): void {
  const size = claim.spec?.resources?.requests?.["storage"] ?? "0", oldSize = old.spec?.resources?.requests?.["storage"] ?? "0";
  if (compareQuantity(size, oldSize) >= 0) return;
  if (compareQuantity(size, old.status?.capacity?.["storage"] ?? "0") <= 0) errors.push(forbiddenField(SPEC.child("resources", "requests", "storage"), "field can not be less than status.capacity"));
}

function checkClaimResourceName(errors: Errors, path: FieldPath, name: string): boolean {
  const before = errors.length;
  for (const fault of isLabelKey(name)) errors.push(invalid(path, name, fault));
  if (errors.length === before && isNativeResource(name) && name !== "storage") errors.push(notSupported(path, name, ["storage"]));
  return errors.length === before;
}

export function checkClaimStatus(errors: Errors, claim: PersistentVolumeClaim): void {
  const status = claim.status ?? {};
  if ((claim.spec?.accessModes ?? []).length === 0) errors.push(required(FieldPath.of("Spec", "accessModes")));
  for (const [name, amount] of Object.entries(status.capacity ?? {})) checkBasicQuantity(errors, STATUS.child("capacity").key(name), amount);
  for (const [name, value] of Object.entries(status.allocatedResourceStatuses ?? {})) {
    checkClaimResourceName(errors, STATUS.child("allocatedResourceStatus"), name);
    if (!RESIZE_STATUSES.includes(value)) errors.push(notSupported(STATUS.child("allocatedResourceStatus"), name, RESIZE_STATUSES));
  }
  for (const [name, amount] of Object.entries(status.allocatedResources ?? {})) {
    if (checkClaimResourceName(errors, STATUS.child("allocatedResources"), name)) checkBasicQuantity(errors, STATUS.child("allocatedResources").key(name), amount);
  }
}

export function checkBasicQuantity(errors: Errors, path: FieldPath, amount: string): void {
  if (compareQuantity(amount, "0") < 0) errors.push(invalid(path, quantityValue(amount), "must be a valid resource quantity"));
}
