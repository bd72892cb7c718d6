/**
 * `npm run bench -- NAME [NAME…]`: runs `test/bench/NAME.ts`, whose `run(print)` prints one JSON line a figure.
 * Every line carries the bench's name. Without a name: the list of them. Exit code 1 when one fails.
 * The programs they say they need are installed before the first starts, so that none ends half way.
 */
import { readdirSync } from "node:fs";
import path from "node:path";
import { installPackages, missingPackages, type Requirement } from "../../lib/install/packages.ts";

export type Print = (figure: Record<string, unknown>) => void;
export interface Bench {
  /** Programs it runs that a machine may lack. */
  readonly requirements?: readonly Requirement[];
  run(print: Print): Promise<void>;
}

const known = readdirSync(import.meta.dirname).filter((file) => file.endsWith(".ts") && file !== "run.ts").map((file) => path.basename(file, ".ts")).sort();
const names = process.argv.slice(2);
if (names.length === 0 || names.some((name) => !known.includes(name))) {
  process.stderr.write(`Usage: npm run bench -- NAME…\n\nNames: ${known.join(" ")}\n`);
  process.exit(1);
}
const benches: readonly (readonly [string, Bench])[] = await Promise.all(names.map(async (name) => [name, (await import(`./${name}.ts`)) as Bench] as const));
await installPackages(await missingPackages(benches.flatMap(([, { requirements = [] }]) => requirements)));
for (const [name, bench] of benches) {
  await bench.run((figure) => { process.stdout.write(`${JSON.stringify({ bench: name, ...figure })}\n`); });
}
