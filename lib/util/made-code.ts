/** Functions whose code is made while running. Why there are any: docs/decisions/0025-code-made-for-each-model.md. */
import { compileFunction } from "node:vm";

/**
 * What `body` returns, with `parts` as its only argument `$`. `name` stands in stack traces and profiles.
 * The body must be made of nothing that came from outside the program: it may do whatever the program may.
 */
export const madeCode = <T>(name: string, body: string, parts: object): T => (compileFunction(body, ["$"], { filename: name }) as (parts: object) => T)(parts);
