/**
 * Slow start: does `count` alike things in batches of 1, 2, 4 …, each only after the one before succeeded, so that a quota or a
 * rejecting webhook costs one failed call and not hundreds. Counterpart: `slowStartBatch` in `pkg/controller/replicaset`.
 */
export const SLOW_START_INITIAL_BATCH = 1;

/** Returns how many succeeded and the first failure, if any. */
export async function slowStart(count: number, act: (index: number) => Promise<void>): Promise<{ succeeded: number; error: unknown }> {
  let succeeded = 0, started = 0;
  for (let batch = Math.min(count, SLOW_START_INITIAL_BATCH); batch > 0; batch = Math.min(2 * batch, count - started)) {
    const results = await Promise.allSettled(Array.from({ length: batch }, (_, i) => act(started + i)));
    started += batch;
    for (const result of results) if (result.status === "fulfilled") succeeded++;
    const failed = results.find((r) => r.status === "rejected");
    if (failed !== undefined) return { succeeded, error: failed.reason };
  }
  return { succeeded, error: undefined };
}
