/** Bringing the cluster to a state and waiting until it is there: by watching, so as soon as it does. */
import type { Client, HasMeta } from "../client/client.ts";
import { ConnectionError } from "../client/client.ts";
import type { ResourceReference } from "../api/reference.ts";
import { hasReason, StatusError } from "../api/status-error.ts";
import type { ObjectMeta } from "../api/schema/generated/models.ts";
import type { Clock } from "../util/clock.ts";

const RETRY_MS = 50;

/** Repeats `attempt` until it returns something; the last error is in the message when `timeoutMs` runs out. For things that cannot be watched. */
export async function until<T>(what: string, attempt: () => Promise<T | undefined>, clock: Clock, timeoutMs: number): Promise<T> {
  const deadline = clock.monotonicMs() + timeoutMs;
  for (;;) {
    let last: unknown;
    try {
      const result = await attempt();
      if (result !== undefined) return result;
    } catch (error) { last = error; }
    if (clock.monotonicMs() > deadline) throw new Error(`Cannot go on: ${what} did not happen within ${timeoutMs / 1000} s${last === undefined ? "" : `: ${(last as Error).message}`}`, last === undefined ? {} : { cause: last });
    await clock.sleep(RETRY_MS);
  }
}

/** Lists, then watches `resource` until `reached` is true of the objects there; what is still missing goes into the error. */
export async function waitForObjects<T extends { metadata: ObjectMeta }>(
  client: Client, resource: ResourceReference<T>, namespace: string | undefined, reached: (objects: readonly T[]) => true | string, clock: Clock, timeoutMs: number, fieldSelector?: string,
): Promise<readonly T[]> {
  const stop = new AbortController();
  const cancel = clock.after(timeoutMs, () => stop.abort());
  let missing = "nothing was listed";
  try {
    for (;;) {
      try {
        const list = await client.list(resource, { namespace, ...(fieldSelector === undefined ? {} : { fieldSelector }) }, stop.signal);
        const objects = new Map(list.items.map((object) => [object.metadata.name, object]));
        const check = (): boolean => { const verdict = reached([...objects.values()]); if (verdict !== true) missing = verdict; return verdict === true; };
        if (check()) return [...objects.values()];
        for await (const event of client.watch(resource, { namespace, ...(fieldSelector === undefined ? {} : { fieldSelector }), resourceVersion: list.metadata.resourceVersion ?? "" }, stop.signal)) {
          if (event.type === "DELETED") objects.delete(event.object.metadata.name);
          else if (event.type !== "BOOKMARK") objects.set(event.object.metadata.name, event.object);
          if (check()) return [...objects.values()];
        }
      } catch (error) {
        if (stop.signal.aborted) throw new Error(`Cannot go on: ${missing} after ${timeoutMs / 1000} s`, { cause: error });
        const passing = error instanceof ConnectionError || hasReason(error, "Expired", "Gone", "ServiceUnavailable", "TooManyRequests") || (error instanceof StatusError && error.code >= 500);
        if (!passing) throw error;
        await clock.sleep(RETRY_MS, stop.signal);
      }
    }
  } finally {
    cancel();
    stop.abort();
  }
}

/** What is there already is left as it is: the administrator may have changed it. */
export async function createIfMissing<T extends HasMeta>(client: Client, resource: ResourceReference<T>, object: T): Promise<void> {
  const { namespace, name } = object.metadata;
  try { await client.get(resource, { namespace, name }); return; } // First, since a Service's address is taken before its name is looked at.
  catch (error) { if (!hasReason(error, "NotFound")) throw error; }
  try { await client.create(resource, object); }
  catch (error) { if (!hasReason(error, "AlreadyExists")) throw error; }
}
