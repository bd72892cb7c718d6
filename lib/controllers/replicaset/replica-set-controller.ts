/**
 * ReplicaSet controller (and, with another adapter, ReplicationController): keeps the wanted number of pods.
 *
 * Promises: never acts before its own earlier creations and deletions were seen; adopts and releases by selector and controller
 * reference; a refused creation costs one call, not hundreds. Counterpart: kubernetes `pkg/controller/replicaset`.
 */
import { controllerOf } from "../../api/helpers/owner-references.ts";
import { isPodActive, isPodReady, isPodTerminal, isPodTerminating } from "../../api/helpers/pod-status.ts";
import { isEmptySelector, matchesLabels, selectorFromObject, selectorFromSet, type LabelMatcher } from "../../api/helpers/label-selector.ts";
import { pods, replicasets, replicationcontrollers } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import { keyOf, joinKey } from "../../runtime/object-key.ts";
import { Controller } from "../../runtime/controller.ts";
import { claim } from "../shared/claim.ts";
import { Expectations } from "../shared/expectations.ts";
import { PodControl, isNamespaceTerminating, podFromTemplate } from "../shared/pod-control.ts";
import { CONTROLLER_INDEX, ORPHAN_INDEX, ownerIndexes, podInformer } from "../shared/pod-indexes.ts";
import { slowStart } from "../shared/slow-start.ts";
import { nextAvailabilityMs, planReplicaStatus, planReplicas, statusChanged, type ReplicaFailure, type ReplicaOwner, type ReplicaPlan } from "./plan-replicas.ts";
import type { Change, Informer } from "../../runtime/informer.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { Pod, ReplicaSet, ReplicaSetStatus, ReplicationController } from "../../api/schema/generated/models.ts";
import type { ResourceReference } from "../../api/reference.ts";
import type { Runnable } from "../../util/runnable.ts";

interface Kind<T extends ReplicaOwner> {
  readonly resource: ResourceReference<T>;
  readonly component: string;
  readonly selectorOf: (owner: T) => LabelMatcher;
}
const REPLICA_SET: Kind<ReplicaSet> = { resource: replicasets, component: "replicaset-controller", selectorOf: (rs) => selectorFromObject(rs.spec.selector) };
const REPLICATION_CONTROLLER: Kind<ReplicationController> = { resource: replicationcontrollers, component: "replication-controller", selectorOf: (rc) => selectorFromSet(rc.spec.selector) };

export const createReplicaSetController = (context: ControllerContext, options: { workers: number }): Runnable => new Replicas(context, REPLICA_SET, options).controller;
export const createReplicationController = (context: ControllerContext, options: { workers: number }): Runnable => new Replicas(context, REPLICATION_CONTROLLER, options).controller;

class Replicas<T extends ReplicaOwner> {
  readonly controller: Controller;
  readonly #context: ControllerContext;
  readonly #kind: Kind<T>;
  readonly #owners: Informer<T>;
  readonly #pods: Informer<Pod>;
  readonly #control: PodControl;
  readonly #expectations: Expectations;

