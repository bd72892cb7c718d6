/** PriorityClass: how important pods are. Counterpart: kubernetes `registry/scheduling/priorityclass`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { forbiddenField, notSupported, required, type FieldError } from "../field-error.ts";
import { FieldPath, METADATA } from "../field-path.ts";
import type { PriorityClass } from "../schema/generated/models.ts";
import { priorityclasses } from "../schema/generated/references.ts";
import { checkImmutable } from "../validation/checks.ts";

const SYSTEM_PREFIX = "system-";
const USER_VALUE_MAX = 1_000_000_000;
/** The classes the system itself has, with their values. */
export const SYSTEM_PRIORITIES: ReadonlyMap<string, number> = new Map([["system-node-critical", 2_000_001_000], ["system-cluster-critical", 2_000_000_000]]);
const VALUE = FieldPath.of("value"), PREEMPTION_POLICY = FieldPath.of("preemptionPolicy");

function systemFault({ metadata, value, globalDefault }: PriorityClass): string | undefined {
  const name = metadata.name ?? "", expected = SYSTEM_PRIORITIES.get(name);
  if (expected === undefined) return `${name} is not a known system priority class`;
  if (value !== expected) return `value of ${name} PriorityClass must be ${expected}`;
  return globalDefault === true ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

function validate(priority: PriorityClass): FieldError[] {
  const errors: FieldError[] = [], { preemptionPolicy: policy } = priority;
  if ((priority.metadata.name ?? "").startsWith(SYSTEM_PREFIX)) {
    const fault = systemFault(priority);
    if (fault !== undefined) errors.push(forbiddenField(METADATA.child("name"), `priority class names with '${SYSTEM_PREFIX}' prefix are reserved for system use only. error: ${fault}`));
  } else if ((priority.value ?? 0) > USER_VALUE_MAX) errors.push(forbiddenField(VALUE, `maximum allowed value of a user defined priority is ${USER_VALUE_MAX}`));
  if (policy === "") errors.push(required(PREEMPTION_POLICY));
  else if (policy !== undefined && policy !== "PreemptLowerPriority" && policy !== "Never") errors.push(notSupported(PREEMPTION_POLICY, policy, ["PreemptLowerPriority", "Never"]));
  return errors;
}

function validateUpdate(priority: PriorityClass, old: PriorityClass): FieldError[] {
  const errors: FieldError[] = [];
  if ((priority.value ?? 0) !== (old.value ?? 0)) errors.push(forbiddenField(VALUE, "may not be changed in an update."));
  checkImmutable(errors, PREEMPTION_POLICY, priority.preemptionPolicy, old.preemptionPolicy);
  return errors;
}

export const priorityClassDefinition = defineResource<PriorityClass>({
  reference: priorityclasses,
  shortNames: ["pc"],
  hasGeneration: true,
  generationChanged: () => false, // Upstream sets it to 1 and leaves it.
  defaults: (priority) => void (priority.preemptionPolicy ??= "PreemptLowerPriority"),
  validate,
  validateUpdate,
  columns: [
    nameColumn,
    column("Value", ({ value }) => value ?? 0, { type: "integer", description: "How important: more comes first." }),
    column("Global-Default", ({ globalDefault }) => globalDefault ?? false, { type: "boolean", description: "Whether pods without a class have this one." }),
    ageColumn,
    column("PreemptionPolicy", ({ preemptionPolicy }) => preemptionPolicy ?? "", { description: "Whether its pods may push out lesser ones." }),
  ],
});
