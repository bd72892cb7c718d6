/**
 * What start-up must write so that bootstrap roles and bindings hold at least what they should. Pure.
 *
 * Promises: permissions are only added, never taken: what people added to a role stays. An object whose autoupdate
 * annotation says "false" is left alone. Counterpart: component-helpers `auth/rbac/reconciliation`.
 */
import { isDeepStrictEqual } from "node:util";
import type { ClusterRole, ClusterRoleBinding, ObjectMeta, RbacV1Subject, Role, RoleBinding } from "../../api/schema/generated/models.ts";
import { missingRules } from "../authorization/rbac-rules.ts";
import { AUTOUPDATE_ANNOTATION } from "./policy-rule.ts";

export type RbacPlan<T> = { readonly action: "none" } | { readonly action: "create" | "update"; readonly object: T } | { readonly action: "conflict"; readonly why: string };
type AnyRole = Role | ClusterRole;
type AnyBinding = RoleBinding | ClusterRoleBinding;
const NONE = { action: "none" } as const;

const isProtected = (meta: ObjectMeta): boolean => meta.annotations?.[AUTOUPDATE_ANNOTATION] === "false";

/** What is there wins over what is expected. */
function mergeMeta(existing: ObjectMeta, expected: ObjectMeta): ObjectMeta {
  const labels = { ...expected.labels, ...existing.labels }, annotations = { ...expected.annotations, ...existing.annotations };
  return { ...existing, ...(Object.keys(labels).length === 0 ? {} : { labels }), ...(Object.keys(annotations).length === 0 ? {} : { annotations }) };
}

export function planRole<T extends AnyRole>(expected: T, existing: T | undefined): RbacPlan<T> {
  if (existing === undefined) return { action: "create", object: expected };
  if (isProtected(existing.metadata)) return NONE;
  const object: AnyRole = { ...existing, metadata: mergeMeta(existing.metadata, expected.metadata), rules: [...(existing.rules ?? [])] };
  const missing = missingRules(existing.rules ?? [], expected.rules ?? []);
  // Whole rules rather than their parts: what is read later looks like the table it came from.
  if (missing.length > 0) object.rules!.push(...(expected.rules ?? []).filter((rule) => missingRules(existing.rules ?? [], [rule]).length > 0));
  const wanted = "aggregationRule" in expected ? expected.aggregationRule?.clusterRoleSelectors : undefined;
  if (wanted !== undefined && "aggregationRule" in existing) {
    const held = existing.aggregationRule?.clusterRoleSelectors ?? [], lacking = wanted.filter((selector) => !held.some((each) => isDeepStrictEqual(each, selector)));
    if (lacking.length > 0) (object as ClusterRole).aggregationRule = { clusterRoleSelectors: [...held, ...lacking] };
  }
  return isDeepStrictEqual(object, { ...existing, rules: existing.rules ?? [] }) ? NONE : { action: "update", object: object as T };
}

export function planBinding<T extends AnyBinding>(expected: T, existing: T | undefined): RbacPlan<T> {
  if (existing === undefined) return { action: "create", object: expected };
  if (isProtected(existing.metadata)) return NONE;
  const { kind, name } = existing.roleRef;
  if (kind !== expected.roleRef.kind || name !== expected.roleRef.name) return { action: "conflict", why: `it refers to ${kind} ${JSON.stringify(name)}, not to ${expected.roleRef.kind} ${JSON.stringify(expected.roleRef.name)}, and that cannot be changed` };
  const held = existing.subjects ?? [], lacking = (expected.subjects ?? []).filter((subject) => !held.some((each) => sameSubject(each, subject)));
  const object = { ...existing, metadata: mergeMeta(existing.metadata, expected.metadata), ...(held.length + lacking.length === 0 ? {} : { subjects: [...held, ...lacking] }) };
  return lacking.length === 0 && isDeepStrictEqual(object.metadata, existing.metadata) ? NONE : { action: "update", object };
}

const sameSubject = (a: RbacV1Subject, b: RbacV1Subject): boolean => a.kind === b.kind && a.name === b.name && (a.namespace ?? "") === (b.namespace ?? "");
