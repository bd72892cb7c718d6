/**
 * Lifecycle: `run(signal)`. Abort means stop; the promise settles only when everything it started has stopped.
 * Counterpart: controller-runtime `runnable_group.go`.
 */
import { isAbort } from "./abort.ts";

export interface Runnable {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
}

/** Runs all together. The first to end, for any reason, stops the rest; the first failure is thrown when all have stopped. */
export async function runAll(runnables: readonly Runnable[], parent: AbortSignal): Promise<void> {
  const group = new AbortController(), signal = AbortSignal.any([parent, group.signal]);
  const failures: unknown[] = []; // In order of time, so [0] is the cause.
  await Promise.all(runnables.map(async (runnable) => {
    try { await runnable.run(signal); }
    catch (error) { if (!isAbort(error, signal)) failures.push(error); }
    finally { group.abort(); }
  }));
  if (failures.length > 0) throw failures[0];
}
