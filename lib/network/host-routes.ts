/**
 * Host routes: on a host that runs no pods (a master) the routes to the nodes' pods, so that webhooks and proxies reach them.
 * Promises: one route a node, `podCIDR via InternalIP`, put back when something took it away; stale ones go; those of others
 * are never touched. On a machine that is a node itself it does nothing: there the routes are the pod network's.
 */
import { networkInterfaces } from "node:os";
import type { Node } from "../api/schema/generated/models.ts";
import type { Informer } from "../runtime/informer.ts";
import { aborted, isAbort } from "../util/abort.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import type { Runnable } from "../util/runnable.ts";
import { Wakeup } from "../util/wakeup.ts";
import { IpRoute } from "./iproute.ts";
import { peersOf } from "./peers.ts";
import { planRoutes } from "./plan-routes.ts";
import { RouteKeeper } from "./route-keeper.ts";

export interface HostRoutesDeps { readonly nodes: Informer<Node>; readonly clock: Clock; readonly log: Logger; readonly ip?: IpRoute }
export interface HostRoutesOptions {
  /** This host's own node, if it is one: no route leads to itself. */
  readonly nodeName?: string;
  /** Takes the routes away at the end. */
  readonly removeOnStop?: boolean;
  readonly resyncMs?: number;
}

const RESYNC_MS = 5_000;

export class HostRoutes implements Runnable {
  readonly name = "host routes";
  readonly #deps: HostRoutesDeps;
  readonly #options: HostRoutesOptions;
  readonly #keeper: RouteKeeper;

  constructor(deps: HostRoutesDeps, options: HostRoutesOptions = {}) {
    this.#deps = deps;
    this.#options = options;
    this.#keeper = new RouteKeeper(deps.ip ?? new IpRoute(), deps.log);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { nodes, clock, log } = this.#deps, { removeOnStop = false, resyncMs = RESYNC_MS } = this.#options;
    const wakeup = new Wakeup(clock);
    const stop = nodes.onChange((change) => { if (change.type !== "updated" || JSON.stringify(peersOf([change.object], "")) !== JSON.stringify(peersOf([change.old], ""))) wakeup.ring(); });
    try {
      await Promise.race([nodes.synced, aborted(signal)]); // Before that, every route would look stale.
      while (!signal.aborted) {
        try { await this.#sync(); }
        catch (error) { log.error({ error }, "cannot write routes to pods, will retry"); }
        wakeup.ringIn(resyncMs);
        await wakeup.wait(signal);
      }
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    } finally {
      stop();
      if (removeOnStop && !this.#isNode()) await this.#keeper.clear().catch((error: unknown) => log.warn({ error }, "cannot remove routes to pods"));
    }
  }

  async #sync(): Promise<void> {
    if (this.#isNode()) return;
    await this.#keeper.sync(planRoutes(peersOf(this.#deps.nodes.list(), this.#options.nodeName ?? ""), "routes", []));
  }

  #isNode(): boolean {
    const own = new Set(Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address)));
    return peersOf(this.#deps.nodes.list(), "").some((peer) => own.has(peer.address));
  }
}
