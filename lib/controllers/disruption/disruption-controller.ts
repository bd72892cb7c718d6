/**
 * Disruption controller: keeps the status of PodDisruptionBudgets, by which evictions are allowed; and takes back DisruptionTarget
 * from pods that were told they would go and did not.
 *
 * Promises: when a budget's numbers cannot be worked out, it allows nothing.
 * Counterpart: kubernetes `pkg/controller/disruption/disruption.go`.
 */
import { matchesLabels, selectorFromObject } from "../../api/helpers/label-selector.ts";
import { deployments, poddisruptionbudgets, pods, replicasets, replicationcontrollers, statefulsets } from "../../api/schema/generated/references.ts";
import { semanticEqual } from "../../api/semantic-equal.ts";
import { hasReason } from "../../api/status-error.ts";
import { Controller } from "../../runtime/controller.ts";
import { keyOf } from "../../runtime/object-key.ts";
import { toTimestamp } from "../../api/helpers/timestamps.ts";
import { isAbort } from "../../util/abort.ts";
import { runAll, type Runnable } from "../../util/runnable.ts";
import { podInformer } from "../shared/pod-indexes.ts";
import { expectedScale } from "./expected-scale.ts";
import { failedStatus, needsScale, planBudgetStatus, planDisrupted, planExpectation, untilStaleMs } from "./plan-budget.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from "../../api/schema/generated/models.ts";

export const DISRUPTION_CONTROLLER = "disruption-controller";
/** Under which name upstream tells its events. */
const EVENT_SOURCE = "controllermanager";
const UNMANAGED = (selector: string): string => `Pods selected by this PodDisruptionBudget (selector: ${selector}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`;

export function createDisruptionController(context: ControllerContext, options: { workers: number }): Runnable {
  const { client, clock, informers } = context, recorder = context.recorder(EVENT_SOURCE);
  const budgets = informers.get(poddisruptionbudgets), all = podInformer(informers);
  const scaled = { client, deployments: informers.get(deployments), replicaSets: informers.get(replicasets), replicationControllers: informers.get(replicationcontrollers), statefulSets: informers.get(statefulsets) };
  const waitFor = [budgets, all, scaled.deployments, scaled.replicaSets, scaled.replicationControllers, scaled.statefulSets];

  const write = async (budget: PodDisruptionBudget, status: PodDisruptionBudgetStatus, signal: AbortSignal): Promise<void> => {
    if (semanticEqual(budget.status, status)) return;
    await client.update(poddisruptionbudgets, { ...budget, status }, { subresource: "status" }, signal);
  };
  const sync = async (budget: PodDisruptionBudget, signal: AbortSignal): Promise<number | undefined> => {
    const selector = selectorFromObject(budget.spec?.selector), mine = all.list(budget.metadata.namespace).filter((pod) => matchesLabels(selector, pod.metadata.labels));
    if (mine.length === 0) recorder.event(budget, "Normal", "NoPods", "No matching pods found");
    let scale = 0, unmanaged: string[] = [];
    if (needsScale(budget)) {
      try { ({ scale, unmanaged } = await expectedScale(scaled, mine, signal)); }
      catch (error) { recorder.event(budget, "Warning", "CalculateExpectedPodCountFailed", `Failed to calculate the number of expected pods: ${(error as Error).message}`); throw error; }
    }
    if (unmanaged.length > 0) recorder.event(budget, "Warning", "UnmanagedPods", UNMANAGED(JSON.stringify(budget.spec?.selector)));
    const now = clock.now(), { disrupted, notDeleted, recheckAfterMs } = planDisrupted(budget, mine, now);
    for (const pod of notDeleted) recorder.event(pod, "Warning", "NotDeleted", `Pod was expected by PDB ${budget.metadata.namespace}/${budget.metadata.name} to be deleted but it wasn't`);
    await write(budget, planBudgetStatus(budget, mine, planExpectation(budget, mine.length, scale), disrupted, now), signal);
    return recheckAfterMs;
  };
  const reconcile = async (key: string, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> => {
    const budget = budgets.get(key);
    if (budget === undefined) return {};
    try {
      const recheckAfterMs = await sync(budget, signal);
      return recheckAfterMs === undefined ? {} : { requeueAfterMs: recheckAfterMs + 1 };
    } catch (error) {
      if (isAbort(error, signal) || hasReason(error, "Conflict")) throw error;
      await write(budget, failedStatus(budget, error as Error, clock.now()), signal);
      return {};
    }
  };
  const controller = new Controller(context, { name: DISRUPTION_CONTROLLER, workers: options.workers, waitFor, reconcile });

  const reconcilePod = async (key: string, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> => {
    const pod = all.get(key), leftMs = pod === undefined ? undefined : untilStaleMs(pod, clock.now());
    if (pod === undefined || leftMs === undefined) return {};
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    const { resourceVersion, uid } = pod.metadata, condition = { type: "DisruptionTarget", status: "False", reason: null, message: null, lastTransitionTime: toTimestamp(clock.now()) };
    await client.patch(pods, pod.metadata, "strategic", { metadata: { uid, resourceVersion }, status: { conditions: [condition] } }, { subresource: "status" }, signal);
    return {};
  };
  const stale = new Controller(context, { name: `${DISRUPTION_CONTROLLER}-stale-pods`, waitFor, reconcile: reconcilePod });

  const enqueueBudgetOf = (pod: Pod): void => {
    const [first, ...others] = budgets.list(pod.metadata.namespace).filter((budget) => matchesLabels(selectorFromObject(budget.spec?.selector), pod.metadata.labels));
    if (first === undefined) return;
    if (others.length > 0) recorder.event(pod, "Warning", "MultiplePodDisruptionBudgets", `Pod ${JSON.stringify(pod.metadata.namespace)}/${JSON.stringify(pod.metadata.name)} matches multiple PodDisruptionBudgets.  Chose ${JSON.stringify(first.metadata.name)} arbitrarily.`);
    controller.queue.add(keyOf(first));
  };
  budgets.onChange(({ object }) => controller.queue.add(keyOf(object)));
  all.onChange((change) => {
    if (change.type === "updated") enqueueBudgetOf(change.old); // Labels may have left a budget.
    enqueueBudgetOf(change.object);
    if (change.type !== "deleted" && untilStaleMs(change.object, clock.now()) !== undefined) stale.queue.add(keyOf(change.object));
  });
  // A budget in shares follows the size of what owns its pods.
  const enqueueShares = (namespace: string | undefined): void => { for (const budget of budgets.list(namespace)) if (needsScale(budget)) controller.queue.add(keyOf(budget)); };
  for (const informer of [scaled.deployments, scaled.replicaSets, scaled.replicationControllers, scaled.statefulSets] as const) {
    informer.onChange((change: { type: string; object: { metadata: { namespace?: string | undefined; generation?: number | undefined } }; old?: { metadata: { generation?: number | undefined } } }) => {
      if (change.type !== "updated" || change.old?.metadata.generation !== change.object.metadata.generation) enqueueShares(change.object.metadata.namespace);
    });
  }
  return { name: DISRUPTION_CONTROLLER, run: (signal) => runAll([controller, stale], signal) };
}
