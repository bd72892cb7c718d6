/**
 * pods/eviction: deletes a pod unless a PodDisruptionBudget says no.
 * Counterpart: kubernetes `registry/core/pod/storage/eviction.go`.
 */
import { toTimestamp } from "../../api/helpers/timestamps.ts";
import { matchesLabels, selectorFromObject } from "../../api/helpers/label-selector.ts";
import type { DeleteOptions, Eviction, Pod, PodDisruptionBudget } from "../../api/schema/generated/models.ts";
import { poddisruptionbudgets } from "../../api/schema/generated/references.ts";
import { StatusError, badRequest, forbidden, hasReason } from "../../api/status-error.ts";
import type { CacheReader, CreateContext, CreateHandler } from "../contracts.ts";
import { success } from "./bind-pod.ts";
import { deleteObject } from "./delete.ts";
import { modifyObject } from "./modify.ts";
import { checkPreconditions } from "./plan-delete.ts";
import type { Resource } from "./resource.ts";

/** Evictions the budget's controller has not yet seen. */
const DISRUPTED_PODS_MAX = 2_000;
const VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget.";
const DISRUPTION_TARGET = "DisruptionTarget";
const BUDGETS = { group: "policy", plural: "poddisruptionbudgets" };

/** Stopping such a pod disrupts nobody. */
function needsNoBudget(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return phase === "Succeeded" || phase === "Failed" || phase === "Pending" || pod.metadata.deletionTimestamp !== undefined;
}

const isReady = (pod: Pod): boolean => pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

function tooMany(why: string, retryAfterSeconds: number): StatusError {
  return new StatusError("TooManyRequests", VIOLATES, { details: { causes: [{ reason: "DisruptionBudget", message: why }], ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}) } });
}

const stillProcessed = (name: string): StatusError => tooMany(`The disruption budget ${name} is still being processed by the server.`, 10);

/** Budgets whose selector names the pod: an empty one every pod, one that is absent or invalid none. */
export function budgetsOf(pod: Pod, budgets: readonly PodDisruptionBudget[]): PodDisruptionBudget[] {
  return budgets.filter((budget) => {
    try {
      return matchesLabels(selectorFromObject(budget.spec?.selector), pod.metadata.labels);
    } catch { return false; }
  });
}

/** Takes one disruption off the budget. Throws TooManyRequests when it has none to give. */
export function takeDisruption(budget: PodDisruptionBudget, pod: string, now: string): void {
  const { status } = budget, name = budget.metadata.name;
  if ((status?.observedGeneration ?? 0) < (budget.metadata.generation ?? 0) || status === undefined) throw stillProcessed(name);
  const allowed = status.disruptionsAllowed ?? 0;
  if (allowed < 0) throw forbidden(BUDGETS, name, "pdb disruptions allowed is negative");
  if (Object.keys(status.disruptedPods ?? {}).length > DISRUPTED_PODS_MAX) throw forbidden(BUDGETS, name, "DisruptedPods map too big - too many evictions not confirmed by PDB controller");
  if (allowed === 0) throw tooMany(`The disruption budget ${name} needs ${status.desiredHealthy} healthy pods and has ${status.currentHealthy} currently`, 0);
  status.disruptionsAllowed = allowed - 1;
  status.disruptedPods = { ...status.disruptedPods, [pod]: now };
}

interface Deps { readonly pods: Resource; readonly budgets: Resource; readonly cache: CacheReader }

/** Handles `pods/eviction`. */
export const evictHandler = (deps: Deps): CreateHandler => async (object, context) => {
  const eviction = object as Eviction;
  if (eviction.metadata.name !== undefined && eviction.metadata.name !== "" && eviction.metadata.name !== context.name) throw badRequest("name in URL does not match name in Eviction object");
  const options: DeleteOptions = eviction.deleteOptions ?? {}, dryRun = context.dryRun || (options.dryRun ?? []).length > 0;
  await evict(deps, options, { ...context, dryRun });
  return success(201);
};

async function evict({ pods, budgets, cache }: Deps, options: DeleteOptions, context: CreateContext): Promise<void> {
  const { namespace, name } = context, pod = pods.peek(pods.find(namespace, name)) as Pod;
  const at = (): DeleteOptions => ({ ...options, preconditions: { resourceVersion: pod.metadata.resourceVersion!, ...options.preconditions } });
  if (needsNoBudget(pod)) {
    // A pending pod may become ready meanwhile, and then the budget would count.
    await disruptAndDelete(pods, pod.status?.phase === "Pending" && pod.metadata.deletionTimestamp === undefined ? at() : options, context);
    return;
  }
  const mine = budgetsOf(pod, cache.list(poddisruptionbudgets, namespace)), [budget] = mine;
  if (mine.length > 1) throw new StatusError("InternalError", "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.", { code: 500 });
  if (budget === undefined) { await disruptAndDelete(pods, options, context); return; }
  if (!isReady(pod) && toleratesUnready(budget)) {
    try { await disruptAndDelete(pods, at(), context); return; }
    catch (error) {
      if (hasReason(error, "Conflict") && options.preconditions?.resourceVersion === undefined) throw stillProcessed(budget.metadata.name);
      throw error;
    }
  }
  const now = toTimestamp(pods.deps.clock.now());
  await modifyObject<PodDisruptionBudget>(budgets, namespace, budget.metadata.name, (held) => takeDisruption(held, name, now), context.dryRun);
  await disruptAndDelete(pods, options, context);
}

/** Says on the pod why it goes, so that its owner can tell an eviction from a failure, and deletes it. */
async function disruptAndDelete(pods: Resource, options: DeleteOptions, context: CreateContext): Promise<void> {
  const { namespace, name } = context, wanted = options.preconditions ?? {};
  if (context.dryRun) { await deleteObject(pods, namespace, name, options, context); return; }
  const now = toTimestamp(pods.deps.clock.now());
  const entry = await modifyObject<Pod>(pods, namespace, name, (pod) => {
    checkPreconditions(pods.definition, pod, options);
    const { generation } = pod.metadata;
    const conditions = pod.status?.conditions ?? [], old = conditions.find(({ type }) => type === DISRUPTION_TARGET);
    const fresh = { type: DISRUPTION_TARGET, status: "True", reason: "EvictionByEvictionAPI", message: "Eviction API: evicting", lastTransitionTime: old?.status === "True" ? old.lastTransitionTime : now, ...(generation === undefined ? {} : { observedGeneration: generation }) };
    pod.status = { ...pod.status, conditions: [...conditions.filter((condition) => condition !== old), fresh] };
  });
  // Ours is the newest write now; any other that comes between still refuses the deletion.
  await deleteObject(pods, namespace, name, wanted.resourceVersion === undefined ? options : { ...options, preconditions: { ...wanted, resourceVersion: String(entry.revision) } }, context);
}

/** A pod that is not ready does not count, so it may go: always, or while enough others are healthy. */
function toleratesUnready({ spec, status }: PodDisruptionBudget): boolean {
  if (spec?.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}
