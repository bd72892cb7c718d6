/**
 * Starting more of ourselves: a worker thread, or this program again as a child. The only module that knows in which form we run.
 *
 * | form | worker thread | child process |
 * |---|---|---|
 * | source (`.ts` files) | the module itself, by URL | node + `cmd/kaji/main.ts` |
 * | one bundle (`kaji.mjs`) | `workers/NAME.mjs` beside it | node + the bundle |
 * | single executable | asset `NAME`, a CommonJS bundle, evaluated | the executable |
 *
 * In a single executable neither `new Worker(file)` nor `fork` work as in source: hence one place for it.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { getAsset, isSea } from "node:sea";
import { Worker, type WorkerOptions } from "node:worker_threads";

export interface WorkerEntry {
  /** Name of the worker's bundle: `workers/NAME.mjs` beside a bundle, asset `NAME` in a single executable. */
  readonly name: string;
  /** `new URL("./the-worker.ts", import.meta.url)` as written in the module that starts it. */
  readonly source: URL;
}

export type Form = "source" | "bundle" | "executable";

/** How this program was started. */
export function form(): Form {
  if (isSea()) return "executable";
  return import.meta.url.endsWith(".ts") ? "source" : "bundle";
}

/** Starts a worker thread. Its failures arrive as the `error` event, as with any Worker. */
export function startWorker(entry: WorkerEntry, options: Omit<WorkerOptions, "eval"> = {}): Worker {
  const named = { name: entry.name, ...options };
  switch (form()) {
    case "source": return new Worker(entry.source, named);
    case "bundle": return new Worker(new URL(`./workers/${entry.name}.mjs`, import.meta.url), named);
    case "executable": return new Worker(getAsset(entry.name, "utf8"), { ...named, eval: true });
  }
}

/** The command line that runs this program again with `args` (the first is the daemon's name, as `kaji` takes it). */
export function selfCommand(args: readonly string[]): { command: string; args: string[] } {
  switch (form()) {
    case "source": return { command: process.execPath, args: [fileURLToPath(new URL("../../cmd/kaji/main.ts", import.meta.url)), ...args] };
    case "bundle": return { command: process.execPath, args: [fileURLToPath(import.meta.url), ...args] };
    case "executable": return { command: process.execPath, args: [...args] };
  }
}

/** A text shipped with the program: a file of the source tree, `assets/NAME` beside a bundle, or asset `NAME` of an executable. */
export function readAsset(name: string, source: URL): string {
  switch (form()) {
    case "source": return readFileSync(source, "utf8");
    case "bundle": return readFileSync(new URL(`./assets/${name}`, import.meta.url), "utf8");
    case "executable": return getAsset(name, "utf8");
  }
}
