/**
 * RBAC rules as values: does a rule allow a request, does one set of rules hold all of another. Pure.
 * Counterpart: `plugin/pkg/auth/authorizer/rbac` and component-helpers `auth/rbac/validation`.
 */
import type { PolicyRule } from "../../api/schema/generated/models.ts";
import type { RequestAttributes } from "../contracts.ts";

export type ResourceRequest = Pick<RequestAttributes, "verb" | "apiGroup" | "resource" | "subresource" | "name">;

const has = (list: readonly string[] | undefined, value: string): boolean => list !== undefined && list.includes(value);
const hasOrAll = (list: readonly string[] | undefined, value: string): boolean => list !== undefined && (list.includes("*") || list.includes(value));

/** Whether the rule names the request's verb, group and resource; resource names are not looked at. */
export function matchesResource(rule: PolicyRule, request: Pick<ResourceRequest, "verb" | "apiGroup" | "resource" | "subresource">): boolean {
  if (!hasOrAll(rule.verbs, request.verb) || !hasOrAll(rule.apiGroups, request.apiGroup)) return false;
  const { resource, subresource } = request;
  if (has(rule.resources, "*")) return true;
  return subresource === "" ? has(rule.resources, resource) : has(rule.resources, `${resource}/${subresource}`) || has(rule.resources, `*/${subresource}`);
}

export const namesNothing = (rule: PolicyRule): boolean => rule.resourceNames === undefined || rule.resourceNames.length === 0;
export const matchesName = (rule: PolicyRule, name: string): boolean => namesNothing(rule) || rule.resourceNames!.includes(name);

export function matchesPath(rule: PolicyRule, verb: string, path: string): boolean {
  return hasOrAll(rule.verbs, verb) && (rule.nonResourceURLs ?? []).some((url) => url === "*" || url === path || (url.endsWith("*") && path.startsWith(url.replace(/\*+$/, ""))));
}

/** Whether any of the rules allows the request. */
export function rulesAllow(rules: readonly PolicyRule[], request: RequestAttributes): boolean {
  return rules.some((rule) => (request.isResourceRequest ? matchesResource(rule, request) && matchesName(rule, request.name) : matchesPath(rule, request.verb, request.path)));
}

/** One rule for each combination of verb, group, resource and name, or of verb and path. */
export function breakdown(rule: PolicyRule): PolicyRule[] {
  const simple: PolicyRule[] = [];
  for (const verb of rule.verbs ?? []) {
    for (const group of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        const base = { apiGroups: [group], resources: [resource], verbs: [verb] };
        if (namesNothing(rule)) simple.push(base);
        else for (const name of rule.resourceNames!) simple.push({ ...base, resourceNames: [name] });
      }
    }
    for (const url of rule.nonResourceURLs ?? []) simple.push({ nonResourceURLs: [url], verbs: [verb] });
  }
  return simple;
}

const hasAll = (owner: readonly string[] | undefined, asked: readonly string[] | undefined): boolean => has(owner, "*") || (asked ?? []).every((each) => has(owner, each));
function resourceHeld(owner: readonly string[] | undefined, asked: string): boolean {
  if (has(owner, asked) || has(owner, "*")) return true;
  const slash = asked.indexOf("/");
  return slash >= 0 && has(owner, `*/${asked.slice(slash + 1)}`);
}

/** Whether `owner` holds all of `asked`, one of `breakdown`'s rules. */
function holds(owner: PolicyRule, asked: PolicyRule): boolean {
  if (!hasAll(owner.verbs, asked.verbs)) return false;
  if (asked.nonResourceURLs !== undefined) {
    return asked.nonResourceURLs.every((path) => (owner.nonResourceURLs ?? []).some((url) => url === path || (url.endsWith("*") && path.startsWith(url.replace(/\*+$/, "")))));
  }
  if (!hasAll(owner.apiGroups, asked.apiGroups) || !(asked.resources ?? []).every((resource) => resourceHeld(owner.resources, resource))) return false;
  return namesNothing(owner) || (!namesNothing(asked) && asked.resourceNames!.every((name) => owner.resourceNames!.includes(name)));
}

/** The parts of `asked` that `owner` does not hold; empty when it holds all. */
export function missingRules(owner: readonly PolicyRule[], asked: readonly PolicyRule[]): PolicyRule[] {
  return asked.flatMap(breakdown).filter((rule) => !owner.some((held) => holds(held, rule)));
}

const list = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(" ")}]`;
const goList = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(", ")}]`;

/** A rule in upstream's short form, for messages. */
export function compactRule(rule: PolicyRule): string {
  const parts = [
    ...((rule.apiGroups ?? []).length > 0 ? [`APIGroups:${goList(rule.apiGroups!)}`] : []),
    ...((rule.resources ?? []).length > 0 ? [`Resources:${goList(rule.resources!)}`] : []),
    ...((rule.nonResourceURLs ?? []).length > 0 ? [`NonResourceURLs:${goList(rule.nonResourceURLs!)}`] : []),
    ...((rule.resourceNames ?? []).length > 0 ? [`ResourceNames:${goList(rule.resourceNames!)}`] : []),
    ...((rule.verbs ?? []).length > 0 ? [`Verbs:${goList(rule.verbs)}`] : []),
  ];
  return `{${parts.join(", ")}}`;
}

/** Rules that differ only in their verb, joined again, sorted as text: what a person wants to read. */
export function compactRules(rules: readonly PolicyRule[]): string[] {
  const joined = new Map<string, PolicyRule>();
  for (const rule of rules) {
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames, rule.nonResourceURLs]), known = joined.get(key);
    joined.set(key, known === undefined ? rule : { ...known, verbs: [...known.verbs, ...rule.verbs] });
  }
  return [...joined.values()].map(compactRule).sort();
}

/** Go's `%q` of a list of strings. */
export const quotedList = list;
