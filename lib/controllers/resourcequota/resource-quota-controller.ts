/**
 * Resource quota controller: writes into each quota's status what it limits and how much of that is used.
 *
 * Admission adds to the usage when something is made; here it is counted anew when something goes, when the quota changes, and now
 * and then, so that nothing stays charged that is not there. Promises: a status is only written over the one it was counted beside.
 * Counterpart: kubernetes `pkg/controller/resourcequota`. Differs: new objects too lead to a count, RECOUNT_DELAY_MS later, which
 * heals a count that was made while our copy lagged behind.
 */
import { measuredKinds, quotaEvaluator } from "../../api/quota/evaluators.ts";
import type { QuotaEvaluator } from "../../api/quota/evaluator.ts";
import { measureUsage } from "../../api/quota/measure.ts";
import { listsEqual, maskList } from "../../api/quota/resource-list.ts";
import type { ResourceQuota } from "../../api/schema/generated/models.ts";
import { resourcequotas } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import type { HasMeta } from "../../client/client.ts";
import { Controller } from "../../runtime/controller.ts";
import type { Change } from "../../runtime/informer.ts";
import { keyOf } from "../../runtime/object-key.ts";
import type { Runnable } from "../../util/runnable.ts";
import type { ControllerContext } from "../shared/context.ts";
import { QuotaObjects } from "./quota-objects.ts";

export const RECOUNT_DELAY_MS = 2_000;

/** The status a quota should have; undefined when it has it. */
export function planQuotaStatus(quota: ResourceQuota, measured: Readonly<Record<string, string>>): ResourceQuota["status"] | undefined {
  const hard = quota.spec?.hard ?? {}, { status } = quota;
  // What nobody could measure stays as it was told.
  const used = maskList({ ...status?.used, ...measured }, Object.keys(hard));
  if (status?.hard !== undefined && status.used !== undefined && listsEqual(hard, status.hard) && listsEqual(used, status.used)) return undefined;
  return { hard: { ...hard }, used: { ...used } };
}

export function createResourceQuotaController(context: ControllerContext, options: { workers: number; resyncMs: number }): Runnable {
  const { client, clock } = context, quotas = context.informers.get(resourcequotas), objects = new QuotaObjects(context);

  const reconcile = async (key: string, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> => {
    const quota = quotas.get(key);
    if (quota === undefined) return {};
    const evaluators = measuredKinds(Object.keys(quota.spec?.hard ?? {})).flatMap(({ group, plural }) => quotaEvaluator(group, plural) ?? []);
    const objects = new Map(await Promise.all(evaluators.map(async (evaluator) => [evaluator, await listOf(evaluator, quota, signal)] as const)));
    const current = quotas.get(key);
    if (current?.metadata.uid !== quota.metadata.uid || current === undefined) return {};
    const status = planQuotaStatus(current, measureUsage(current, evaluators, (evaluator) => objects.get(evaluator), clock.now()));
    if (status !== undefined) {
      try { await client.update(resourcequotas, { ...current, status }, { subresource: "status" }, signal); }
      catch (error) { if (!hasReason(error, "NotFound")) throw error; }
    }
    return { requeueAfterMs: options.resyncMs };
  };
  const listOf = (evaluator: QuotaEvaluator<unknown>, { metadata }: ResourceQuota, signal: AbortSignal): Promise<readonly unknown[] | undefined> => objects.list(evaluator, metadata.namespace!, signal);

  const changed = (evaluator: QuotaEvaluator<unknown>, change: Change<HasMeta>): void => {
    if (change.type === "updated" && evaluator.frees?.(change.old, change.object, clock.now()) !== true) return;
    for (const quota of quotas.list(change.object.metadata.namespace)) {
      if (evaluator.matching(Object.keys(quota.spec?.hard ?? {})).length === 0) continue;
      if (change.type === "added") controller.queue.addAfter(keyOf(quota), RECOUNT_DELAY_MS);
      else controller.queue.add(keyOf(quota));
    }
  };
  const controller = new Controller(context, { name: "resourcequota-controller", workers: options.workers, waitFor: [quotas, ...objects.basic], reconcile });
  objects.onChange(changed);
  quotas.onChange((change) => {
    // A status changes with every object that is made; only what is asked for, or a status nobody filled in, calls for a count.
    if (change.type === "updated" && change.object.status?.used !== undefined && listsEqual(change.old.spec?.hard ?? {}, change.object.spec?.hard ?? {})) return;
    controller.queue.add(keyOf(change.object));
  });
  return controller;
}
