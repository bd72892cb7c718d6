/**
 * Reflector: one resource, listed once and then watched, into a sink.
 *
 *   listing ──ok──► watching ──server ended it──► watching (from the last resourceVersion)
 *      ▲ ▲             │ └──connection lost──► pause ──► watching (from the last resourceVersion: no new list after a restart)
 *      │ └──410────────┘
 *      └──failed── pause (growing to 3 s, with jitter)
 *
 * Promises: the sink sees `replace` first, then every change in order; it never goes back in time except by a `replace`.
 * Counterpart: client-go `tools/cache/reflector.go`.
 */
import { isAbort } from "../util/abort.ts";
import { backoffMs, resolveBackoff } from "../util/backoff.ts";
import { hasReason, StatusError } from "../api/status-error.ts";
import { groupResource, type ResourceReference } from "../api/reference.ts";
import { ConnectionError, type Client, type HasMeta, type ListParameters } from "../client/client.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";

export const LIST_PAGE_OBJECTS = 1_000;
/** Watches are asked to end after this plus up to as much again, so that they spread over the servers. */
export const WATCH_TIMEOUT_SECONDS = 300;
/** A watch that ends sooner without an event is followed by a pause. */
const SHORT_WATCH_MS = 1_000;
const BACKOFF = resolveBackoff({ baseMs: 100, maxMs: 3_000, factor: 1.6, jitter: 0.3 });

export interface ReflectorSink<T> {
  replace(objects: T[]): void;
  change(type: "ADDED" | "MODIFIED" | "DELETED", object: T): void;
}

export interface ReflectorDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of each lost connection, with how many came in a row, instead of the log. */
  readonly onDisconnect?: ((error: ConnectionError, failures: number) => void) | undefined;
}
export interface ReflectorOptions { readonly namespace?: string | undefined; readonly labelSelector?: string | undefined; readonly fieldSelector?: string | undefined; readonly metadataOnly?: boolean | undefined }

export class Reflector<T extends HasMeta> {
  readonly #deps: ReflectorDeps;
  readonly #resource: ResourceReference<T>;
  readonly #selection: Pick<ListParameters, "namespace" | "labelSelector" | "fieldSelector" | "metadataOnly">;
  readonly #sink: ReflectorSink<T>;
  /** Undefined: must list. */
  #resourceVersion: string | undefined;
  #failures = 0;
  #watchingSinceMs: number | undefined;

  constructor(deps: ReflectorDeps, resource: ResourceReference<T>, options: ReflectorOptions, sink: ReflectorSink<T>) {
    this.#deps = { ...deps, log: deps.log.child({ resource: groupResource(resource) }) };
    this.#resource = resource;
    this.#sink = sink;
    this.#selection = {
      ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
      ...(options.labelSelector === undefined ? {} : { labelSelector: options.labelSelector }),
      ...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
      ...(options.metadataOnly === undefined ? {} : { metadataOnly: options.metadataOnly }),
    };
  }

  /** Since when (monotonic) we hear of every change; undefined while the server is away or refuses. A watch that the server ends in good order and we open again does not count as a gap. */
  get watchingSinceMs(): number | undefined { return this.#watchingSinceMs; }

  /** Runs until `signal` aborts; nothing else ends it. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#resourceVersion === undefined) await this.#list(signal);
        await this.#watch(signal);
      } catch (error) {
        if (isAbort(error, signal)) return;
        await this.#recover(error, signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client } = this.#deps, objects: T[] = [];
    let token: string | undefined;
    do {
      const page = await client.list(this.#resource, { ...this.#selection, limit: LIST_PAGE_OBJECTS, ...(token === undefined ? {} : { continue: token }) }, signal);
      for (const object of page.items) objects.push(object);
      token = page.metadata.continue === "" ? undefined : page.metadata.continue;
      if (token === undefined) this.#resourceVersion = page.metadata.resourceVersion ?? "";
    } while (token !== undefined);
    this.#sink.replace(objects);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#deps, startedMs = clock.monotonicMs();
    const timeoutSeconds = Math.round(WATCH_TIMEOUT_SECONDS * (1 + Math.random()));
    let events = 0;
    this.#watchingSinceMs ??= startedMs;
    const parameters = { ...this.#selection, resourceVersion: this.#resourceVersion!, allowWatchBookmarks: true, timeoutSeconds };
    for await (const event of client.watch(this.#resource, parameters, signal)) {
      events++;
      this.#failures = 0;
      if (event.type === "ERROR") continue; // The client throws these.
      if (event.type !== "BOOKMARK") this.#sink.change(event.type, event.object);
      this.#resourceVersion = event.object.metadata.resourceVersion ?? this.#resourceVersion!;
    }
    if (events > 0 || clock.monotonicMs() - startedMs >= SHORT_WATCH_MS) this.#failures = 0;
    else await this.#pause(signal);
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const { log } = this.#deps;
    this.#watchingSinceMs = undefined;
    if (hasReason(error, "Expired", "Gone") || (error instanceof StatusError && error.code === 410)) {
      log.info({ resourceVersion: this.#resourceVersion, error }, "resource version expired, listing again");
      this.#resourceVersion = undefined;
      if (this.#failures === 0) { this.#failures = 1; return; } // The first time at once.
    } else if (error instanceof ConnectionError) {
      // Every informer of the process loses its server at once: who owns them says so once.
      if (this.#deps.onDisconnect === undefined) log.debug({ error }, "server is away, will retry");
      else this.#deps.onDisconnect(error, this.#failures);
    } else log[this.#failures >= 2 ? "warn" : "debug"]({ error, failures: this.#failures }, "list or watch failed, will retry");
    await this.#pause(signal);
  }

  async #pause(signal: AbortSignal): Promise<void> {
    try { await this.#deps.clock.sleep(backoffMs(BACKOFF, this.#failures++), signal); }
    catch (error) { if (!isAbort(error, signal)) throw error; }
  }
}
