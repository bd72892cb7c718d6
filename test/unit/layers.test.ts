/** Holds the code to the layers of docs/ARCHITECTURE.md by reading import lines in the source text (type stripping hides `import type`). */
import test from "ava";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const LAYERS = [["util"], ["storage", "cri", "streams", "node-iptables", "host", "pki"], ["api"], ["client"], ["runtime"],
  ["apiserver", "scheduler", "controllers", "cloud", "kubelet", "proxy", "network", "dns", "install"]];
/** Beyond the layers: who alone may import a folder. */
const ONLY: Record<string, readonly string[]> = { storage: ["apiserver"] };

const root = path.resolve(import.meta.dirname, "../..");
function rank(folder: string): number {
  const index = LAYERS.findIndex((layer) => layer.includes(folder));
  if (index < 0) throw new Error(`lib/${folder} is missing from LAYERS`);
  return index;
}
const mayImport = (from: string, to: string): boolean => from === to || (rank(to) < rank(from) && (ONLY[to] ?? [from]).includes(from));

test("imports go only to layers further left", (t) => {
  const wrong: string[] = [];
  for (const file of readdirSync(path.join(root, "lib"), { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".ts")) continue;
    const from = file.split(path.sep)[0]!;
    const text = readFileSync(path.join(root, "lib", file), "utf8");
    for (const match of text.matchAll(/(?:^(?:import|export)[^;'"]*?|\bimport\()["'](\.[^"']+)["']/gm)) {
      const target = path.relative(path.join(root, "lib"), path.resolve(root, "lib", path.dirname(file), match[1]!));
      const to = target.split(path.sep)[0]!;
      if (to === "..") wrong.push(`lib/${file} imports ${match[1]} outside lib`);
      else if (!mayImport(from, to)) wrong.push(`lib/${file} (${from}) imports ${to}`);
    }
  }
  t.deepEqual(wrong, []);
});

test("mayImport() refuses backwards, sideways and the store for others", (t) => {
  t.false(mayImport("api", "client"));
  t.false(mayImport("kubelet", "proxy"));
  t.false(mayImport("kubelet", "storage"));
  t.true(mayImport("apiserver", "storage"));
});

/** Modules a file loads when it runs: static and lazy imports, none that vanish with the types. */
function loaded(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const match of readFileSync(file, "utf8").matchAll(/(?:^(?:import|export) (?!type\b)[^;'"]*?from |^import |\bimport\()["'](\.[^"']+)["']/gm)) loaded(path.resolve(path.dirname(file), match[1]!), seen);
  return seen;
}

test("what an operator runs on a laptop loads nothing that needs a Linux host", (t) => {
  const files = [...loaded(path.join(root, "cmd/kaji/remote-commands.ts"))].map((file) => path.relative(root, file));
  t.true(files.includes("lib/install/remote/connect.ts") && files.length > 40);
  t.deepEqual(files.filter((file) => /^lib\/(?!util|client|api|pki|install\/)/.test(file) || (file.startsWith("lib/install/host/") && !/(members-report|cluster-settings)\.ts$/.test(file))), []);
});
