/** Conditions of `metav1.Condition`. Counterpart: `ValidateConditions` in apimachinery `apis/meta/v1/validation`. */
import { duplicate, invalid, notSupported, required, tooLong } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import type { Condition } from "../schema/generated/models.ts";
import { checkLabelKey, type Errors } from "./checks.ts";
import { byteLength, regexError } from "./names.ts";

const REASON_MAX = 1024, MESSAGE_MAX = 32 * 1024;
const REASON = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?";
const reasonRegexp = new RegExp(`^${REASON}$`);
const reasonFault = regexError("a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'", REASON, "my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB");

function checkCondition(errors: Errors, path: FieldPath, condition: Condition): void {
  const { status, reason = "", message = "" } = condition as Partial<Condition>;
  checkLabelKey(errors, path.child("type"), condition.type ?? "");
  if (!["False", "True", "Unknown"].includes(status ?? "")) errors.push(notSupported(path.child("status"), status ?? "", ["False", "True", "Unknown"]));
  if ((condition.observedGeneration ?? 0) < 0) errors.push(invalid(path.child("observedGeneration"), condition.observedGeneration, "must be greater than or equal to zero"));
  if ((condition.lastTransitionTime ?? "") === "") errors.push(required(path.child("lastTransitionTime"), "must be set"));
  if (reason === "") errors.push(required(path.child("reason"), "must be set"));
  else {
    if (!reasonRegexp.test(reason)) errors.push(invalid(path.child("reason"), reason, reasonFault));
    if (byteLength(reason) > REASON_MAX) errors.push(tooLong(path.child("reason"), REASON_MAX));
  }
  if (byteLength(message) > MESSAGE_MAX) errors.push(tooLong(path.child("message"), MESSAGE_MAX));
}

/** Each of a type of its own, and well formed. */
export function checkConditions(errors: Errors, path: FieldPath, conditions: readonly Condition[] | undefined): void {
  const types = new Set<string>();
  conditions?.forEach((condition, i) => {
    if (types.has(condition.type)) errors.push(duplicate(path.index(i).child("type"), condition.type));
    types.add(condition.type);
    checkCondition(errors, path.index(i), condition);
  });
}
