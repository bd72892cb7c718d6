/**
 * What clients saw, and whether one correct server could have shown it: pure.
 *
 * Every write carries a value of its own and names the revision it replaces, and every answer carries a revision, so the order in which
 * writes took effect is told by the server itself; the checker holds it against real time and against everything anybody read.
 * A write whose answer was lost may have taken effect or not; once somebody saw its value, it has.
 * Source: Herlihy and Wing, Linearizability (1990); etcd's robustness tests check the same of watches.
 */
export interface Write {
  readonly key: string;
  /** Unique in the history. */
  readonly value: string;
  /** Revision it replaces; 0: it creates. */
  readonly base: number;
  readonly invokedMs: number;
  /** Infinity while nobody answered. */
  readonly returnedMs: number;
  readonly outcome: "done" | "refused" | "unknown";
  /** Of a write that is done. */
  readonly revision?: number;
}
export interface Seen { readonly key: string; readonly value: string; readonly revision: number }
export interface Get extends Seen { readonly invokedMs: number; readonly returnedMs: number }
export interface List { readonly revision: number; readonly items: readonly Seen[]; readonly invokedMs: number; readonly returnedMs: number }
/** One watcher's events in the order they came, across reconnections that resumed where it was. */
export interface Watched { readonly fromRevision: number; readonly events: readonly Seen[] }
export interface History { readonly writes: readonly Write[]; readonly gets: readonly Get[]; readonly lists: readonly List[]; readonly watches: readonly Watched[] }

interface Effect { readonly write: Write; readonly revision: number }

/** What is wrong with the history, in words; nothing when one correct server explains it. */
export function violations(history: History): string[] {
  const found: string[] = [], effects = effectsOf(history, found), byKey = Map.groupBy(effects, ({ write }) => write.key);
  for (const [key, chain] of byKey) checkChain(key, chain, found);
  checkOrder(effects, found);
  checkGets(history.gets, byKey, found);
  checkLists(history.lists, byKey, effects, found);
  for (const watched of history.watches) checkWatch(watched, effects, found);
  return [...new Set(found)];
}

/** Writes that took effect, by revision. */
function effectsOf({ writes, gets, lists, watches }: History, found: string[]): Effect[] {
  const byValue = new Map(writes.map((write) => [write.value, write])), revisions = new Map<string, number>();
  for (const write of writes) if (write.outcome === "done") revisions.set(write.value, write.revision!);
  for (const seen of [...gets, ...lists.flatMap(({ items }) => items), ...watches.flatMap(({ events }) => events)]) {
    const write = byValue.get(seen.value), known = revisions.get(seen.value);
    if (write === undefined || write.key !== seen.key) { found.push(`phantom: ${seen.key} holds ${seen.value}, which nobody wrote there`); continue; }
    if (write.outcome === "refused") found.push(`refused write seen: ${seen.value} at revision ${seen.revision}`);
    if (known === undefined) revisions.set(seen.value, seen.revision);
    else if (known !== seen.revision) found.push(`doubled: ${seen.value} at revision ${known} and at ${seen.revision}`);
  }
  const effects = [...revisions].map(([value, revision]) => ({ write: byValue.get(value)!, revision })).toSorted((a, b) => a.revision - b.revision);
  for (const [i, { revision, write }] of effects.entries()) if (i > 0 && effects[i - 1]!.revision === revision) found.push(`one revision twice: ${revision} for ${effects[i - 1]!.write.value} and ${write.value}`);
  return effects;
}

/** Each write of a key replaced the one before it. */
function checkChain(key: string, chain: readonly Effect[], found: string[]): void {
  let before = 0;
  for (const { write, revision } of chain) {
    if (write.base !== before) found.push(`broken chain: ${write.value} replaced revision ${write.base} of ${key}, but ${before} was there`);
    before = revision;
  }
}

/** A write that was answered before another was asked for has the smaller revision. */
function checkOrder(effects: readonly Effect[], found: string[]): void {
  const returned = effects.toSorted((a, b) => a.write.returnedMs - b.write.returnedMs);
  let newest = 0, next = 0;
  for (const { write, revision } of effects.toSorted((a, b) => a.write.invokedMs - b.write.invokedMs)) {
    while (next < returned.length && returned[next]!.write.returnedMs < write.invokedMs) newest = Math.max(newest, returned[next++]!.revision);
    if (revision < newest) found.push(`reordered: ${write.value} has revision ${revision}, though ${newest} was answered before it was asked for`);
  }
}

/** Nobody reads less than what was answered or read before. */
function checkGets(gets: readonly Get[], byKey: ReadonlyMap<string, readonly Effect[]>, found: string[]): void {
  for (const [key, reads] of Map.groupBy(gets, (get) => get.key)) {
    const told = [...(byKey.get(key) ?? []).map(({ write, revision }) => ({ atMs: write.returnedMs, revision })), ...reads.map(({ returnedMs, revision }) => ({ atMs: returnedMs, revision }))].toSorted((a, b) => a.atMs - b.atMs);
    let newest = 0, next = 0;
    for (const read of reads.toSorted((a, b) => a.invokedMs - b.invokedMs)) {
      while (next < told.length && told[next]!.atMs < read.invokedMs) newest = Math.max(newest, told[next++]!.revision);
      if (read.revision < newest) found.push(`stale read: ${key} at revision ${read.revision}, though ${newest} was known before`);
    }
  }
}

/** A list shows each key as it was at the list's revision, and that is no older than what was answered before. */
function checkLists(lists: readonly List[], byKey: ReadonlyMap<string, readonly Effect[]>, effects: readonly Effect[], found: string[]): void {
  for (const list of lists) {
    const newest = effects.reduce((max, { write, revision }) => (write.returnedMs < list.invokedMs ? Math.max(max, revision) : max), 0);
    if (list.revision < newest) found.push(`stale list: at revision ${list.revision}, though ${newest} was answered before`);
    const shown = new Map(list.items.map((item) => [item.key, item.revision]));
    for (const [key, chain] of byKey) {
      const due = chain.findLast(({ revision }) => revision <= list.revision)?.revision;
      if (shown.get(key) !== due) found.push(`wrong list: ${key} at revision ${shown.get(key) ?? "none"} in a list of revision ${list.revision}, ${due ?? "none"} is due`);
    }
  }
}

/** Every effect once, in order, from where the watch began to the last event it showed. */
function checkWatch({ fromRevision, events }: Watched, effects: readonly Effect[], found: string[]): void {
  for (const [i, { revision, value }] of events.entries()) if (i > 0 && revision <= events[i - 1]!.revision) found.push(`watch out of order: ${value} at ${revision} after ${events[i - 1]!.revision}`);
  const last = events.at(-1)?.revision ?? 0, shown = new Set(events.map(({ revision }) => revision));
  for (const { revision, write } of effects) if (revision > fromRevision && revision <= last && !shown.has(revision)) found.push(`watch missed ${write.value} at revision ${revision}`);
}
