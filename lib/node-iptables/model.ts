/**
 * What `iptables-save` prints, as values. A rule's body is kept as text (all that follows `-A CHAIN `), because that text is
 * what the kernel's tools agree on; `rule.ts` makes such text, `split-arguments.ts` takes it apart.
 */
export type Family = 4 | 6;
export type TableName = "filter" | "nat" | "mangle" | "raw" | "security";

export interface Counters { readonly packets: number; readonly bytes: number }

export interface Rule {
  readonly chain: string;
  /** Everything after `-A CHAIN `, exactly as printed. */
  readonly body: string;
  /** Present when saved with counters. */
  readonly counters?: Counters;
}

export interface Chain {
  readonly name: string;
  /** ACCEPT, DROP or QUEUE on a built-in chain, `-` on any other. */
  readonly policy: string;
  readonly counters?: Counters;
}

export interface Table { readonly name: string; readonly chains: readonly Chain[]; readonly rules: readonly Rule[] }

/** A save file in order: tables with the comment lines between them, so that rendering gives the same bytes. */
export type SaveItem = { readonly kind: "comment"; readonly text: string } | { readonly kind: "table"; readonly table: Table };

/** Chain name to rule bodies in order: the form differences are computed on. */
export type Chains = ReadonlyMap<string, readonly string[]>;

/** The chains of one table of a parsed save file; empty when the table is absent. */
export function chainsOf(items: readonly SaveItem[], table: string): Map<string, string[]> {
  const chains = new Map<string, string[]>();
  for (const item of items) {
    if (item.kind !== "table" || item.table.name !== table) continue;
    for (const chain of item.table.chains) chains.set(chain.name, []);
    for (const rule of item.table.rules) {
      const rules = chains.get(rule.chain);
      if (rules === undefined) chains.set(rule.chain, [rule.body]);
      else rules.push(rule.body);
    }
  }
  return chains;
}
