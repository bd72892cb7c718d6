/**
 * Rule tables: the rules wanted, the rules the kernel has, and the changes between them.
 *
 * Promises: setting one Service costs as much as that Service, not as all of them; `plan` names only chains that differ;
 * what `adopt` found in the kernel and is not wanted is removed, if it is a chain of a Service. After a failed apply call
 * `adopt` with what is really there. Pure: no I/O.
 */
import { diffChain, type ChainChange, type Chains, type TableChanges } from "../node-iptables/index.ts";
import { FIXED_CHAINS as C, SERVICE_CHAIN } from "./chain-names.ts";
import { baseChains, nodePortJumps } from "./render-base.ts";
import type { RenderOptions } from "./render-options.ts";
import type { ServiceRules } from "./render-service.ts";

export const TABLES = ["nat", "filter", "mangle"] as const;
export type TableName = (typeof TABLES)[number];

interface TableState { readonly wanted: Map<string, readonly string[]>; readonly present: Map<string, readonly string[]>; readonly dirty: Set<string> }
type SharedLines = Exclude<keyof ServiceRules, "chains" | "withoutLocal" | "targets">;

/** Shared chains and where their lines come from. */
const SHARED: readonly { readonly table: TableName; readonly chain: string; readonly lines: SharedLines }[] = [
  { table: "nat", chain: C.services, lines: "natServices" },
  { table: "nat", chain: C.nodePorts, lines: "natNodePorts" },
  { table: "filter", chain: C.services, lines: "filterServices" },
  { table: "filter", chain: C.externalServices, lines: "filterExternal" },
  { table: "filter", chain: C.nodePorts, lines: "filterNodePorts" },
  { table: "filter", chain: C.proxyFirewall, lines: "filterFirewall" },
];

export class RuleTables {
  readonly #services = new Map<string, ServiceRules>();
  readonly #tables: Record<TableName, TableState> = { nat: emptyTable(), filter: emptyTable(), mangle: emptyTable() };
  readonly #staleShared = new Set<(typeof SHARED)[number]>(SHARED);
  readonly #ruleCounts: Record<TableName, number> = { nat: 0, filter: 0, mangle: 0 };
  #lastNatServices: readonly string[] = [];

  get serviceCount(): number { return this.#services.size; }
  /** Rules wanted, by table. */
  ruleCount(table: TableName): number { return this.#ruleCounts[table]; }
  /** Ports whose policy Local finds no endpoint here while other nodes have some. */
  readonly withoutLocal = { internal: 0, external: 0 };
  service(key: string): ServiceRules | undefined { return this.#services.get(key); }
  services(): IterableIterator<[string, ServiceRules]> { return this.#services.entries(); }

  /** Sets the rules that depend on no Service. */
  setBase(options: RenderOptions): void {
    for (const [table, chains] of Object.entries(baseChains(options)) as [TableName, Chains][]) for (const [chain, rules] of chains) this.#want(table, chain, rules);
    this.#lastNatServices = nodePortJumps(options);
    for (const shared of SHARED) this.#staleShared.add(shared);
  }

  /** Sets the rules of one Service; undefined when it has none any more. */
  setService(service: string, rules: ServiceRules | undefined): void {
    const old = this.#services.get(service);
    for (const chain of old?.chains.keys() ?? []) if (rules?.chains.has(chain) !== true) this.#want("nat", chain, undefined);
    for (const [chain, lines] of rules?.chains ?? []) this.#want("nat", chain, lines);
    for (const shared of SHARED) if (!sameLines(old?.[shared.lines] ?? [], rules?.[shared.lines] ?? [])) this.#staleShared.add(shared);
    this.withoutLocal.internal += (rules?.withoutLocal.internal ?? 0) - (old?.withoutLocal.internal ?? 0);
    this.withoutLocal.external += (rules?.withoutLocal.external ?? 0) - (old?.withoutLocal.external ?? 0);
    if (rules === undefined) this.#services.delete(service);
    else this.#services.set(service, rules);
  }

  /** Says what the kernel has now: everything is compared afresh. `chains` need hold no more than our own. */
  adopt(table: TableName, chains: Chains): void {
    const state = this.#tables[table];
    state.present.clear();
    for (const [chain, rules] of chains) {
      if (!state.wanted.has(chain) && !SERVICE_CHAIN.test(chain) && !isShared(table, chain)) continue;
      state.present.set(chain, rules);
      state.dirty.add(chain);
    }
    for (const chain of state.wanted.keys()) state.dirty.add(chain);
  }

  /** What is to change. Nothing is taken for done until `applied`. */
  plan(): TableChanges[] {
    this.#joinShared();
    const plans: TableChanges[] = [];
    for (const table of TABLES) {
      const { wanted, present, dirty } = this.#tables[table], changes: ChainChange[] = [];
      for (const chain of dirty) {
        const rules = wanted.get(chain);
        const change = rules !== undefined ? diffChain(chain, present.get(chain), rules) : present.has(chain) ? { kind: "delete", chain } as const : undefined;
        if (change === undefined) dirty.delete(chain);
        else changes.push(change);
      }
      if (changes.length > 0) plans.push({ table, changes });
    }
    return plans;
  }

  /** The kernel has taken these changes, as planned. Wishes that came meanwhile stay open. */
  applied(plans: readonly TableChanges[]): void {
    for (const { table, changes } of plans) {
      const state = this.#tables[table as TableName];
      for (const change of changes) {
        if (change.kind === "delete") state.present.delete(change.chain);
        else state.present.set(change.chain, change.kind === "write" ? change.rules : editedRules(state.present.get(change.chain)!, change));
      }
    }
  }

  /** Everything wanted, by table. */
  wanted(table: TableName): Chains {
    this.#joinShared();
    return this.#tables[table].wanted;
  }

  #want(table: TableName, chain: string, rules: readonly string[] | undefined): void {
    const state = this.#tables[table], old = state.wanted.get(chain);
    if (rules !== undefined && sameLines(old, rules)) return;
    this.#ruleCounts[table] += (rules?.length ?? 0) - (old?.length ?? 0);
    if (rules === undefined) state.wanted.delete(chain);
    else state.wanted.set(chain, rules);
    state.dirty.add(chain);
  }

  /** Puts shared chains together again where a Service's lines changed: sorted by Service, so that edits stay small. */
  #joinShared(): void {
    if (this.#staleShared.size === 0) return;
    const names = [...this.#services.keys()].sort();
    for (const shared of this.#staleShared) {
      const lines: string[] = [];
      for (const name of names) lines.push(...this.#services.get(name)![shared.lines]);
      if (shared.lines === "natServices") lines.push(...this.#lastNatServices);
      this.#want(shared.table, shared.chain, lines);
    }
    this.#staleShared.clear();
  }
}

const emptyTable = (): TableState => ({ wanted: new Map(), present: new Map(), dirty: new Set() });
const isShared = (table: TableName, chain: string): boolean => SHARED.some((shared) => shared.table === table && shared.chain === chain);
const sameLines = (a: readonly string[] | undefined, b: readonly string[]): boolean => a !== undefined && a.length === b.length && a.every((line, i) => line === b[i]);

function editedRules(present: readonly string[], edit: Extract<ChainChange, { kind: "edit" }>): string[] {
  const removed = new Set(edit.remove), rules = present.filter((rule) => !removed.has(rule));
  for (const { position, rule } of edit.insert) rules.splice(position - 1, 0, rule);
  return rules;
}
