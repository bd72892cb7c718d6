/**
 * DaemonSet controller: one pod on every node that fits. Wiring only: what to do is in the plans.
 *
 * Promises: a node is given no second pod before the first was seen; a new template replaces old pods only within the limits, and
 * only once all that was asked for before has come about. Counterpart: kubernetes `pkg/controller/daemon/daemon_controller.go`.
 */
import { controllerOf } from "../../api/helpers/owner-references.ts";
import { isPodTerminal, isPodTerminating } from "../../api/helpers/pod-status.ts";
import { isEmptySelector, matchesLabels, selectorFromObject } from "../../api/helpers/label-selector.ts";
import { controllerrevisions, daemonsets, nodes, pods } from "../../api/schema/generated/references.ts";
import { semanticEqual } from "../../api/semantic-equal.ts";
import { hasReason } from "../../api/status-error.ts";
import { Controller } from "../../runtime/controller.ts";
import { joinKey, keyOf } from "../../runtime/object-key.ts";
import { claim } from "../shared/claim.ts";
import { Expectations } from "../shared/expectations.ts";
import { PodControl, isNamespaceTerminating } from "../shared/pod-control.ts";
import { CONTROLLER_INDEX, ORPHAN_INDEX, ownerIndexes, podInformer } from "../shared/pod-indexes.ts";
import { slowStart } from "../shared/slow-start.ts";
import { cleanHistory, hashOf, resolveHistory } from "./daemon-history.ts";
import { newDaemonPod, nodeVerdict, targetNode } from "./daemon-pods.ts";
import { FailedPodBackoff } from "./failed-pod-backoff.ts";
import { nextAvailabilityMs, planDaemonStatus, planDaemons, planRollingUpdate, type DaemonPlan, type DaemonView } from "./plan-daemons.ts";
import type { Change, Informer } from "../../runtime/informer.ts";
import type { EventSink } from "../../runtime/event-recorder.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { ControllerRevision, DaemonSet, DaemonSetStatus, Node, Pod } from "../../api/schema/generated/models.ts";
import type { Runnable } from "../../util/runnable.ts";

export const DAEMON_SET_CONTROLLER = "daemonset-controller";
/** At most so many pods are made, and so many deleted, in one go. */
export const BURST = 250;
const STATUS_TRIES = 2;

export const createDaemonSetController = (context: ControllerContext, options: { workers: number }): Runnable => new Daemons(context, options).controller;

class Daemons {
  readonly controller: Controller;
  readonly #context: ControllerContext;
  readonly #owners: Informer<DaemonSet>;
  readonly #revisions: Informer<ControllerRevision>;
  readonly #nodes: Informer<Node>;
  readonly #pods: Informer<Pod>;
  readonly #recorder: EventSink;
  readonly #control: PodControl;
  readonly #expectations: Expectations;
  readonly #backoff: FailedPodBackoff;

