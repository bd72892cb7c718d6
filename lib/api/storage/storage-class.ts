/** StorageClass: how volumes of a kind are made. Counterpart: kubernetes `registry/storage/storageclass`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { duplicate, forbiddenField, required, type FieldError } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { StorageClass, TopologySelectorLabelRequirement, TopologySelectorTerm } from "../schema/generated/models.ts";
import { storageclasses } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { checkImmutable, checkLabelKey, checkOneOf, checkOptionalOneOf, type Errors } from "../validation/checks.ts";
import { PARAMETERS, checkParameters, checkProvisioner } from "./storage-validation.ts";

const DEFAULT_ANNOTATIONS = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
const PROVISIONER = FieldPath.of("provisioner"), RECLAIM_POLICY = FieldPath.of("reclaimPolicy"), BINDING_MODE = FieldPath.of("volumeBindingMode"), TOPOLOGIES = FieldPath.of("allowedTopologies");

function checkRequirement(errors: Errors, path: FieldPath, requirement: TopologySelectorLabelRequirement): void {
  const values = requirement.values ?? [], seen = new Set<string>();
  if (values.length === 0) errors.push(required(path.child("values")));
  values.forEach((value, i) => {
    if (seen.has(value)) errors.push(duplicate(path.child("values").index(i), value));
    seen.add(value);
  });
  checkLabelKey(errors, path.child("key"), requirement.key ?? "");
}

function checkTopologies(errors: Errors, terms: readonly TopologySelectorTerm[]): void {
  const seen = new Set<string>();
  terms.forEach(({ matchLabelExpressions: requirements = [] }, i) => {
    const path = TOPOLOGIES.index(i).child("matchLabelExpressions"), keys = new Set<string>();
    requirements.forEach((requirement, j) => {
      checkRequirement(errors, path.index(j), requirement);
      if (keys.has(requirement.key)) errors.push(duplicate(path.index(j).child("key"), requirement.key));
      keys.add(requirement.key);
    });
    const text = requirements.map(({ key, values }) => JSON.stringify([key, (values ?? []).toSorted()])).sort().join();
    if (seen.has(text)) errors.push(duplicate(path, ""));
    seen.add(text);
  });
}

function validate(one: StorageClass): FieldError[] {
  const errors: FieldError[] = [];
  checkProvisioner(errors, PROVISIONER, one.provisioner);
  checkParameters(errors, one.parameters);
  checkOptionalOneOf(errors, RECLAIM_POLICY, one.reclaimPolicy, ["Delete", "Retain"]);
  checkOneOf(errors, BINDING_MODE, one.volumeBindingMode, ["Immediate", "WaitForFirstConsumer"]);
  checkTopologies(errors, one.allowedTopologies ?? []);
  return errors;
}

function validateUpdate(one: StorageClass, old: StorageClass): FieldError[] {
  const errors: FieldError[] = [];
  if (!semanticEqual(one.parameters ?? {}, old.parameters ?? {})) errors.push(forbiddenField(PARAMETERS, "updates to parameters are forbidden."));
  if (one.provisioner !== old.provisioner) errors.push(forbiddenField(PROVISIONER, "updates to provisioner are forbidden."));
  if (one.reclaimPolicy !== old.reclaimPolicy) errors.push(forbiddenField(RECLAIM_POLICY, "updates to reclaimPolicy are forbidden."));
  checkImmutable(errors, BINDING_MODE, one.volumeBindingMode, old.volumeBindingMode);
  return errors;
}

const isDefault = ({ metadata }: StorageClass): boolean => DEFAULT_ANNOTATIONS.some((key) => metadata.annotations?.[key] === "true");

export const storageClassDefinition = defineResource<StorageClass>({
  reference: storageclasses,
  shortNames: ["sc"],
  notRunYet: true,
  defaults: (one) => {
    one.reclaimPolicy ??= "Delete";
    one.volumeBindingMode ??= "Immediate";
  },
  validate,
  validateUpdate,
  columns: [
    { ...nameColumn, cell: (one: StorageClass) => `${one.metadata.name}${isDefault(one) ? " (default)" : ""}` },
    column("Provisioner", ({ provisioner }) => provisioner ?? "", { description: "Who makes the volumes." }),
    column("ReclaimPolicy", ({ reclaimPolicy }) => reclaimPolicy ?? "Delete", { description: "What becomes of a volume that is let go." }),
    column("VolumeBindingMode", ({ volumeBindingMode }) => volumeBindingMode ?? "Immediate", { description: "Whether a volume is made at once or when a pod needs it." }),
    column("AllowVolumeExpansion", ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false, { description: "Whether volumes may grow." }),
    ageColumn,
  ],
});
