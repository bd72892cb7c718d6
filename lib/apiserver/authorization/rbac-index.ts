/**
 * Which RBAC rules a user holds, kept by subject and followed change by change, so a request reads no list of bindings.
 *
 * Promises: `generation` grows with each change of a role or binding; `rulesOf` shows the state at its call.
 * Counterpart: `pkg/registry/rbac/validation` `DefaultRuleResolver`.
 */
import { clusterrolebindings, clusterroles, rolebindings, roles } from "../../api/schema/generated/references.ts";
import type { ClusterRoleBinding, PolicyRule, RbacV1Subject, RoleBinding, RoleRef } from "../../api/schema/generated/models.ts";
import { SERVICE_ACCOUNT_USER_PREFIX } from "../authentication/service-account-names.ts";
import type { CacheReader, UserInfo } from "../contracts.ts";

export interface HeldRule {
  readonly rule: PolicyRule;
  /** Who grants it, in upstream's words. */
  readonly source: string;
}
export interface HeldRules {
  readonly rules: readonly HeldRule[];
  /** Bindings whose role is missing. */
  readonly errors: readonly string[];
}

type Binding = ClusterRoleBinding | RoleBinding;
/** Bindings by subject, for the cluster ("") and each namespace. */
type BySubject = Map<string, Set<Binding>>;

export class RbacIndex {
  readonly #cache: CacheReader;
  readonly #byNamespace = new Map<string, BySubject>();
  generation = 0;
  constructor(cache: CacheReader) { this.#cache = cache; }

  /** Reads what is there and follows changes. Returns a function that stops it. */
  start(): () => void {
    for (const binding of this.#cache.list(clusterrolebindings)) this.#add("", binding);
    for (const binding of this.#cache.list(rolebindings)) this.#add(binding.metadata.namespace ?? "", binding);
    const bump = (): void => { this.generation++; };
    const follow = (type: "put" | "delete", binding: Binding, previous: Binding | undefined): void => {
      this.generation++;
      const namespace = binding.metadata.namespace ?? "";
      if (previous !== undefined) this.#remove(namespace, previous);
      if (type === "put") this.#add(namespace, binding);
    };
    const stops = [this.#cache.onChange(clusterroles, bump), this.#cache.onChange(roles, bump), this.#cache.onChange(clusterrolebindings, follow), this.#cache.onChange(rolebindings, follow)];
    this.generation++;
    return () => { for (const stop of stops) stop(); };
  }

  /** The rules `user` holds in `namespace`, those of the whole cluster first; "" is the cluster alone. */
  rulesOf(user: UserInfo, namespace: string): HeldRules {
    const rules: HeldRule[] = [], errors: string[] = [];
    const keys = [`User:${user.name}`, ...user.groups.map((group) => `Group:${group}`)];
    for (const scope of namespace === "" ? [""] : ["", namespace]) {
      const bySubject = this.#byNamespace.get(scope);
      if (bySubject === undefined) continue;
      const seen = new Set<Binding>();
      for (const key of keys) {
        for (const binding of bySubject.get(key) ?? []) {
          if (seen.has(binding)) continue;
          seen.add(binding);
          const granted = this.resolveRole(binding.roleRef, scope);
          if (granted === undefined) errors.push(missingRole(binding.roleRef));
          else for (const rule of granted) rules.push({ rule, source: describe(binding, scope, key) });
        }
      }
    }
    return { rules, errors };
  }

  /** The rules of a role as bound in `namespace` ("" for a ClusterRoleBinding), or undefined when there is none. */
  resolveRole(reference: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    const role = reference.kind === "Role" ? this.#cache.get(roles, namespace, reference.name) : this.#cache.get(clusterroles, "", reference.name);
    return role === undefined ? undefined : (role.rules ?? []);
  }

  #add(namespace: string, binding: Binding): void {
    let bySubject = this.#byNamespace.get(namespace);
    if (bySubject === undefined) { bySubject = new Map(); this.#byNamespace.set(namespace, bySubject); }
    for (const subject of binding.subjects ?? []) {
      const key = subjectKey(subject, namespace), bindings = bySubject.get(key);
      if (bindings === undefined) bySubject.set(key, new Set([binding]));
      else bindings.add(binding);
    }
  }

  #remove(namespace: string, previous: Binding): void {
    const bySubject = this.#byNamespace.get(namespace);
    for (const subject of previous.subjects ?? []) {
      const key = subjectKey(subject, namespace), bindings = bySubject?.get(key);
      // By name, not by identity: a cache may hand out another decoded copy of the same object.
      for (const binding of bindings ?? []) if (binding.metadata.name === previous.metadata.name) bindings!.delete(binding);
      if (bindings?.size === 0) bySubject!.delete(key);
    }
    if (bySubject?.size === 0) this.#byNamespace.delete(namespace);
  }
}

/** A ServiceAccount subject is the user of that name; in a RoleBinding its namespace defaults to the binding's. */
function subjectKey(subject: RbacV1Subject, namespace: string): string {
  if (subject.kind !== "ServiceAccount") return `${subject.kind}:${subject.name}`;
  const home = subject.namespace === undefined || subject.namespace === "" ? namespace : subject.namespace;
  return `User:${SERVICE_ACCOUNT_USER_PREFIX}${home}:${subject.name}`;
}

export const missingRole = (reference: RoleRef): string => `${reference.kind === "Role" ? "role" : "clusterrole"}.rbac.authorization.k8s.io ${JSON.stringify(reference.name)} not found`;

function describe(binding: Binding, namespace: string, key: string): string {
  const subject = (binding.subjects ?? []).find((each) => subjectKey(each, namespace) === key)!;
  const who = subject.kind === "ServiceAccount" ? `ServiceAccount ${JSON.stringify(`${subject.name}/${subject.namespace ?? namespace}`)}` : `${subject.kind} ${JSON.stringify(subject.name)}`;
  const what = namespace === "" ? `ClusterRoleBinding ${JSON.stringify(binding.metadata.name)}` : `RoleBinding ${JSON.stringify(`${binding.metadata.name}/${namespace}`)}`;
  return `${what} of ${binding.roleRef.kind} ${JSON.stringify(binding.roleRef.name)} to ${who}`;
}
