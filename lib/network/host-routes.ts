/**
 * Host routes: on a host that runs no pods (a master) the routes to the nodes' pods, so that webhooks and proxies reach them.
 * Promises: one route a node, `podCIDR via InternalIP`, put back when something took it away; stale ones go; those of others
 * are never touched. Use it beside the master's daemons; a node's own routes are the pod network's.
 */
import type { Node } from "../api/schema/generated/models.ts";
import type { Informer } from "../runtime/informer.ts";
import { aborted, isAbort } from "../util/abort.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import type { Runnable } from "../util/runnable.ts";
import { IpRoute } from "./iproute.ts";
import { peersOf } from "./peers.ts";
import { planRoutes } from "./plan-routes.ts";
import { RouteKeeper } from "./route-keeper.ts";
import { Wake } from "./wake.ts";

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
    const { nodes, clock, log } = this.#deps, { nodeName = "", removeOnStop = false, resyncMs = RESYNC_MS } = this.#options;
    const wake = new Wake(clock);
    const stop = nodes.onChange((change) => { if (change.type !== "updated" || JSON.stringify(peersOf([change.object], "")) !== JSON.stringify(peersOf([change.old], ""))) wake.now(); });
    try {
      await Promise.race([nodes.synced, aborted(signal)]); // Before that, every route would look stale.
      while (!signal.aborted) {
        try { await this.#keeper.sync(planRoutes(peersOf(nodes.list(), nodeName), "routes", [])); }
        catch (error) { log.error({ error }, "cannot write routes to pods, will retry"); }
        await wake.wait(resyncMs, signal);
      }
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    } finally {
      stop();
      if (removeOnStop) await this.#keeper.clear().catch((error: unknown) => log.warn({ error }, "cannot remove routes to pods"));
    }
  }
}
