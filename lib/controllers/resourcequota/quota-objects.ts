/**
 * The objects quotas are measured by: whole pods, Services and claims; of every other kind, once some quota counts it, the metadata.
 * Counterpart: kubernetes `pkg/controller/resourcequota/resource_quota_monitor.go`. Differs: kinds that no quota counts are not watched.
 */
import { quotaEvaluator } from "../../api/quota/evaluators.ts";
import type { QuotaEvaluator } from "../../api/quota/evaluator.ts";
import { persistentvolumeclaims, services } from "../../api/schema/generated/references.ts";
import { discover, type DiscoveredResource } from "../../client/discovery.ts";
import type { HasMeta } from "../../client/client.ts";
import type { Change, Informer } from "../../runtime/informer.ts";
import type { ControllerContext } from "../shared/context.ts";
import { podInformer } from "../shared/pod-indexes.ts";

/** A kind the server did not serve is asked for again no sooner than this. */
export const DISCOVERY_PATIENCE_MS = 10_000;

export type QuotaChangeHandler = (evaluator: QuotaEvaluator<unknown>, change: Change<HasMeta>) => void;

export class QuotaObjects {
  readonly #context: ControllerContext;
  #handler: QuotaChangeHandler | undefined;
  readonly #informers = new Map<QuotaEvaluator<unknown>, Informer<HasMeta>>();
  #discovered: Promise<readonly DiscoveredResource[]> | undefined;
  #discoveredAtMs = Number.NEGATIVE_INFINITY;

  constructor(context: ControllerContext) {
    this.#context = context;
    const whole: [string, Informer<HasMeta>][] = [["pods", podInformer(context.informers) as never], ["services", context.informers.get(services) as never], ["persistentvolumeclaims", context.informers.get(persistentvolumeclaims) as never]];
    for (const [plural, informer] of whole) this.#informers.set(quotaEvaluator("", plural)!, informer);
  }

  /** Tells of every change from here on, and first of all that is there. Call once. */
  onChange(handler: QuotaChangeHandler): void {
    this.#handler = handler;
    for (const [evaluator, informer] of this.#informers) informer.onChange((change) => handler(evaluator, change));
  }

  /** What is there from the start. */
  get basic(): readonly { readonly synced: Promise<void> }[] { return [...this.#informers.values()]; }

  /** The objects of a kind in a namespace, once they are known; undefined while the server serves no such kind. Throws when the server cannot be asked. */
  async list(evaluator: QuotaEvaluator<unknown>, namespace: string, signal: AbortSignal): Promise<readonly unknown[] | undefined> {
    let informer = this.#informers.get(evaluator);
    if (informer === undefined) {
      const resource = (await this.#resources(signal)).find(({ group, plural, namespaced, preferred }) => namespaced && preferred && group === evaluator.group && plural === evaluator.plural);
      if (resource === undefined) return undefined;
      informer = this.#informers.get(evaluator) ?? this.#add(evaluator, this.#context.informers.get(resource as DiscoveredResource & { readonly __type?: HasMeta }, { metadataOnly: true }) as never);
    }
    await informer.synced;
    return informer.list(namespace);
  }

  #add(evaluator: QuotaEvaluator<unknown>, informer: Informer<HasMeta>): Informer<HasMeta> {
    this.#informers.set(evaluator, informer);
    informer.onChange((change) => this.#handler?.(evaluator, change));
    return informer;
  }

  #resources(signal: AbortSignal): Promise<readonly DiscoveredResource[]> {
    const nowMs = this.#context.clock.monotonicMs();
    if (this.#discovered === undefined || nowMs - this.#discoveredAtMs > DISCOVERY_PATIENCE_MS) {
      this.#discoveredAtMs = nowMs;
      this.#discovered = discover(this.#context.client, signal).then(({ resources }) => resources);
      this.#discovered.catch(() => { this.#discovered = undefined; });
    }
    return this.#discovered;
  }
}
