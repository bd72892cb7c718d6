/**
 * Metadata, the same for every kind. The server checks it before a definition's own `validate…` hook.
 * Counterpart: apimachinery `api/validation` objectmeta.go, with the core group's rule for short finalizer names.
 */
import { forbiddenField, invalid, notSupported, required, tooLong, type FieldError } from "../field-error.ts";
import { METADATA, type FieldPath } from "../field-path.ts";
import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from "../schema/generated/models.ts";
import { checkImmutable, checkNonNegative, type Errors } from "./checks.ts";
import { checkLabels } from "./labels.ts";
import { byteLength, isLabelKey, nameIsDnsLabel, type NameValidator } from "./names.ts";

export const ANNOTATIONS_BYTES_MAX = 256 * 1024;
const FIELD_MANAGER_MAX = 128;
const SUBRESOURCE_MAX = 256;
const STANDARD_FINALIZERS = new Set(["kubernetes", "orphan", "foregroundDeletion"]);

export interface ObjectMetaRules { readonly namespaced: boolean; readonly validateName: NameValidator }

/** Metadata of an object about to be created; its name was generated before. */
export function validateObjectMeta(meta: ObjectMeta, rules: ObjectMetaRules, path: FieldPath = METADATA): FieldError[] {
  const errors: Errors = [];
  const { generateName, name, namespace } = meta;
  if (generateName !== undefined && generateName !== "") for (const fault of rules.validateName(generateName, true)) errors.push(invalid(path.child("generateName"), generateName, fault));
  if (name === undefined || name === "") errors.push(required(path.child("name"), "name or generateName is required"));
  else for (const fault of rules.validateName(name, false)) errors.push(invalid(path.child("name"), name, fault));
  const hasNamespace = namespace !== undefined && namespace !== "";
  if (!rules.namespaced) {
    if (hasNamespace) errors.push(forbiddenField(path.child("namespace"), "not allowed on this type"));
  } else if (!hasNamespace) errors.push(required(path.child("namespace")));
  else for (const fault of nameIsDnsLabel(namespace, false)) errors.push(invalid(path.child("namespace"), namespace, fault));
  checkNonNegative(errors, path.child("generation"), meta.generation);
  checkCommon(errors, meta, path);
  return errors;
}

/** Metadata of an update. The server has settled resourceVersion before (an unconditional update takes the stored one). */
export function validateObjectMetaUpdate(meta: ObjectMeta, old: ObjectMeta, path: FieldPath = METADATA): FieldError[] {
  const errors: Errors = [];
  if (old.deletionTimestamp !== undefined) {
    const added = [...new Set(meta.finalizers)].filter((f) => old.finalizers?.includes(f) !== true).sort();
    if (added.length > 0) errors.push(forbiddenField(path.child("finalizers"), `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((f) => JSON.stringify(f)).join(", ")}}`));
  }
  if (meta.resourceVersion === undefined || meta.resourceVersion === "") errors.push(invalid(path.child("resourceVersion"), "", "must be specified for an update"));
  checkNonNegative(errors, path.child("generation"), meta.generation);
  if ((meta.generation ?? 0) < (old.generation ?? 0)) errors.push(invalid(path.child("generation"), meta.generation ?? 0, "must not be decremented"));
  for (const field of ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] as const) {
    if (meta[field] !== old[field]) checkImmutable(errors, path.child(field), meta[field], old[field]);
  }
  checkCommon(errors, meta, path);
  return errors;
}

function checkCommon(errors: Errors, meta: ObjectMeta, path: FieldPath): void {
  if (meta.labels !== undefined) checkLabels(errors, path.child("labels"), meta.labels);
  if (meta.annotations !== undefined) checkAnnotations(errors, path.child("annotations"), meta.annotations);
  if (meta.ownerReferences !== undefined) checkOwnerReferences(errors, path.child("ownerReferences"), meta.ownerReferences);
  if (meta.finalizers !== undefined) checkFinalizers(errors, path.child("finalizers"), meta.finalizers);
  if (meta.managedFields !== undefined) checkManagedFields(errors, path.child("managedFields"), meta.managedFields);
}

/** Keys are label keys but for case; keys and values together at most 256 KiB. */
export function checkAnnotations(errors: Errors, path: FieldPath, annotations: Readonly<Record<string, string>> | undefined): void {
  if (annotations === undefined) return;
  let characters = 0;
  for (const key in annotations) {
    for (const fault of isLabelKey(key.toLowerCase())) errors.push(invalid(path, key, fault));
    characters += key.length + annotations[key]!.length;
  }
  // A character is one to three bytes, so the exact count is only needed near the limit.
  if (characters * 3 <= ANNOTATIONS_BYTES_MAX) return;
  const bytes = Object.entries(annotations).reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(value), 0);
  if (bytes > ANNOTATIONS_BYTES_MAX) errors.push(tooLong(path, ANNOTATIONS_BYTES_MAX));
}

