/**
 * StatefulSet controller: pods with names, hosts and claims of their own, in order. Wiring only: what to do is in the plans.
 *
 * Promises: there is never more than one pod of a name, since the server refuses a second; in order, nothing is done before what it
 * waits for was seen. Counterpart: kubernetes `pkg/controller/statefulset/stateful_set.go`.
 */
import { controllerOf } from "../../api/helpers/owner-references.ts";
import { isEmptySelector, matchesLabels, selectorFromObject } from "../../api/helpers/label-selector.ts";
import { controllerrevisions, persistentvolumeclaims, pods, statefulsets } from "../../api/schema/generated/references.ts";
import { semanticEqual } from "../../api/semantic-equal.ts";
import { hasReason } from "../../api/status-error.ts";
import { Controller } from "../../runtime/controller.ts";
import { joinKey, keyOf } from "../../runtime/object-key.ts";
import { claim } from "../shared/claim.ts";
import { isNamespaceTerminating } from "../shared/pod-control.ts";
import { CONTROLLER_INDEX, ORPHAN_INDEX, ownerIndexes, podInformer } from "../shared/pod-indexes.ts";
import { ordinalOf } from "./identity.ts";
import { nextAvailabilityMs, planStateful, planStatefulStatus, type StatefulView } from "./plan-stateful.ts";
import { cleanRevisions, resolveRevisions } from "./stateful-history.ts";
import { StatefulPods } from "./stateful-pods.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { ControllerRevision, Pod, StatefulSet, StatefulSetStatus } from "../../api/schema/generated/models.ts";
import type { Runnable } from "../../util/runnable.ts";

export const STATEFUL_SET_CONTROLLER = "statefulset-controller";
const STATUS_TRIES = 2;

export function createStatefulSetController(context: ControllerContext, options: { workers: number }): Runnable {
  const { client, clock, informers } = context, recorder = context.recorder(STATEFUL_SET_CONTROLLER);
  const owners = informers.get(statefulsets), all = podInformer(informers), claims = informers.get(persistentvolumeclaims), revisions = informers.get(controllerrevisions, { indexes: ownerIndexes<ControllerRevision>() });

  const writeStatus = async (set: StatefulSet, status: StatefulSetStatus, signal: AbortSignal): Promise<void> => {
    let current = set;
    for (let tries = 1; ; tries++) {
      if (semanticEqual(current.status, status)) return;
      try { await client.update(statefulsets, { ...current, status }, { subresource: "status" }, signal); return; }
      catch (error) {
        if (hasReason(error, "NotFound")) return;
        if (!hasReason(error, "Conflict") || tries >= STATUS_TRIES) throw error;
        current = await client.get(statefulsets, set.metadata, signal);
        if (current.metadata.uid !== set.metadata.uid) return;
      }
    }
  };
  const carryOut = async (view: StatefulView, signal: AbortSignal): Promise<void> => {
    const actions = planStateful(view, clock.now()), hands = new StatefulPods({ client, recorder, claimOf: view.claimOf }, view.set, signal);
    if (view.set.spec.podManagementPolicy !== "Parallel") { for (const action of actions) await hands.carryOut(action); return; }
    const results = await Promise.allSettled(actions.map((action) => hands.carryOut(action))), failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  };
  const reconcile = async (key: string, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> => {
    const set = owners.get(key);
    if (set === undefined) return {}; // Its pods are the garbage collector's.
    const selector = selectorFromObject(set.spec.selector), uid = set.metadata.uid ?? "", namespace = set.metadata.namespace ?? "";
    if (isEmptySelector(selector)) return {};
    const owned = await claim(client, { owner: statefulsets, object: controllerrevisions }, set, selector, [...revisions.byIndex(CONTROLLER_INDEX, uid), ...revisions.byIndex(ORPHAN_INDEX, namespace)], signal);
    const candidates = [...all.byIndex(CONTROLLER_INDEX, uid), ...all.byIndex(ORPHAN_INDEX, namespace)].filter((pod) => ordinalOf(set, pod) !== undefined);
    const mine = await claim(client, { owner: statefulsets, object: pods }, set, selector, candidates, signal);
    const history = await resolveRevisions(client, set, owned, signal), view: StatefulView = { set, pods: mine, claimOf: (name) => claims.get(joinKey(namespace, name)), current: history.current, update: history.update };
    let failure: unknown;
    try { await carryOut(view, signal); } catch (error) { failure = error; }
    await writeStatus(set, planStatefulStatus(view, history.collisionCount, clock.now()), signal);
    await cleanRevisions(client, set, owned, history, mine, signal);
    if (failure !== undefined && !isNamespaceTerminating(failure)) throw failure;
    const nextMs = nextAvailabilityMs(view, clock.now());
    return nextMs === undefined ? {} : { requeueAfterMs: nextMs + 1 };
  };
  const controller = new Controller(context, { name: STATEFUL_SET_CONTROLLER, workers: options.workers, waitFor: [owners, all, claims, revisions], reconcile });

  const resolve = (object: Pod | ControllerRevision): StatefulSet | undefined => {
    const reference = controllerOf(object), owner = reference?.kind === statefulsets.kind ? owners.get(joinKey(object.metadata.namespace, reference.name)) : undefined;
    return owner?.metadata.uid === reference?.uid ? owner : undefined;
  };
  const enqueue = (object: Pod | ControllerRevision): void => {
    const owner = resolve(object);
    if (owner !== undefined) controller.queue.add(keyOf(owner));
    if (controllerOf(object) !== undefined) return;
    for (const candidate of owners.list(object.metadata.namespace)) if (matchesLabels(selectorFromObject(candidate.spec.selector), object.metadata.labels)) controller.queue.add(keyOf(candidate));
  };
  owners.onChange(({ object }) => controller.queue.add(keyOf(object)));
  revisions.onChange(({ object }) => enqueue(object));
  all.onChange((change) => {
    if (change.type === "updated" && resolve(change.old) !== resolve(change.object)) enqueue(change.old);
    enqueue(change.object);
  });
  // A claim that goes makes room for the pod that waits for it.
  claims.onChange(({ type, object }) => { if (type === "deleted") for (const set of owners.list(object.metadata.namespace)) if ((set.spec.volumeClaimTemplates ?? []).some((template) => object.metadata.name.startsWith(`${template.metadata.name}-${set.metadata.name}-`))) controller.queue.add(keyOf(set)); });
  return controller;
}
