/**
 * `npm run bench -- NAME [NAME…]`: runs `test/bench/NAME.ts`, whose `run(print)` prints one JSON line a figure.
 * Every line carries the bench's name. Without a name: the list of them. Exit code 1 when one fails.
 */
import { readdirSync } from "node:fs";
import path from "node:path";

export type Print = (figure: Record<string, unknown>) => void;
export interface Bench { run(print: Print): Promise<void> }

const known = readdirSync(import.meta.dirname).filter((file) => file.endsWith(".ts") && file !== "run.ts").map((file) => path.basename(file, ".ts")).sort();
const names = process.argv.slice(2);
if (names.length === 0 || names.some((name) => !known.includes(name))) {
  process.stderr.write(`Usage: npm run bench -- NAME…\n\nNames: ${known.join(" ")}\n`);
  process.exit(1);
}
for (const name of names) {
  const bench = (await import(`./${name}.ts`)) as Bench;
  await bench.run((figure) => { process.stdout.write(`${JSON.stringify({ bench: name, ...figure })}\n`); });
}
