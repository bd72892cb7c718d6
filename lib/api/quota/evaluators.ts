/**
 * Who measures what for quotas: pods, Services and claims in their own ways, every other kind by its number.
 * Counterpart: kubernetes `pkg/quota/v1/install` and `evaluator/core/registry.go`.
 */
import { claimQuota } from "./claim-quota.ts";
import type { QuotaEvaluator } from "./evaluator.ts";
import { podQuota } from "./pod-quota.ts";
import { serviceQuota } from "./service-quota.ts";

/** Counted under their plain names too, from before there was `count/`. */
const PLAIN_NAMES = new Set(["configmaps", "resourcequotas", "replicationcontrollers", "secrets"]);
/** Nobody has ever counted events, and reviews and bindings are not kept. */
const NOT_COUNTED = new Set(["events", "events.events.k8s.io", "bindings", "localsubjectaccessreviews.authorization.k8s.io"]);
const qualified = (group: string, plural: string): string => (group === "" ? plural : `${plural}.${group}`);

export function countQuota(group: string, plural: string): QuotaEvaluator<unknown> {
  const name = `count/${qualified(group, plural)}`, names = group === "" && PLAIN_NAMES.has(plural) ? [name, plural] : [name];
  return {
    group, plural,
    handles: (operation, subresource) => operation === "CREATE" && subresource === "",
    matching: (asked) => asked.filter((each) => names.includes(each)),
    inScope: () => false,
    usage: () => Object.fromEntries(names.map((each) => [each, "1"])),
  };
}

const OWN_WAYS = [podQuota, serviceQuota, claimQuota] as readonly QuotaEvaluator<unknown>[];
const made = new Map<string, QuotaEvaluator<unknown> | undefined>(OWN_WAYS.map((each) => [qualified(each.group, each.plural), each]));
const MADE_MAX = 10_000; // Kinds a cluster has; beyond this they are made anew each time.

/** undefined: objects of the kind are never counted. */
export function quotaEvaluator(group: string, plural: string): QuotaEvaluator<unknown> | undefined {
  const key = qualified(group, plural);
  if (NOT_COUNTED.has(key)) return undefined;
  let evaluator = made.get(key);
  if (evaluator === undefined) {
    evaluator = countQuota(group, plural);
    if (made.size < MADE_MAX) made.set(key, evaluator);
  }
  return evaluator;
}

/** The kinds whose objects are needed to measure these names of a quota: group and plural. */
export function measuredKinds(names: readonly string[]): { group: string; plural: string }[] {
  const kinds = new Map<string, { group: string; plural: string }>();
  for (const each of OWN_WAYS) if (each.matching(names).length > 0) kinds.set(qualified(each.group, each.plural), { group: each.group, plural: each.plural });
  for (const name of names) {
    const counted = name.startsWith("count/") ? name.slice("count/".length) : PLAIN_NAMES.has(name) ? name : undefined;
    if (counted === undefined) continue;
    const dot = counted.indexOf(".");
    if (!kinds.has(counted)) kinds.set(counted, dot < 0 ? { group: "", plural: counted } : { group: counted.slice(dot + 1), plural: counted.slice(0, dot) });
  }
  return [...kinds.values()];
}
