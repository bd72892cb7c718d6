/**
 * Differences between the chains that are there and the chains wanted, as the fewest changes.
 *
 * Promises: chains that are the same are left out; a large chain in which few rules differ is edited in place (which keeps
 * counters and spares the kernel its reload), any other is written anew as a whole; what the caller does not own is never named.
 */
import type { Chains } from "./model.ts";
import { sameRule } from "./rule.ts";

export type ChainChange =
  | { readonly kind: "write"; readonly chain: string; readonly rules: readonly string[] }
  | { readonly kind: "edit"; readonly chain: string; readonly remove: readonly string[]; readonly insert: readonly { readonly position: number; readonly rule: string }[] }
  | { readonly kind: "delete"; readonly chain: string };

/** Below this size a chain is written anew: cheaper than finding rules in it. */
export const EDIT_CHAIN_RULES_MIN = 64;
/** With more differences than this a chain is written anew. */
export const EDIT_DIFFERENCES_MAX = 32;

/** What turns one chain into `wanted`; undefined when it is so already. `present` is undefined when the chain is not there. */
export function diffChain(chain: string, present: readonly string[] | undefined, wanted: readonly string[]): ChainChange | undefined {
  if (present === undefined) return { kind: "write", chain, rules: wanted };
  if (present.length === wanted.length && present.every((rule, i) => sameRule(rule, wanted[i]!))) return undefined;
  return editChain(chain, present, wanted) ?? { kind: "write", chain, rules: wanted };
}

/** An edit, or undefined where rules were reordered or doubled, or where writing anew is cheaper. */
function editChain(chain: string, present: readonly string[], wanted: readonly string[]): ChainChange | undefined {
  if (Math.min(present.length, wanted.length) < EDIT_CHAIN_RULES_MIN || Math.abs(present.length - wanted.length) > EDIT_DIFFERENCES_MAX) return undefined;
  const presentSet = new Set(present), wantedSet = new Set(wanted);
  if (presentSet.size !== present.length || wantedSet.size !== wanted.length) return undefined;
  const remove = present.filter((rule) => !wantedSet.has(rule));
  const insert: { position: number; rule: string }[] = [];
  for (const [index, rule] of wanted.entries()) if (!presentSet.has(rule)) insert.push({ position: index + 1, rule });
  if (remove.length + insert.length > EDIT_DIFFERENCES_MAX) return undefined;
  let at = 0;
  for (const rule of present) {
    if (!wantedSet.has(rule)) continue;
    while (!presentSet.has(wanted[at]!)) at++;
    if (wanted[at++] !== rule) return undefined;
  }
  return { kind: "edit", chain, remove, insert };
}

/** What turns a table's chains into `wanted`, among the chains `owned` says are the caller's. */
export function diffTable(present: Chains, wanted: Chains, owned: (chain: string) => boolean): ChainChange[] {
  const changes: ChainChange[] = [];
  for (const [chain, rules] of wanted) {
    const change = diffChain(chain, present.get(chain), rules);
    if (change !== undefined) changes.push(change);
  }
  for (const chain of present.keys()) if (owned(chain) && !wanted.has(chain)) changes.push({ kind: "delete", chain });
  return changes;
}
