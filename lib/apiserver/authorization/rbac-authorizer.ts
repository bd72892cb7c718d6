/**
 * RBAC: allows what a rule of a role bound to the user allows; never denies.
 *
 * Promises: synchronous, and one map lookup for a user, namespace, verb and resource seen since the last change of any
 * role or binding. What is compiled for a user hangs on the identity of the UserInfo object and goes with it.
 * Counterpart: `plugin/pkg/auth/authorizer/rbac`.
 */
import type { Authorizer, Decision, RequestAttributes, UserInfo } from "../contracts.ts";
import type { HeldRule, RbacIndex } from "./rbac-index.ts";
import { matchesName, matchesPath, matchesResource, namesNothing } from "./rbac-rules.ts";

/** Beyond this many different questions in one scope the answers are forgotten and found anew. */
export const REMEMBERED_ANSWERS_MAX = 1_000;

interface Answer {
  /** A rule that allows whatever the name. */
  readonly always: HeldRule | undefined;
  /** Rules that allow for some names. */
  readonly named: readonly HeldRule[];
}
interface Scope { readonly rules: readonly HeldRule[]; readonly errors: readonly string[]; readonly answers: Map<string, Answer> }
interface Compiled { readonly generation: number; readonly scopes: Map<string, Scope> }

export class RbacAuthorizer implements Authorizer {
  readonly #index: RbacIndex;
  readonly #compiled = new WeakMap<UserInfo, Compiled>();
  constructor(index: RbacIndex) { this.#index = index; }

  authorize(attributes: RequestAttributes): { decision: Decision; reason: string } {
    const scope = this.#scope(attributes.user, attributes.isResourceRequest ? attributes.namespace : "");
    const rule = attributes.isResourceRequest ? findResourceRule(scope, attributes) : scope.rules.find((held) => matchesPath(held.rule, attributes.verb, attributes.path));
    if (rule !== undefined) return { decision: "allow", reason: `RBAC: allowed by ${rule.source}` };
    return { decision: "no-opinion", reason: scope.errors.length === 0 ? "" : `RBAC: ${aggregate(scope.errors)}` };
  }

  #scope(user: UserInfo, namespace: string): Scope {
    let compiled = this.#compiled.get(user);
    if (compiled === undefined || compiled.generation !== this.#index.generation) {
      compiled = { generation: this.#index.generation, scopes: new Map() };
      this.#compiled.set(user, compiled);
    }
    let scope = compiled.scopes.get(namespace);
    if (scope === undefined) {
      if (compiled.scopes.size >= REMEMBERED_ANSWERS_MAX) compiled.scopes.clear();
      scope = { ...this.#index.rulesOf(user, namespace), answers: new Map() };
      compiled.scopes.set(namespace, scope);
    }
    return scope;
  }
}

function findResourceRule(scope: Scope, attributes: RequestAttributes): HeldRule | undefined {
  const key = `${attributes.verb} ${attributes.apiGroup}/${attributes.resource}/${attributes.subresource}`;
  let answer = scope.answers.get(key);
  if (answer === undefined) {
    const matching = scope.rules.filter((held) => matchesResource(held.rule, attributes));
    answer = { always: matching.find((held) => namesNothing(held.rule)), named: matching.filter((held) => !namesNothing(held.rule)) };
    if (scope.answers.size >= REMEMBERED_ANSWERS_MAX) scope.answers.clear();
    scope.answers.set(key, answer);
  }
  return answer.always ?? answer.named.find((held) => matchesName(held.rule, attributes.name));
}

/** Go's text of several errors, doubles left out. */
function aggregate(errors: readonly string[]): string {
  const unique = [...new Set(errors)];
  return unique.length === 1 ? unique[0]! : `[${unique.join(", ")}]`;
}
