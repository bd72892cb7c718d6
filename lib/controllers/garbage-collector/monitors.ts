/**
 * Monitors: one informer (of metadata, where nobody needs more) for every kind that can be deleted, following what the server serves.
 *
 * Promises: a kind that appears is watched within seconds of its definition; one that goes is no longer asked for; events are left out,
 * they own nothing and nobody owns them. Counterpart: kubernetes `pkg/controller/garbagecollector` Sync and GetDeletableResources.
 */
import { apiVersionOf, type ResourceReference } from "../../api/reference.ts";
import { discover } from "../../client/discovery.ts";
import { isAbort } from "../../util/abort.ts";
import { Wakeup } from "../../util/wakeup.ts";
import type { Client, HasMeta } from "../../client/client.ts";
import type { Change, Informer } from "../../runtime/informer.ts";
import type { SharedInformers } from "../../runtime/shared-informers.ts";
import type { Clock } from "../../util/clock.ts";
import type { Logger } from "../../util/logger.ts";

export const DISCOVERY_PERIOD_MS = 60_000;
/** After a definition changed: the server needs a moment to serve it. */
const DEFINITION_DELAYS_MS = [500, 5_000] as const;
/** Work starts without kinds that could not be listed by then. */
export const SYNC_PATIENCE_MS = 30_000;
const RETRY_MS = 5_000;
const IGNORED = new Set(["/events", "events.k8s.io/events"]);
const DEFINITIONS = new Set(["apiextensions.k8s.io/customresourcedefinitions", "apiregistration.k8s.io/apiservices"]);

interface Monitor { readonly informer: Informer<HasMeta>; readonly own: boolean; readonly remove: () => void }

export class Monitors {
  readonly #deps: { client: Client; clock: Clock; log: Logger; informers: SharedInformers };
  readonly #onChange: (resource: ResourceReference, change: Change<HasMeta>) => void;
  readonly #monitors = new Map<string, Monitor>();
  readonly #kinds = new Map<string, ResourceReference>();
  readonly #wakeup: Wakeup;

  constructor(deps: { client: Client; clock: Clock; log: Logger; informers: SharedInformers }, onChange: (resource: ResourceReference, change: Change<HasMeta>) => void) {
    this.#deps = deps;
    this.#onChange = onChange;
    this.#wakeup = new Wakeup(deps.clock);
  }

  /** The resource behind an owner reference; undefined when the server serves no such kind (or did not when last asked). */
  resourceOf(apiVersion: string, kind: string): ResourceReference | undefined { return this.#kinds.get(`${apiVersion} ${kind}`); }

  /** Asks the server anew soon. */
  refresh(): void { this.#wakeup.ring(); }

  /** Whether everything watched so far has been listed once. */
  get synced(): boolean { return [...this.#monitors.values()].every((m) => m.informer.hasSynced); }

  /** Follows discovery until `signal` aborts; calls `ready` once, when all kinds are listed or patience ended. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock, log } = this.#deps;
    let isReady = false;
    while (!signal.aborted) {
      try {
        await this.#sync(signal);
        if (!isReady) {
          await Promise.race([Promise.all([...this.#monitors.values()].map((m) => m.informer.synced)), clock.sleep(SYNC_PATIENCE_MS, signal)]);
          if (!this.synced) log.warn({ resources: [...this.#monitors].filter(([, m]) => !m.informer.hasSynced).map(([id]) => id) }, "garbage collection starts without some kinds");
          isReady = true;
          ready();
        }
      } catch (error) {
        if (isAbort(error, signal)) return;
        log.warn({ error }, "discovery for garbage collection failed, will retry");
        this.#wakeup.ringIn(RETRY_MS);
      }
      this.#wakeup.ringIn(DISCOVERY_PERIOD_MS);
      await this.#wakeup.wait(signal);
    }
  }

  async #sync(signal: AbortSignal): Promise<void> {
    const { client, informers, log } = this.#deps, { resources, failed } = await discover(client, signal);
    for (const r of resources) this.#kinds.set(`${apiVersionOf(r)} ${r.kind}`, r);
    const wanted = new Map(resources.filter((r) => r.preferred && ["list", "watch", "delete"].every((v) => r.verbs.includes(v))).map((r) => [`${r.group}/${r.plural}`, r]));
    for (const [id, resource] of wanted) {
      if (IGNORED.has(id) || this.#monitors.has(id)) continue;
      const reference = resource as ResourceReference<HasMeta>, informer = informers.get(reference, { metadataOnly: true, transform: metadataOnly });
      const remove = informer.onChange((change) => {
        if (DEFINITIONS.has(id)) for (const ms of DEFINITION_DELAYS_MS) this.#deps.clock.after(ms, () => this.refresh());
        this.#onChange(reference, change);
      });
      this.#monitors.set(id, { informer, own: informer.metadataOnly, remove });
    }
    for (const [id, { informer, own, remove }] of this.#monitors) {
      // A group that cannot be asked just now is not gone.
      if (wanted.has(id) || [...failed.keys()].some((gv) => gv.split("/")[0] === id.split("/")[0])) continue;
      log.info({ resource: id }, "kind is no longer served");
      remove();
      this.#monitors.delete(id);
      if (own) await informers.drop(informer);
    }
  }
}

/** A server that sends whole objects must not cost us their memory. */
const metadataOnly = (object: HasMeta): HasMeta => {
  const { metadata, apiVersion, kind } = object as HasMeta & { apiVersion?: string; kind?: string };
  return { apiVersion, kind, metadata } as HasMeta;
};
