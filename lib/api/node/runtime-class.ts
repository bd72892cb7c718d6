/** RuntimeClass: which of a node's runtimes pods run in. Counterpart: kubernetes `registry/node/runtimeclass`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { checkResourceRequirements } from "../core/resource-requirements-validation.ts";
import { checkTolerations } from "../core/scheduling-validation.ts";
import { defineResource } from "../define-resource.ts";
import { duplicate, type FieldError } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { RuntimeClass, Scheduling } from "../schema/generated/models.ts";
import { runtimeclasses } from "../schema/generated/references.ts";
import { checkImmutable, checkName, type Errors } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";
import { checkLabels } from "../validation/labels.ts";
import { nameIsDnsLabel } from "../validation/names.ts";

const HANDLER = FieldPath.of("handler"), OVERHEAD = FieldPath.of("overhead"), SCHEDULING = FieldPath.of("scheduling");

function checkScheduling(errors: Errors, { nodeSelector, tolerations = [] }: Scheduling): void {
  const path = SCHEDULING.child("tolerations"), seen = new Set<string>();
  checkLabels(errors, SCHEDULING.child("nodeSelector"), nodeSelector);
  checkTolerations(errors, path, tolerations);
  tolerations.forEach((toleration, i) => {
    const key = JSON.stringify([toleration.key ?? "", toleration.operator ?? "", toleration.value ?? "", toleration.effect ?? ""]);
    if (seen.has(key)) errors.push(duplicate(path.index(i), toleration));
    seen.add(key);
  });
}

function validate(one: RuntimeClass): FieldError[] {
  const errors: FieldError[] = [];
  checkName(errors, HANDLER, one.handler ?? "", nameIsDnsLabel);
  if (one.overhead?.podFixed !== undefined) checkResourceRequirements(errors, OVERHEAD, { limits: one.overhead.podFixed });
  if (one.scheduling !== undefined) checkScheduling(errors, one.scheduling);
  return errors;
}

export const runtimeClassDefinition = defineResource<RuntimeClass>({
  reference: runtimeclasses,
  allowUnconditionalUpdate: false,
  validate,
  validateUpdate: (one, old) => collect((errors) => checkImmutable(errors, HANDLER, one.handler, old.handler)),
  columns: [nameColumn, column("Handler", ({ handler }) => handler ?? "", { description: "The runtime's name on the nodes." }), ageColumn],
});
