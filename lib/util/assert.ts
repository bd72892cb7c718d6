/** Assertions: for our own bugs only. What the world gets wrong is an error, not an assertion. */

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`Assertion failed: ${message}`);
}

/** Ends an exhaustive switch; the compiler refuses the call while a case is missing. */
export function assertNever(value: never): never {
  throw new Error(`Assertion failed: unexpected value ${JSON.stringify(value)}`);
}
