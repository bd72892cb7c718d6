/** Labels and label selectors. Counterpart: apimachinery `apis/meta/v1/validation`. */
import { forbiddenField, invalid, required } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import type { LabelSelector, LabelSelectorRequirement } from "../schema/generated/models.ts";
import { checkLabelKey, type Errors } from "./checks.ts";
import { isLabelKey, isLabelValue } from "./names.ts";

export type Labels = Readonly<Record<string, string>>;

/** Keys and values; faults are told at the map, as upstream does. */
export function checkLabels(errors: Errors, path: FieldPath, labels: Labels | undefined): void {
  if (labels === undefined) return;
  for (const key in labels) {
    for (const fault of isLabelKey(key)) errors.push(invalid(path, key, fault));
    const value = labels[key]!;
    for (const fault of isLabelValue(value)) errors.push(invalid(path, value, fault));
  }
}

export function checkLabelSelector(errors: Errors, path: FieldPath, selector: LabelSelector | undefined, options: { allowInvalidValues?: boolean } = {}): void {
  if (selector === undefined) return;
  if (selector.matchLabels !== undefined) checkLabels(errors, path.child("matchLabels"), selector.matchLabels);
  selector.matchExpressions?.forEach((requirement, i) => checkRequirement(errors, path.child("matchExpressions").index(i), requirement, options));
}

/** One requirement on labels; those of nodes may compare numbers too. */
export function checkRequirement(errors: Errors, path: FieldPath, requirement: LabelSelectorRequirement, options: { allowInvalidValues?: boolean; comparisons?: boolean }): void {
  const values = requirement.values ?? [], operator = requirement.operator ?? "";
  if (options.comparisons === true && (operator === "Gt" || operator === "Lt")) {
    if (values.length !== 1) errors.push(required(path.child("values"), "must be specified single value when `operator` is 'Lt' or 'Gt'"));
  } else checkOperator(errors, path, operator, values);
  checkLabelKey(errors, path.child("key"), requirement.key ?? "");
  if (options.allowInvalidValues === true) return;
  values.forEach((value, i) => {
    for (const fault of isLabelValue(value)) errors.push(invalid(path.child("values").index(i), value, fault));
  });
}

function checkOperator(errors: Errors, path: FieldPath, operator: string, values: readonly string[]): void {
  switch (operator) {
    case "In": case "NotIn":
      if (values.length === 0) errors.push(required(path.child("values"), "must be specified when `operator` is 'In' or 'NotIn'"));
      break;
    case "Exists": case "DoesNotExist":
      if (values.length > 0) errors.push(forbiddenField(path.child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
      break;
    default: errors.push(invalid(path.child("operator"), operator, "not a valid selector operator"));
  }
}

/** Whether a selector selects by nothing at all. */
export const isEmptyLabelSelector = (selector: LabelSelector): boolean => Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions?.length ?? 0) === 0;
