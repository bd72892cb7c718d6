/** When a Job's failed pods count, and when enough have succeeded. Counterpart: `validatePodFailurePolicy`, `validateSuccessPolicy` in kubernetes `apis/batch/validation`. */
import { duplicate, invalid, invalidUnshown, notSupported, required, tooLong, tooMany } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import type { JobSpec, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule, SuccessPolicyRule } from "../schema/generated/models.ts";
import { checkLabelKey, checkNonNegative, type Errors } from "../validation/checks.ts";
import { byteLength } from "../validation/names.ts";
import { countIndexes } from "./job-indexes.ts";

const RULES_MAX = 20, EXIT_CODES_MAX = 255, CONDITIONS_MAX = 20, INDEXES_BYTES_MAX = 64 * 1024;
const ACTIONS = ["Count", "FailIndex", "FailJob", "Ignore"];
const OPERATORS = ["In", "NotIn"];
const STATUSES = ["False", "True", "Unknown"];

/** Required, with the values named; else one of them. */
function checkListed(errors: Errors, path: FieldPath, value: string | undefined, supported: readonly string[]): void {
  if ((value ?? "") === "") errors.push(required(path, `valid values: [${supported.map((one) => JSON.stringify(one)).join(" ")}]`));
  else if (!supported.includes(value!)) errors.push(notSupported(path, value, supported));
}

export function checkFailurePolicy(errors: Errors, path: FieldPath, spec: JobSpec): void {
  const rules = spec.podFailurePolicy?.rules ?? [], pod = spec.template?.spec;
  if (rules.length > RULES_MAX) errors.push(tooMany(path.child("rules"), rules.length, RULES_MAX));
  const containers = new Set([...(pod?.containers ?? []), ...(pod?.initContainers ?? [])].map((container) => container.name));
  rules.forEach((rule, i) => checkFailureRule(errors, path.child("rules").index(i), rule, spec, containers));
}

function checkFailureRule(errors: Errors, path: FieldPath, rule: PodFailurePolicyRule, spec: JobSpec, containers: ReadonlySet<string>): void {
  const { onExitCodes, onPodConditions = [] } = rule, at = path.child("onPodConditions");
  if (rule.action !== "FailIndex") checkListed(errors, path.child("action"), rule.action, ACTIONS);
  else if (spec.backoffLimitPerIndex === undefined) errors.push(invalid(path.child("action"), rule.action, "requires the backoffLimitPerIndex to be set"));
  if (onExitCodes !== undefined) checkExitCodes(errors, path.child("onExitCodes"), onExitCodes, containers);
  if (onPodConditions.length > CONDITIONS_MAX) errors.push(tooMany(at, onPodConditions.length, CONDITIONS_MAX));
  onPodConditions.forEach((pattern, i) => {
    checkLabelKey(errors, at.index(i).child("type"), pattern.type ?? "");
    checkListed(errors, at.index(i).child("status"), pattern.status, STATUSES);
  });
  if (onExitCodes !== undefined && onPodConditions.length > 0) errors.push(invalidUnshown(path, "specifying both OnExitCodes and OnPodConditions is not supported"));
  if (onExitCodes === undefined && onPodConditions.length === 0) errors.push(invalidUnshown(path, "specifying one of OnExitCodes and OnPodConditions is required"));
}

function checkExitCodes(errors: Errors, path: FieldPath, requirement: PodFailurePolicyOnExitCodesRequirement, containers: ReadonlySet<string>): void {
  const { operator, containerName } = requirement, values = requirement.values ?? [], at = path.child("values"), seen = new Set<number>();
  checkListed(errors, path.child("operator"), operator, OPERATORS);
  if (containerName !== undefined && !containers.has(containerName)) errors.push(invalid(path.child("containerName"), containerName, "must be one of the container or initContainer names in the pod template"));
  if (values.length === 0) errors.push(invalid(at, requirement.values ?? null, "at least one value is required"));
  else if (values.length > EXIT_CODES_MAX) errors.push(tooMany(at, values.length, EXIT_CODES_MAX));
  values.forEach((value, i) => {
    if (operator === "In" && value === 0) errors.push(invalid(at.index(i), value, "must not be 0 for the In operator"));
    if (seen.has(value)) errors.push(duplicate(at.index(i), value));
    seen.add(value);
  });
  if (values.some((value, i) => i > 0 && values[i - 1]! > value)) errors.push(invalid(at, values, "must be ordered"));
}

export function checkSuccessPolicy(errors: Errors, path: FieldPath, spec: JobSpec): void {
  const rules = spec.successPolicy?.rules ?? [];
  if (rules.length === 0) errors.push(required(path, "at least one rules must be specified when the successPolicy is specified"));
  if (rules.length > RULES_MAX) errors.push(tooMany(path, rules.length, RULES_MAX));
  rules.forEach((rule, i) => checkSuccessRule(errors, path.index(i), rule, spec.completions ?? 0));
}

function checkSuccessRule(errors: Errors, path: FieldPath, { succeededCount: count, succeededIndexes: indexes }: SuccessPolicyRule, completions: number): void {
  if (count === undefined && indexes === undefined) errors.push(required(path, "at least one of succeededCount or succeededIndexes must be specified"));
  let total = 0;
  if (indexes !== undefined) {
    if (byteLength(indexes) > INDEXES_BYTES_MAX) errors.push(tooLong(path.child("succeededIndexes"), INDEXES_BYTES_MAX));
    const counted = countIndexes(indexes, completions);
    if ("fault" in counted) errors.push(invalid(path.child("succeededIndexes"), indexes, `error parsing succeededIndexes: ${counted.fault}`));
    else total = counted.value;
  }
  if (count === undefined) return;
  checkNonNegative(errors, path.child("succeededCount"), count);
  if (count > completions) errors.push(invalid(path.child("succeededCount"), count, `must be less than or equal to ${completions} (the number of specified completions)`));
  if (indexes !== undefined && count > total) errors.push(invalid(path.child("succeededCount"), count, `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`));
}
