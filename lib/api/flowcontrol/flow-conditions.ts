/** Conditions of flow control: each of a type of its own. Counterpart: kubernetes `apis/flowcontrol/validation`. */
import { duplicate, required } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import type { Errors } from "../validation/checks.ts";

export function checkTypedConditions(errors: Errors, path: FieldPath, conditions: readonly { readonly type?: string | undefined }[] | undefined): void {
  const seen = new Set<string>();
  conditions?.forEach(({ type = "" }, i) => {
    if (seen.has(type)) errors.push(duplicate(path.index(i).child("type"), type));
    seen.add(type);
    if (type === "") errors.push(required(path.index(i).child("type"), "must not be empty"));
  });
}
