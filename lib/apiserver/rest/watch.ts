/**
 * GET with `watch`: from a revision, from now, or from the present state (`sendInitialEvents`, resourceVersion "" and "0").
 *
 * Revisions older than the cache's window come from the store's history until the window is reached; compacted ones end in
 * an ERROR event 410, inside a 200 answer, as upstream's. Bookmarks come about every minute and just before the end.
 * Counterpart: apiserver `storage/cacher` Watch and `endpoints/handlers/watch.go`.
 */
import { StatusError } from "../../api/status-error.ts";
import { CompactedError, type StoreEvent } from "../../storage/store.ts";
import type { Entry } from "../cache/entry.ts";
import type { CacheEvent } from "../cache/history.ts";
import type { WatchCache } from "../cache/watch-cache.ts";
import type { ApiResponse, ResponseStream } from "../http/exchange.ts";
import { listPrefix } from "../registry/keys.ts";
import type { Resource } from "../registry/resource.ts";
import { parseVersion, type ListOptions } from "./list-options.ts";
import { reach, tooOld } from "./list.ts";
import { Watcher, type WatchType } from "./watcher.ts";
import { errorFrame, jsonFrame, valueFrame } from "./watch-frames.ts";

export const BOOKMARK_PERIOD_MS = 60_000, BOOKMARK_BEFORE_END_MS = 2_000;
const DEFAULT_TIMEOUT_MIN_MS = 30 * 60_000;
const INITIAL_BATCH_BYTES = 256 * 1024;

/** How objects are shown: plain, as Table or as metadata only. `bookmark` makes the object of a bookmark. */
export interface WatchForm {
  readonly contentType: string;
  readonly frame: (type: WatchType, entry: Entry) => Buffer;
  readonly bookmark: (revision: number, initialEventsEnd: boolean) => unknown;
}

export interface WatchDeps { readonly cache: WatchCache; readonly resource: Resource; readonly random: () => number; readonly shutdown: AbortSignal }

/** The plain JSON form of a resource. */
export function plainForm(resource: Resource): WatchForm {
  const { definition, codec } = resource;
  return {
    contentType: "application/json",
    frame: definition.storage === undefined ? jsonFrame : (type, entry) => jsonFrame(type, resource.view(entry)),
    bookmark: (revision, end) => ({ kind: definition.kind, apiVersion: codec.apiVersion, metadata: bookmarkMetadata(revision, end) }),
  };
}

export const bookmarkMetadata = (revision: number, initialEventsEnd: boolean): object =>
  ({ resourceVersion: String(revision), ...(initialEventsEnd ? { annotations: { "k8s.io/initial-events-end": "true" } } : {}) });

/** Answers a watch; errors found after the head was sent travel as ERROR events. */
export function watchResponse(deps: WatchDeps, namespace: string, options: ListOptions, form: WatchForm): ApiResponse {
  return {
    status: 200, contentType: form.contentType,
    body: async (stream) => {
      try { await runWatch(deps, namespace, options, form, stream); }
      catch (error) {
        if (!(error instanceof StatusError)) throw error;
        stream.write(errorFrame(error));
      }
      stream.end();
    },
  };
}

async function runWatch(deps: WatchDeps, namespace: string, options: ListOptions, form: WatchForm, stream: ResponseStream): Promise<void> {
  const { cache, resource } = deps, resourceCache = resource.cache;
  const keyPrefix = listPrefix(resourceCache.prefix, namespace), { selector } = options;
  const matches = resource.definition.storage === undefined ? (entry: Entry): boolean => selector.matches(entry) : (entry: Entry): boolean => selector.matches(resource.view(entry));
  const asked = parseVersion(options.resourceVersion);
  const initial = options.sendInitialEvents ?? asked === 0;
  // An absent version asks for the state that is newest now; with initial events, a number asks for one at least as new.
  if (options.resourceVersion === "") await cache.caughtUp();
  else if (initial) await reach(cache, asked);
  if (stream.closed) return;
  const start = initial || asked === 0 ? cache.revision : asked;
  const watcher = new Watcher(stream, { keyPrefix, matches, frame: form.frame, afterRevision: start });
  const gone = new AbortController();
  stream.onClose(() => gone.abort());
  try {
    if (initial) {
      const entries = resourceCache.list(keyPrefix).filter(matches);
      resourceCache.subscribers.add(watcher);
      await sendInitial(entries, form, stream);
      if (options.sendInitialEvents === true && options.allowWatchBookmarks) stream.write(valueFrame("BOOKMARK", form.bookmark(start, true)));
    } else if (start >= resourceCache.history.start) {
      watcher.release();
      resourceCache.subscribers.add(watcher);
      watcher.onEvents(resourceCache.history.after(start));
    } else await replay(deps, start, watcher, gone.signal);
    if (stream.closed) return;
    watcher.release();
    await stay(deps, options, form, stream, watcher);
  } finally { resourceCache.subscribers.delete(watcher); }
}