  constructor(context: ControllerContext, options: { workers: number }) {
    this.#context = context;
    this.#owners = context.informers.get(daemonsets);
    this.#revisions = context.informers.get(controllerrevisions, { indexes: ownerIndexes<ControllerRevision>() });
    this.#nodes = context.informers.get(nodes);
    this.#pods = podInformer(context.informers);
    this.#recorder = context.recorder(DAEMON_SET_CONTROLLER);
    this.#control = new PodControl({ client: context.client, recorder: this.#recorder });
    this.#expectations = new Expectations(context.clock);
    this.#backoff = new FailedPodBackoff(context.clock);
    const waitFor = [this.#owners, this.#revisions, this.#nodes, this.#pods];
    this.controller = new Controller(context, { name: DAEMON_SET_CONTROLLER, workers: options.workers, waitFor, reconcile: (key, signal) => this.#reconcile(key, signal) });
    this.#owners.onChange(({ type, object }) => { if (type === "deleted") this.#expectations.forget(keyOf(object)); this.controller.queue.add(keyOf(object)); });
    this.#revisions.onChange(({ object }) => this.#enqueue(object));
    this.#pods.onChange((change) => this.#podChanged(change));
    this.#nodes.onChange((change) => this.#nodeChanged(change));
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> {
    const set = this.#owners.get(key);
    if (set === undefined) { this.#expectations.forget(key); return {}; }
    const { client, clock } = this.#context, selector = selectorFromObject(set.spec.selector);
    if (isEmptySelector(selector)) { this.#recorder.event(set, "Warning", "SelectingAll", "This daemon set is selecting all pods. A non-empty selector is required."); return {}; }
    if (set.metadata.deletionTimestamp !== undefined) return {}; // Its history may be gone already, so nothing can be told of its pods.
    const mayAct = this.#expectations.satisfied(key), namespace = set.metadata.namespace ?? "", uid = set.metadata.uid ?? "";
    const owned = await claim(client, { owner: daemonsets, object: controllerrevisions }, set, selector, [...this.#revisions.byIndex(CONTROLLER_INDEX, uid), ...this.#revisions.byIndex(ORPHAN_INDEX, namespace)], signal);
    const mine = await claim(client, { owner: daemonsets, object: pods }, set, selector, [...this.#pods.byIndex(CONTROLLER_INDEX, uid), ...this.#pods.byIndex(ORPHAN_INDEX, namespace)], signal);
    const history = await resolveHistory(client, set, owned, mine, signal), view: DaemonView = { set, nodes: this.#nodes.list(), podsOn: byNode(mine), hash: hashOf(history.current) };
    if (!mayAct) { await this.#writeStatus(view, false, signal); return {}; }
    let failure: unknown, retryAfterMs: number | undefined;
    try {
      retryAfterMs = await this.#manage(key, view, signal);
      await cleanHistory(client, set, history, mine, signal);
    } catch (error) { failure = error; }
    await this.#writeStatus(view, true, signal);
    if (failure !== undefined && !isNamespaceTerminating(failure)) throw failure;
    const waits = [retryAfterMs, nextAvailabilityMs(view, clock.now())].filter((ms) => ms !== undefined);
    return waits.length === 0 ? {} : { requeueAfterMs: Math.min(...waits) + 1 };
  }

  /** Returns when to look again at failed pods. */
  async #manage(key: string, view: DaemonView, signal: AbortSignal): Promise<number | undefined> {
    const { set } = view, now = this.#context.clock.now(), backoffKey = (node: string): string => `${set.metadata.uid}/${set.status?.observedGeneration ?? 0}/${node}`;
    const plan = planDaemons(view, (node) => this.#backoff.remainingMs(backoffKey(node)), now), name = (pod: Pod): string => `${pod.metadata.namespace}/${pod.metadata.name}`;
    for (const { pod, node } of plan.failed) {
      this.#backoff.removed(backoffKey(node));
      this.#recorder.event(set, "Warning", "FailedDaemonPod", `Found failed daemon pod ${name(pod)} on node ${node}, will try to kill it`);
    }
    for (const { pod, node } of plan.succeeded) this.#recorder.event(set, "Normal", "SucceededDaemonPod", `Found succeeded daemon pod ${name(pod)} on node ${node}, will try to delete it`);
    await this.#carryOut(key, view, plan, signal);
    if (plan.create.length + plan.remove.length === 0 && set.spec.updateStrategy?.type === "RollingUpdate") await this.#carryOut(key, view, planRollingUpdate(view, now), signal);
    return plan.retryAfterMs;
  }

  async #carryOut(key: string, { set, hash }: DaemonView, plan: DaemonPlan, signal: AbortSignal): Promise<void> {
    const create = plan.create.slice(0, BURST), remove = plan.remove.slice(0, BURST);
    if (create.length + remove.length === 0) return;
    this.#expectations.expect(key, create.length, remove.map(keyOf));
    const created = await slowStart(create.length, async (i) => { await this.#control.create(newDaemonPod(set, create[i]!, hash), set, signal); });
    this.#expectations.creationObserved(key, create.length - created.succeeded); // Those will not be seen.
    const results = await Promise.allSettled(remove.map(async (pod) => {
      try { await this.#control.delete(pod, set, signal); }
      catch (error) {
        this.#expectations.deletionObserved(key, keyOf(pod));
        if (!hasReason(error, "Conflict")) throw error; // The name belongs to another pod by now.
      }
    }));
    const failure = created.error ?? results.find((result) => result.status === "rejected")?.reason;
    if (failure !== undefined) throw failure;
  }

  /** A conflict is settled with the live object, once. */
  async #writeStatus(view: DaemonView, observe: boolean, signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#context, fresh = planDaemonStatus(view, observe, clock.now());
    let current = view.set;
    for (let tries = 1; ; tries++) {
      const status: DaemonSetStatus = { ...fresh, ...(current.status?.collisionCount === undefined ? {} : { collisionCount: current.status.collisionCount }) };
      if (semanticEqual(current.status, status)) return;
      try { await client.update(daemonsets, { ...current, status }, { subresource: "status" }, signal); return; }
      catch (error) {
        if (hasReason(error, "NotFound")) return;
        if (!hasReason(error, "Conflict") || tries >= STATUS_TRIES) throw error;
        current = await client.get(daemonsets, view.set.metadata, signal);
        if (current.metadata.uid !== view.set.metadata.uid) return;
      }
    }
  }

  #resolve(object: Pod | ControllerRevision): DaemonSet | undefined {
    const reference = controllerOf(object);
    if (reference === undefined || reference.kind !== daemonsets.kind) return undefined;
    const owner = this.#owners.get(joinKey(object.metadata.namespace, reference.name));
    return owner?.metadata.uid === reference.uid ? owner : undefined;
  }

  /** Its owner, or whoever could adopt it. */
  #enqueue(object: Pod | ControllerRevision): void {
    const owner = this.#resolve(object);
    if (owner !== undefined) this.controller.queue.add(keyOf(owner));
    if (controllerOf(object) !== undefined) return;
    for (const candidate of this.#owners.list(object.metadata.namespace)) if (matchesLabels(selectorFromObject(candidate.spec.selector), object.metadata.labels)) this.controller.queue.add(keyOf(candidate));
  }

  #podChanged(change: Change<Pod>): void {
    const pod = change.object, owner = this.#resolve(pod), before = change.type === "updated" ? this.#resolve(change.old) : undefined;
    if (before !== undefined && before !== owner) this.controller.queue.add(keyOf(before));
    if (owner !== undefined) {
      if (change.type === "deleted" || isPodTerminating(pod)) this.#expectations.deletionObserved(keyOf(owner), keyOf(pod));
      else if (change.type === "added") this.#expectations.creationObserved(keyOf(owner));
    }
    if (owner !== undefined || change.type !== "deleted") this.#enqueue(pod);
  }

  #nodeChanged(change: Change<Node>): void {
    if (change.type === "updated" && semanticEqual(change.old.spec.taints, change.object.spec.taints) && semanticEqual(change.old.metadata.labels, change.object.metadata.labels)) return;
    for (const set of this.#owners.list()) {
      const verdict = nodeVerdict(set, change.object), relevant = change.type === "updated" ? !semanticEqual(verdict, nodeVerdict(set, change.old)) : change.type === "deleted" || verdict.shouldRun;
      if (relevant) this.controller.queue.add(keyOf(set));
    }
  }
}

/** Without pods that have ended and are leaving: nothing is left to do with them. */
function byNode(mine: readonly Pod[]): Map<string, Pod[]> {
  const found = new Map<string, Pod[]>();
  for (const pod of mine) {
    const node = targetNode(pod);
    if (node === undefined || (isPodTerminal(pod) && isPodTerminating(pod))) continue;
    found.set(node, [...(found.get(node) ?? []), pod]);
  }
  return found;
}
