import test from "ava";
import fc from "fast-check";
import { EDIT_DIFFERENCES_MAX, diffChain, diffTable, type ChainChange } from "../../../lib/node-iptables/diff.ts";
import type { Chains } from "../../../lib/node-iptables/model.ts";
import { renderTransaction } from "../../../lib/node-iptables/transaction.ts";

const numbered = (n: number, prefix = "r"): string[] => Array.from({ length: n }, (_, i) => `-j ${prefix}${i}`);

const byName = (chains: Chains): object => Object.fromEntries(chains);

/** A dumb iptables-restore --noflush: enough to see what a transaction's text does. Refuses what the real one refuses. */
function applyText(present: Chains, text: string): Map<string, string[]> {
  const chains = new Map([...present].map(([name, rules]) => [name, [...rules]]));
  for (const line of text.split("\n").filter((l) => l !== "" && l !== "COMMIT" && !l.startsWith("*"))) {
    if (line.startsWith(":")) { chains.set(line.slice(1).split(" ")[0]!, []); continue; }
    const [op, name, ...words] = line.split(" "), chain = chains.get(name!);
    if (chain === undefined) throw new Error(`no chain ${name}: ${line}`);
    const jumpsTo = (target: string): void => { if (/^[A-Z]/.test(target) && !chains.has(target)) throw new Error(`jump to nowhere: ${line}`); };
    if (op === "-A") { jumpsTo(words.at(-1)!); chain.push(words.join(" ")); }
    else if (op === "-I") { if (Number(words[0]) > chain.length + 1) throw new Error(`bad position: ${line}`); chain.splice(Number(words[0]) - 1, 0, words.slice(1).join(" ")); }
    else if (op === "-D") { const at = chain.indexOf(words.join(" ")); if (at < 0) throw new Error(`no such rule: ${line}`); chain.splice(at, 1); }
    else if (op === "-X") {
      for (const rules of chains.values()) if (rules.includes(`-j ${name}`)) throw new Error(`still referenced: ${line}`);
      chains.delete(name!);
    }
  }
  return chains;
}

test("diffChain() says nothing when the chain is as wanted", (t) => {
  t.is(diffChain("A", ["-j X"], ["-j X"]), undefined);
  t.deepEqual(diffChain("A", undefined, []), { kind: "write", chain: "A", rules: [] });
});

test("diffChain() writes small chains anew and edits large ones in place", (t) => {
  t.is(diffChain("A", ["-j X"], ["-j Y"])?.kind, "write");
  const before = numbered(100), after = [...before.slice(0, 50), "-j new", ...before.slice(51)];
  t.deepEqual(diffChain("A", before, after), { kind: "edit", chain: "A", remove: ["-j r50"], insert: [{ position: 51, rule: "-j new" }] });
});

test("diffChain() writes a large chain anew when rules moved, are doubled, or differ too much", (t) => {
  const before = numbered(100);
  t.is(diffChain("A", before, before.toReversed())?.kind, "write");
  t.is(diffChain("A", before, [...before, "-j r0"])?.kind, "write");
  t.is(diffChain("A", before, [...numbered(EDIT_DIFFERENCES_MAX, "new"), ...before.slice(EDIT_DIFFERENCES_MAX)])?.kind, "write");
});

test("diffTable() deletes only owned chains that are not wanted", (t) => {
  const present = new Map([["OUR-OLD", ["-j r"]], ["THEIRS", ["-j r"]], ["OUR-SAME", ["-j r"]]]);
  const changes = diffTable(present, new Map([["OUR-SAME", ["-j r"]], ["OUR-NEW", []]]), (chain) => chain.startsWith("OUR-"));
  t.deepEqual(changes, [{ kind: "write", chain: "OUR-NEW", rules: [] }, { kind: "delete", chain: "OUR-OLD" }]);
});

test("renderTransaction() turns present chains into the wanted ones, whatever they are and however it is cut", (t) => {
  // Chains jump only to chains with a greater letter, as rules without loops do.
  const letters = "ABCDEFGHIJ".split("");
  const table = fc.uniqueArray(fc.constantFrom(...letters), { minLength: 0 }).chain((names) => fc.tuple(...names.map((name) =>
    fc.tuple(fc.constant(name), fc.array(fc.oneof(fc.constantFrom(...numbered(5)), fc.constantFrom(...names.filter((n) => n > name).map((n) => `-j ${n}`), "-j r9")))))));
  fc.assert(fc.property(table, table, fc.integer({ min: 1, max: 4 }), (before, after, chunkChains) => {
    const present = new Map(before), wanted = new Map(after);
    const text = renderTransaction([{ table: "nat", changes: diffTable(present, wanted, () => true) }], { chunkChains });
    const got = applyText(present, text);
    t.deepEqual(byName(got), byName(wanted));
    t.is(renderTransaction([{ table: "nat", changes: diffTable(got, wanted, () => true) }]), "", "a second pass has nothing to do");
  }), { numRuns: 300 });
});

test("renderTransaction() edits a large chain at the right places", (t) => {
  fc.assert(fc.property(fc.subarray(numbered(100), { minLength: 80 }), fc.subarray([...numbered(100), ...numbered(5, "x")], { minLength: 85 }), (before, after) => {
    const change = diffChain("a", before, after), changes: ChainChange[] = change === undefined ? [] : [change];
    t.deepEqual(applyText(new Map([["a", before]]), renderTransaction([{ table: "nat", changes }])).get("a"), after);
  }), { numRuns: 200 });
});

test("renderTransaction() writes one block a table, nat before filter", (t) => {
  const write = (chain: string): ChainChange => ({ kind: "write", chain, rules: ["-j ACCEPT"] });
  t.is(renderTransaction([{ table: "filter", changes: [write("b")] }, { table: "nat", changes: [write("a"), { kind: "delete", chain: "c" }] }, { table: "raw", changes: [] }]),
    "*nat\n:a - [0:0]\n:c - [0:0]\n-A a -j ACCEPT\n-X c\nCOMMIT\n*filter\n:b - [0:0]\n-A b -j ACCEPT\nCOMMIT\n");
});