/** Writes the present state; live events wait in the watcher meanwhile. */
async function sendInitial(entries: readonly Entry[], form: WatchForm, stream: ResponseStream): Promise<void> {
  let frames: Buffer[] = [], size = 0;
  for (const entry of entries) {
    const frame = form.frame("ADDED", entry);
    frames.push(frame);
    size += frame.length;
    if (size < INITIAL_BATCH_BYTES) continue;
    const flowing = stream.write(Buffer.concat(frames, size));
    frames = [];
    size = 0;
    if (stream.closed) return;
    if (flowing) await new Promise((resolve) => { setImmediate(resolve); });
    else await stream.drained();
  }
  if (size > 0) stream.write(Buffer.concat(frames, size));
}

/** Feeds a watcher from the store's history until the cache's window takes over. Throws Expired. */
async function replay(deps: WatchDeps, after: number, watcher: Watcher, gone: AbortSignal): Promise<void> {
  const { cache } = deps.resource, { codec, history, subscribers } = cache;
  const joined = new AbortController();
  watcher.release();
  const toChange = (event: StoreEvent): CacheEvent => {
    const previous = event.previous === undefined ? undefined : codec.load(event.previous.key, event.previous.value, event.previous.modRevision);
    if (event.type === "delete") return { type: "delete", revision: event.revision, entry: previous!.at(event.revision), previous };
    return { type: "put", revision: event.record.modRevision, entry: codec.load(event.record.key, event.record.value, event.record.modRevision), previous };
  };
  try {
    // The whole resource, not only what the client asked for: that is how far the window reaches back.
    await deps.resource.deps.store.watch(cache.prefix, after, (events) => {
      watcher.onEvents(events.map(toChange));
      if (watcher.revision < history.start) return;
      subscribers.add(watcher);
      watcher.onEvents(history.after(watcher.revision));
      joined.abort();
    }, AbortSignal.any([joined.signal, gone, deps.shutdown]));
  } catch (error) {
    if (error instanceof CompactedError) throw tooOld(after, error.compactedRevision);
    throw error;
  }
}

/** Keeps the answer open until its time is over, the client goes or the server stops; bookmarks on the way. */
function stay(deps: WatchDeps, options: ListOptions, form: WatchForm, stream: ResponseStream, watcher: Watcher): Promise<void> {
  const { timeoutSeconds = 0, allowWatchBookmarks } = options;
  const lengthMs = Math.min(timeoutSeconds > 0 ? timeoutSeconds * 1000 : DEFAULT_TIMEOUT_MIN_MS * (1 + deps.random()), 2 ** 31 - 1);
  const bookmark = (): void => {
    // Only when nothing waits: a bookmark says everything up to it was delivered.
    if (watcher.idle && !stream.closed) stream.write(valueFrame("BOOKMARK", form.bookmark(Math.max(watcher.revision, deps.cache.revision), false)));
  };
  return new Promise((resolve) => {
    const timers = [setTimeout(resolve, lengthMs)];
    if (allowWatchBookmarks) {
      timers.push(setInterval(bookmark, BOOKMARK_PERIOD_MS * (0.9 + 0.2 * deps.random())));
      if (lengthMs > BOOKMARK_BEFORE_END_MS) timers.push(setTimeout(bookmark, lengthMs - BOOKMARK_BEFORE_END_MS));
    }
    const end = (): void => {
      for (const timer of timers) clearTimeout(timer);
      deps.shutdown.removeEventListener("abort", end);
      resolve();
    };
    for (const timer of timers) timer.unref();
    stream.onClose(end);
    deps.shutdown.addEventListener("abort", end, { once: true });
    if (stream.closed || deps.shutdown.aborted) end();
  });
}
