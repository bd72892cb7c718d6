/**
 * ResourceQuota: no write takes a namespace past its quotas.
 *
 * Promises: usage is written down before the object is, so that two writes at once cannot both have the last of it (what is written
 * down for an object that then fails is given back when the quota controller counts anew); writes of one namespace that come
 * together are charged together, with one write of each quota they touch; a namespace without quotas costs a look into a cache.
 * Counterpart: apiserver `admission/plugin/resourcequota`.
 */
import { quotaEvaluator } from "../../api/quota/evaluators.ts";
import type { QuotaEvaluator } from "../../api/quota/evaluator.ts";
import { listsEqual } from "../../api/quota/resource-list.ts";
import type { ResourceDefinition } from "../../api/resource-definition.ts";
import { resourcequotas } from "../../api/schema/generated/references.ts";
import type { ResourceQuota as Quota } from "../../api/schema/generated/models.ts";
import type { Clock } from "../../util/clock.ts";
import type { AdmissionAttributes, AdmissionOperation, AdmissionPlugin, CacheReader, InternalWriter } from "../contracts.ts";
import { chargeQuotas } from "./quota-check.ts";

/** Times usage is written anew after another writer came first. */
export const QUOTA_RETRIES_MAX = 3;
/** Namespaces whose last written quotas are remembered until the cache shows them. */
const WRITTEN_MAX = 1_000;

interface Waiting { readonly attributes: AdmissionAttributes; readonly evaluator: QuotaEvaluator<unknown>; readonly resolve: () => void; readonly reject: (error: unknown) => void }
export interface ResourceQuotaDeps { readonly cache: CacheReader; readonly writer: InternalWriter; readonly clock: Pick<Clock, "now"> }

export class ResourceQuota implements AdmissionPlugin {
  readonly name = "ResourceQuota";
  readonly #deps: ResourceQuotaDeps;
  /** By namespace: what waits while a batch of the same namespace is under way. */
  readonly #waiting = new Map<string, Waiting[]>();
  /** What this server wrote last, where the cache may still show less. */
  readonly #written = new Map<string, Quota>();
  constructor(deps: ResourceQuotaDeps) { this.#deps = deps; }

  handles(operation: AdmissionOperation, definition: ResourceDefinition, subresource: string): boolean {
    return definition.namespaced && quotaEvaluator(definition.group, definition.plural)?.handles(operation, subresource) === true;
  }

  validate(attributes: AdmissionAttributes): void | Promise<void> {
    const { namespace, definition } = attributes;
    if (this.#deps.cache.list(resourcequotas, namespace).length === 0) return undefined;
    const evaluator = quotaEvaluator(definition.group, definition.plural)!;
    return new Promise((resolve, reject) => {
      const one = { attributes, evaluator, resolve, reject }, queue = this.#waiting.get(namespace);
      if (queue !== undefined) { queue.push(one); return; }
      this.#waiting.set(namespace, [one]);
      void this.#work(namespace);
    });
  }

  /** Takes batch after batch of a namespace until nothing waits. Never rejects. */
  async #work(namespace: string): Promise<void> {
    for (;;) {
      const batch = this.#waiting.get(namespace)!;
      if (batch.length === 0) { this.#waiting.delete(namespace); return; }
      this.#waiting.set(namespace, []);
      await this.#charge(namespace, batch, QUOTA_RETRIES_MAX, undefined);
    }
  }

  /** Only quotas of these names are charged, where they are named: the others have been. */
  async #charge(namespace: string, batch: readonly Waiting[], retries: number, only: ReadonlySet<string> | undefined): Promise<void> {
    const stored = this.#quotas(namespace).filter(({ metadata }) => only === undefined || only.has(metadata.name!)), charged: Waiting[] = [];
    let quotas: readonly Quota[] = stored;
    for (const one of batch) {
      try {
        const next = chargeQuotas(quotas, one.attributes, one.evaluator, this.#deps.clock.now());
        if (one.attributes.dryRun || next.every((quota, i) => quota === quotas[i])) { one.resolve(); continue; }
        quotas = next;
        charged.push(one);
      } catch (error) { one.reject(error); }
    }
    const failed = new Set<string>();
    let failure: unknown;
    await Promise.all(quotas.map(async (quota, i) => {
      if (listsEqual(quota.status?.used ?? {}, stored[i]!.status?.used ?? {})) return;
      try { this.#remember(await this.#deps.writer.update(resourcequotas, quota, "status")); }
      catch (error) { failed.add(quota.metadata.name!); failure = error; this.#forget(quota); }
    }));
    if (failed.size === 0) { for (const one of charged) one.resolve(); return; }
    if (retries === 0) { for (const one of charged) one.reject(failure); return; }
    await this.#charge(namespace, charged, retries - 1, failed);
  }

  #quotas(namespace: string): Quota[] {
    return this.#deps.cache.list(resourcequotas, namespace).map((quota) => {
      const written = this.#written.get(quota.metadata.uid!);
      if (written === undefined || Number(written.metadata.resourceVersion) > Number(quota.metadata.resourceVersion)) return written ?? quota;
      this.#forget(quota);
      return quota;
    });
  }

  #remember(quota: Quota): void {
    this.#written.set(quota.metadata.uid!, quota);
    for (const oldest of this.#written.keys()) { if (this.#written.size <= WRITTEN_MAX) break; this.#written.delete(oldest); }
  }
  #forget(quota: Quota): void { this.#written.delete(quota.metadata.uid!); }
}
