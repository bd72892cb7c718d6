/**
 * GET of a collection, from the cache wherever the asked revision allows, else from the store's history.
 *
 * | resourceVersion | match | answered from |
 * |---|---|---|
 * | "" | | the cache, caught up with everything acknowledged |
 * | "0" | | the cache as it is, whole, whatever the limit |
 * | N | NotOlderThan or none | the cache, once it has reached N |
 * | N | Exact, or none with a limit | the state at N: the cache if nothing changed since, else the store |
 *
 * Counterpart: apiserver `storage/cacher` GetList and `storage/etcd3` for pages.
 */
import { StatusError, badRequest } from "../../api/status-error.ts";
import type { ListMeta } from "../../api/schema/generated/models.ts";
import { CompactedError, FutureRevisionError } from "../../storage/store.ts";
import type { Entry } from "../cache/entry.ts";
import type { WatchCache } from "../cache/watch-cache.ts";
import { listPrefix } from "../registry/keys.ts";
import type { Resource } from "../registry/resource.ts";
import { decodeContinue, encodeContinue } from "./continue-token.ts";
import { parseVersion, type ListOptions } from "./list-options.ts";

export interface Page { readonly entries: readonly Entry[]; readonly metadata: ListMeta }

const FRESH_TIMEOUT_MS = 3_000;
/** Records read from the store at a time while looking for matches. */
const SCAN_RECORDS = 500;

const EXPIRED_CONTINUE = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

const tooLarge = (asked: number, current: number): StatusError =>
  new StatusError("Timeout", `Timeout: Too large resource version: ${asked}, current: ${current}`, { details: { causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }], retryAfterSeconds: 1 } });

export const tooOld = (asked: number, oldest: number): StatusError => new StatusError("Expired", `too old resource version: ${asked} (${oldest})`);

/** Waits for the caches to show a revision. Throws Timeout when they do not get there. */
export async function reach(cache: WatchCache, revision: number): Promise<void> {
  if (!(await cache.reached(revision, FRESH_TIMEOUT_MS))) throw tooLarge(revision, cache.revision);
}

/** Lists one page. Throws StatusError: Expired, Timeout (revision not reached), BadRequest. */
export async function listPage(cache: WatchCache, resource: Resource, namespace: string, options: ListOptions): Promise<Page> {
  const prefix = listPrefix(resource.cache.prefix, namespace);
  if (options.continueToken !== "") return continuedPage(cache, resource, prefix, options);
  if (options.resourceVersion === "0") return cachePage(resource, prefix, cache.revision, undefined, { ...options, limit: 0 });
  const asked = parseVersion(options.resourceVersion), exact = options.resourceVersionMatch === "Exact" || (asked > 0 && options.limit > 0 && options.resourceVersionMatch === "");
  if (options.resourceVersion === "") await cache.caughtUp();
  else await reach(cache, asked);
  if (exact && resource.cache.changedRevision > asked) return storePage(resource, prefix, prefix, asked, options);
  return cachePage(resource, prefix, exact ? asked : cache.revision, undefined, options);
}

/** Cuts a page from the cache, whose state stands for `revision`. */
function cachePage(resource: Resource, prefix: string, revision: number, startKey: string | undefined, options: ListOptions): Page {
  const { selector, limit } = options, only = selector.name;
  let entries: Entry[];
  if (only !== undefined && (!resource.definition.namespaced || prefix !== resource.cache.prefix)) {
    const entry = resource.cache.get(prefix + only);
    entries = entry === undefined ? [] : [entry];
  } else entries = resource.cache.list(prefix);
  if (startKey !== undefined) entries = entries.filter((entry) => entry.key >= startKey);
  const total = entries.length, shown = resource.definition.storage === undefined ? undefined : resource;
  let next: string | undefined;
  if (!selector.everything || (limit > 0 && total > limit)) {
    const page: Entry[] = [];
    for (const entry of entries) {
      if (!selector.matches(shown === undefined ? entry : shown.view(entry))) continue;
      if (limit > 0 && page.length === limit) { next = `${page.at(-1)!.key}\0`; break; }
      page.push(entry);
    }
    entries = page;
  }
  return { entries, metadata: pageMetadata(revision, next, prefix, selector.everything && next !== undefined ? total - entries.length : undefined) };
}

function pageMetadata(revision: number, nextKey: string | undefined, prefix: string, remaining: number | undefined): ListMeta {
  return {
    resourceVersion: String(revision),
    ...(nextKey === undefined ? {} : { continue: encodeContinue(revision, nextKey, prefix) }),
    ...(remaining === undefined ? {} : { remainingItemCount: remaining }),
  };
}

async function continuedPage(cache: WatchCache, resource: Resource, prefix: string, options: ListOptions): Promise<Page> {
  if (options.resourceVersion !== "" && options.resourceVersion !== "0") throw badRequest("specifying resource version is not allowed when using continue");
  const token = decodeContinue(options.continueToken, prefix);
  if (token.revision < 0) {
    await cache.caughtUp();
    return cachePage(resource, prefix, cache.revision, token.startKey, options);
  }
  if (resource.cache.changedRevision <= token.revision && cache.revision >= token.revision) return cachePage(resource, prefix, token.revision, token.startKey, options);
  try { return await storePage(resource, prefix, token.startKey, token.revision, options); }
  catch (error) {
    if (!(error instanceof StatusError) || error.reason !== "Expired") throw error;
    throw new ExpiredContinueError(EXPIRED_CONTINUE, encodeContinue(-1, token.startKey, prefix));
  }
}

/** 410 with a token that goes on at the newest state. */
export class ExpiredContinueError extends StatusError {
  readonly continueToken: string;
  constructor(message: string, continueToken: string) { super("Expired", message); this.continueToken = continueToken; }
  override toStatus(): ReturnType<StatusError["toStatus"]> { return { ...super.toStatus(), metadata: { continue: this.continueToken } }; }
}

/** Reads a page of the past. */
async function storePage(resource: Resource, prefix: string, startKey: string, revision: number, options: ListOptions): Promise<Page> {
  const { selector, limit } = options, { codec } = resource.cache, entries: Entry[] = [];
  let from = startKey;
  try {
    for (;;) {
      const wanted = limit > 0 && selector.everything ? limit - entries.length : SCAN_RECORDS;
      const page = await resource.deps.store.list(prefix, { revision, startKey: from, limit: wanted });
      for (const [i, record] of page.records.entries()) {
        const entry = codec.load(record.key, record.value, record.modRevision);
        from = `${record.key}\0`;
        if (!selector.matches(resource.view(entry))) continue;
        entries.push(entry);
        if (limit > 0 && entries.length === limit) {
          const remaining = page.remaining + page.records.length - i - 1;
          return { entries, metadata: pageMetadata(revision, remaining > 0 ? from : undefined, prefix, selector.everything && remaining > 0 ? remaining : undefined) };
        }
      }
      if (page.remaining === 0) return { entries, metadata: pageMetadata(revision, undefined, prefix, undefined) };
    }
  } catch (error) {
    if (error instanceof CompactedError) throw tooOld(revision, error.compactedRevision);
    if (error instanceof FutureRevisionError) throw tooLarge(revision, error.currentRevision);
    throw error;
  }
}