function checkOwnerReferences(errors: Errors, path: FieldPath, references: readonly OwnerReference[]): void {
  let controller = "";
  references.forEach((reference, i) => {
    checkOwnerReference(errors, path.index(i), reference);
    if (reference.controller !== true) return;
    const name = `${reference.kind}/${reference.name}`;
    if (controller === "") controller = name;
    else errors.push(invalid(path, references, `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`));
  });
}

function checkOwnerReference(errors: Errors, path: FieldPath, reference: OwnerReference): void {
  const parts = (reference.apiVersion ?? "").split("/");
  if (parts[0] === "" && parts.length === 1) errors.push(required(path.child("apiVersion"), "must not be empty"));
  else if (parts.length > 2 || parts.at(-1) === "") errors.push(invalid(path.child("apiVersion"), reference.apiVersion, "must be <group>/<version> or <version>"));
  for (const field of ["kind", "name", "uid"] as const) if ((reference[field] ?? "") === "") errors.push(required(path.child(field), "must not be empty"));
  if (reference.apiVersion === "v1" && reference.kind === "Event") errors.push(invalid(path, reference, "/v1, Kind=Event is disallowed from being an owner"));
}

/** Also of a Namespace's spec: `qualified` names, or one of the few short ones that are upstream's own. */
export function checkFinalizerName(errors: Errors, path: FieldPath, indexed: FieldPath, finalizer: string): void {
  for (const fault of isLabelKey(finalizer)) errors.push(invalid(path, finalizer, fault));
  if (!finalizer.includes("/") && !STANDARD_FINALIZERS.has(finalizer)) errors.push(invalid(indexed, finalizer, "name is neither a standard finalizer name nor is it fully qualified"));
}

function checkFinalizers(errors: Errors, path: FieldPath, finalizers: readonly string[]): void {
  finalizers.forEach((finalizer, i) => checkFinalizerName(errors, path, path.index(i), finalizer));
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")) errors.push(invalid(path, finalizers, "finalizer orphan and foregroundDeletion cannot be both set"));
}

/** At most 128 bytes, printable. */
export function checkFieldManager(errors: Errors, path: FieldPath, manager: string): void {
  if (byteLength(manager) > FIELD_MANAGER_MAX) errors.push(tooLong(path, FIELD_MANAGER_MAX));
  const unprintable = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.exec(manager);
  if (unprintable === null) return;
  const code = unprintable[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
  errors.push(invalid(path, manager, `invalid character U+${code} (at position ${byteLength(manager.slice(0, unprintable.index))})`));
}

function checkManagedFields(errors: Errors, path: FieldPath, entries: readonly ManagedFieldsEntry[]): void {
  entries.forEach((entry, i) => {
    if ((entry.operation ?? "") === "") errors.push(required(path.index(i).child("operation"), "must not be empty"));
    else if (entry.operation !== "Apply" && entry.operation !== "Update") errors.push(notSupported(path.index(i).child("operation"), entry.operation, ["Apply", "Update"]));
    if ((entry.fieldsType ?? "") !== "" && entry.fieldsType !== "FieldsV1") errors.push(invalid(path.index(i).child("fieldsType"), entry.fieldsType, "must be `FieldsV1`"));
    if (entry.manager !== undefined) checkFieldManager(errors, path.index(i).child("manager"), entry.manager);
    if (byteLength(entry.subresource ?? "") > SUBRESOURCE_MAX) errors.push(tooLong(path.index(i).child("subresource"), SUBRESOURCE_MAX));
  });
}

const TEMPLATE_FIELDS = new Set(["annotations", "labels"]);
/** Metadata of an embedded template of which only labels and annotations are used. */
export function checkTemplateObjectMeta(errors: Errors, path: FieldPath, meta: ObjectMeta | undefined): void {
  if (meta === undefined) return;
  checkAnnotations(errors, path.child("annotations"), meta.annotations);
  checkLabels(errors, path.child("labels"), meta.labels);
  for (const [name, value] of Object.entries(meta)) if (!TEMPLATE_FIELDS.has(name) && value !== undefined && value !== null && value !== "") errors.push(forbiddenField(path.child(name), "cannot be set"));
}
