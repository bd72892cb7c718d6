/** Turns a check that pushes into a hook that returns. */
import type { FieldError } from "../field-error.ts";

export function collect(check: (errors: FieldError[]) => void): FieldError[] {
  const errors: FieldError[] = [];
  check(errors);
  return errors;
}
