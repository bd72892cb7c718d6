/**
 * Deployment controller: rolls templates out over replica sets. Wiring only: what to do is in `rollout.ts` and the plans.
 * Counterpart: kubernetes `pkg/controller/deployment/deployment_controller.go`.
 */
import { controllerOf } from "../../api/helpers/owner-references.ts";
import { isEmptySelector, matchesLabels, selectorFromObject } from "../../api/helpers/label-selector.ts";
import { deployments, replicasets } from "../../api/schema/generated/references.ts";
import { Controller } from "../../runtime/controller.ts";
import { joinKey, keyOf } from "../../runtime/object-key.ts";
import { claim } from "../shared/claim.ts";
import { isNamespaceTerminating } from "../shared/pod-control.ts";
import { CONTROLLER_INDEX, ORPHAN_INDEX, ownerIndexes, podInformer } from "../shared/pod-indexes.ts";
import { Rollout } from "./rollout.ts";
import type { Change } from "../../runtime/informer.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { Deployment, Pod, ReplicaSet } from "../../api/schema/generated/models.ts";
import type { Runnable } from "../../util/runnable.ts";

export const DEPLOYMENT_CONTROLLER = "deployment-controller";

export function createDeploymentController(context: ControllerContext, options: { workers: number }): Runnable {
  const owners = context.informers.get(deployments), sets = context.informers.get(replicasets, { indexes: ownerIndexes<ReplicaSet>() }), pods = podInformer(context.informers);
  const recorder = context.recorder(DEPLOYMENT_CONTROLLER);
  const podsOf = (set: ReplicaSet): readonly Pod[] => pods.byIndex(CONTROLLER_INDEX, set.metadata.uid ?? "");

  const reconcile = async (key: string, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> => {
    const deployment = owners.get(key);
    if (deployment === undefined) return {}; // Its sets are the garbage collector's.
    const selector = selectorFromObject(deployment.spec.selector);
    if (isEmptySelector(selector)) {
      recorder.event(deployment, "Warning", "SelectingAll", "This deployment is selecting all pods. A non-empty selector is required.");
      const observedGeneration = deployment.metadata.generation ?? 0;
      if ((deployment.status?.observedGeneration ?? 0) < observedGeneration) await context.client.update(deployments, { ...deployment, status: { ...deployment.status, observedGeneration } }, { subresource: "status" }, signal);
      return {};
    }
    const candidates = [...sets.byIndex(CONTROLLER_INDEX, deployment.metadata.uid ?? ""), ...sets.byIndex(ORPHAN_INDEX, deployment.metadata.namespace ?? "")];
    const owned = await claim(context.client, { owner: deployments, object: replicasets }, deployment, selector, candidates, signal);
    try { return await new Rollout({ client: context.client, clock: context.clock, recorder, podsOf }, deployment, owned, signal).run(); }
    catch (error) { if (isNamespaceTerminating(error)) return {}; throw error; }
  };
  const controller = new Controller(context, { name: DEPLOYMENT_CONTROLLER, workers: options.workers, waitFor: [owners, sets, pods], reconcile });

  const resolve = (set: ReplicaSet): Deployment | undefined => {
    const reference = controllerOf(set);
    const owner = reference?.kind === "Deployment" ? owners.get(joinKey(set.metadata.namespace, reference.name)) : undefined;
    return owner?.metadata.uid === reference?.uid ? owner : undefined;
  };
  const enqueueOwner = (set: ReplicaSet, orphansToo: boolean): void => {
    const owner = resolve(set);
    if (owner !== undefined) controller.queue.add(keyOf(owner));
    else if (orphansToo && controllerOf(set) === undefined) {
      for (const candidate of owners.list(set.metadata.namespace)) if (matchesLabels(selectorFromObject(candidate.spec.selector), set.metadata.labels)) controller.queue.add(keyOf(candidate));
    }
  };
  owners.onChange(({ object }) => controller.queue.add(keyOf(object)));
  sets.onChange((change: Change<ReplicaSet>) => {
    if (change.type === "updated" && resolve(change.old) !== resolve(change.object)) enqueueOwner(change.old, false);
    enqueueOwner(change.object, change.type !== "deleted");
  });
  pods.onChange((change) => {
    if (change.type !== "deleted") return; // Only Recreate waits for pods to be gone.
    const reference = controllerOf(change.object);
    const set = reference?.kind === "ReplicaSet" ? sets.get(joinKey(change.object.metadata.namespace, reference.name)) : undefined;
    const owner = set === undefined ? undefined : resolve(set);
    if (owner?.spec.strategy?.type === "Recreate") controller.queue.add(keyOf(owner));
  });
  return controller;
}