  constructor(context: ControllerContext, kind: Kind<T>, options: { workers: number }) {
    this.#context = context;
    this.#kind = kind;
    this.#owners = context.informers.get(kind.resource, { indexes: ownerIndexes<T>() });
    this.#pods = podInformer(context.informers);
    this.#control = new PodControl({ client: context.client, recorder: context.recorder(kind.component) });
    this.#expectations = new Expectations(context.clock);
    this.controller = new Controller(context, { name: kind.component, workers: options.workers, waitFor: [this.#owners, this.#pods], reconcile: (key, signal) => this.#reconcile(key, signal) });
    this.#owners.onChange((change) => this.#ownerChanged(change));
    this.#pods.onChange((change) => this.#podChanged(change));
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> {
    const owner = this.#owners.get(key);
    if (owner === undefined) { this.#expectations.forget(key); return {}; }
    const mayAct = this.#expectations.satisfied(key);
    const selector = this.#kind.selectorOf(owner);
    if (isEmptySelector(selector)) return {}; // It would take every pod; validation refuses it, old data may hold it.
    const candidates = [...this.#pods.byIndex(CONTROLLER_INDEX, owner.metadata.uid ?? ""), ...this.#pods.byIndex(ORPHAN_INDEX, owner.metadata.namespace ?? "")];
    const claimed = await claim(this.#context.client, { owner: this.#kind.resource, object: pods }, owner, selector, candidates.filter((pod) => !isPodTerminal(pod)), signal);
    const active = claimed.filter(isPodActive), terminating = claimed.filter(isPodTerminating);
    let failed: { error: unknown; failure: ReplicaFailure } | undefined;
    if (mayAct && owner.metadata.deletionTimestamp === undefined) {
      const plan = planReplicas(owner, active, this.#related(owner, active), this.#context.clock.now());
      failed = await this.#apply(key, owner, plan, signal);
    }
    const now = this.#context.clock.now();
    await this.#writeStatus(owner, (current) => planReplicaStatus(current, active, terminating, failed?.failure, now), signal);
    if (failed !== undefined && !isNamespaceTerminating(failed.error)) throw failed.error;
    const next = nextAvailabilityMs(owner, active, now);
    return next === undefined ? {} : { requeueAfterMs: next + 1 };
  }

  /** Pods of every owner that shares this one's controller: what spreads over nodes together. */
  #related(owner: T, active: readonly Pod[]): readonly Pod[] {
    const deployment = controllerOf(owner);
    if (deployment === undefined) return active;
    return this.#owners.byIndex(CONTROLLER_INDEX, deployment.uid).flatMap((sibling) => this.#pods.byIndex(CONTROLLER_INDEX, sibling.metadata.uid ?? "").filter(isPodActive));
  }

  async #apply(key: string, owner: T, plan: ReplicaPlan, signal: AbortSignal): Promise<{ error: unknown; failure: ReplicaFailure } | undefined> {
    const failedWith = (reason: ReplicaFailure["reason"], error: unknown) => ({ error, failure: { reason, message: (error as Error).message } });
    switch (plan.kind) {
      case "settled": return undefined;
      case "create": {
        this.#expectations.expectCreations(key, plan.count);
        const pod = podFromTemplate(owner.spec.template ?? {}, owner, this.#kind.resource);
        const { succeeded, error } = await slowStart(plan.count, async () => { await this.#control.create(pod, owner, signal); });
        this.#expectations.creationObserved(key, plan.count - succeeded); // Those will not be seen.
        return error === undefined ? undefined : failedWith("FailedCreate", error);
      }
      case "delete": {
        this.#expectations.expectDeletions(key, plan.pods.map(keyOf));
        const results = await Promise.allSettled(plan.pods.map(async (pod) => {
          try { await this.#control.delete(pod, owner, signal); }
          catch (error) {
            this.#expectations.deletionObserved(key, keyOf(pod));
            if (!hasReason(error, "Conflict")) throw error; // The name belongs to another pod by now.
          }
        }));
        const rejected = results.find((r) => r.status === "rejected");
        return rejected === undefined ? undefined : failedWith("FailedDelete", rejected.reason);
      }
    }
  }

  /** Writes the status if it differs; a conflict is settled with the live object, once. */
  async #writeStatus(owner: T, plan: (current: T) => ReplicaSetStatus, signal: AbortSignal): Promise<void> {
    const { client } = this.#context;
    let current = owner;
    for (let attempt = 0; ; attempt++) {
      const status = plan(current);
      if (!statusChanged(current.status, status)) return;
      // What is observed is the generation that was acted upon, not one that came since.
      status.observedGeneration = owner.metadata.generation ?? 0;
      try { await client.update(this.#kind.resource, { ...current, status }, { subresource: "status" }, signal); return; }
      catch (error) {
        if (hasReason(error, "NotFound")) return;
        if (!hasReason(error, "Conflict") || attempt >= 1) throw error;
        current = await client.get(this.#kind.resource, owner.metadata, signal);
        if (current.metadata.uid !== owner.metadata.uid) return;
      }
    }
  }

  #ownerChanged(change: Change<T>): void {
    const key = keyOf(change.object);
    if (change.type === "deleted") this.#expectations.forget(key);
    this.controller.queue.add(key);
  }

  /** The key of the owner a reference names, if it is one of ours. */
  #resolve(pod: Pod): string | undefined {
    const reference = controllerOf(pod);
    if (reference === undefined || reference.kind !== this.#kind.resource.kind) return undefined;
    const key = joinKey(pod.metadata.namespace, reference.name);
    return this.#owners.get(key)?.metadata.uid === reference.uid ? key : undefined;
  }

  #enqueueMatching(pod: Pod): void {
    if (controllerOf(pod) !== undefined) return;
    for (const owner of this.#owners.list(pod.metadata.namespace)) {
      if (matchesLabels(this.#kind.selectorOf(owner), pod.metadata.labels)) this.controller.queue.add(keyOf(owner));
    }
  }

  #podChanged(change: Change<Pod>): void {
    const pod = change.object, key = this.#resolve(pod);
    if (change.type === "updated") {
      if (change.old.metadata.resourceVersion === pod.metadata.resourceVersion) return;
      const oldKey = this.#resolve(change.old);
      if (oldKey !== undefined && oldKey !== key) this.controller.queue.add(oldKey);
    }
    if (key === undefined) { if (change.type !== "deleted") this.#enqueueMatching(pod); return; }
    if (change.type === "deleted" || isPodTerminating(pod)) this.#expectations.deletionObserved(key, keyOf(pod));
    else if (change.type === "added") this.#expectations.creationObserved(key);
    if (change.type === "updated" && !podMatters(change.old, pod)) return;
    this.controller.queue.add(key);
  }
}

/** Whether a change of a pod can change what its owner does or says. */
function podMatters(old: Pod, pod: Pod): boolean {
  return old.metadata.deletionTimestamp !== pod.metadata.deletionTimestamp || isPodReady(old) !== isPodReady(pod) || old.status?.phase !== pod.status?.phase
    || JSON.stringify(old.metadata.labels) !== JSON.stringify(pod.metadata.labels) || controllerOf(old)?.uid !== controllerOf(pod)?.uid;
}
