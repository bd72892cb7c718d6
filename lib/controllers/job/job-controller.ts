/**
 * Job controller: runs pods until enough of them have succeeded. Wiring only: what to do is in `job-sync.ts` and the plans.
 *
 * Promises: every ended pod is counted once, whatever dies in between (see `plan-tracking.ts`); no pod is made before earlier ones
 * were seen, nor from a copy of the Job older than our own last write of it; Jobs managed by another are left alone.
 * Counterpart: kubernetes `pkg/controller/job/job_controller.go`. Differs: changes of pods are gathered for BATCH_MS, not 1 s.
 */
import { controllerOf } from "../../api/helpers/owner-references.ts";
import { isPodTerminating } from "../../api/helpers/pod-status.ts";
import { matchesLabels, selectorFromObject } from "../../api/helpers/label-selector.ts";
import { jobs, pods } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import { Controller } from "../../runtime/controller.ts";
import { joinKey, keyOf } from "../../runtime/object-key.ts";
import { runAll, type Runnable } from "../../util/runnable.ts";
import { claim } from "../shared/claim.ts";
import { Expectations } from "../shared/expectations.ts";
import { PodControl } from "../shared/pod-control.ts";
import { CONTROLLER_INDEX, ORPHAN_INDEX, podInformer } from "../shared/pod-indexes.ts";
import { TRACKING_FINALIZER, isFinished, isTracked } from "./job-pods.ts";
import { JobSync } from "./job-sync.ts";
import { NO_FAILURES, type BackoffRecord } from "./plan-backoff.ts";
import type { EventSink } from "../../runtime/event-recorder.ts";
import type { Change, Informer } from "../../runtime/informer.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { Job, Pod } from "../../api/schema/generated/models.ts";

export const JOB_CONTROLLER = "job-controller";
const MANAGED_BY = "kubernetes.io/job-controller";
export const BATCH_MS = 100;
/** A write that no watch shows for so long is asked about again. */
const STALE_RETRY_MS = 1_000;

export function createJobController(context: ControllerContext, options: { workers: number }): Runnable {
  const controller = new JobController(context, options);
  return { name: JOB_CONTROLLER, run: (signal) => runAll([controller.jobs, controller.orphans], signal) };
}

const isManagedElsewhere = (job: Job): boolean => job.spec.managedBy !== undefined && job.spec.managedBy !== MANAGED_BY;

class JobController {
  readonly jobs: Controller;
  /** Pods with our finalizer whose Job is gone or over. */
  readonly orphans: Controller;
  readonly #context: ControllerContext;
  readonly #owners: Informer<Job>;
  readonly #pods: Informer<Pod>;
  readonly #expectations: Expectations;
  readonly #recorder: EventSink;
  readonly #control: PodControl;
  /** By key of the Job: uids of pods we let go and have not seen go. */
  readonly #released = new Map<string, Set<string>>();
  readonly #backoffs = new Map<string, BackoffRecord>();
  readonly #written = new Map<string, Job>();

  constructor(context: ControllerContext, options: { workers: number }) {
    this.#context = context;
    this.#owners = context.informers.get(jobs);
    this.#pods = podInformer(context.informers);
    this.#expectations = new Expectations(context.clock);
    this.#recorder = context.recorder(JOB_CONTROLLER);
    this.#control = new PodControl({ client: context.client, recorder: this.#recorder });
    const waitFor = [this.#owners, this.#pods];
    this.jobs = new Controller(context, { name: JOB_CONTROLLER, workers: options.workers, waitFor, reconcile: (key, signal) => this.#reconcile(key, signal) });
    this.orphans = new Controller(context, { name: `${JOB_CONTROLLER}-orphans`, waitFor, reconcile: (key, signal) => this.#reconcileOrphan(key, signal) });
    this.#owners.onChange((change) => this.#jobChanged(change));
    this.#pods.onChange((change) => this.#podChanged(change));
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> {
    const job = this.#owners.get(key);
    if (job === undefined) { this.#forget(key); return {}; }
    if (isManagedElsewhere(job)) return {};
    if (isFinished(job)) { this.#backoffs.delete(key); return {}; }
    if (this.#isStale(key, job)) return { requeueAfterMs: STALE_RETRY_MS };
    const { client, clock } = this.#context, mayAct = this.#expectations.satisfied(key);
    const candidates = [...this.#pods.byIndex(CONTROLLER_INDEX, job.metadata.uid ?? ""), ...this.#pods.byIndex(ORPHAN_INDEX, job.metadata.namespace ?? "")];
    const mine = await claim(client, { owner: jobs, object: pods, finalizers: [TRACKING_FINALIZER] }, job, selectorFromObject(job.spec.selector), candidates, signal);
    const sync = new JobSync({
      client, clock, recorder: this.#recorder, control: this.#control, expectations: this.#expectations,
      releasing: (_, uids) => this.#releasing(key, uids), notReleased: (_, uid) => this.#seenReleased(key, uid),
      written: (_, written) => this.#written.set(key, written), remember: (_, backoff) => this.#backoffs.set(key, backoff),
    }, { job, pods: mine, released: new Set(this.#released.get(key)), backoff: this.#backoffs.get(key) ?? NO_FAILURES }, mayAct, signal);
    return sync.run();
  }

  #forget(key: string): void {
    this.#expectations.forget(key);
    this.#released.delete(key);
    this.#backoffs.delete(key);
    this.#written.delete(key);
  }

  /** Whether our own last write has not come back yet: counting from the older copy would count pods that were let go as never ended. */
  #isStale(key: string, job: Job): boolean {
    const written = this.#written.get(key), at = Number(written?.metadata.resourceVersion), seen = Number(job.metadata.resourceVersion);
    if (written === undefined) return false;
    if (written.metadata.uid === job.metadata.uid && at > seen) return true;
    this.#written.delete(key);
    return false;
  }

  #releasing(key: string, uids: readonly string[]): void {
    if (uids.length === 0) return;
    const released = this.#released.get(key) ?? new Set();
    for (const uid of uids) released.add(uid);
    this.#released.set(key, released);
  }

  #seenReleased(key: string, uid: string | undefined): void {
    const released = this.#released.get(key);
    if (released?.delete(uid ?? "") === true && released.size === 0) this.#released.delete(key);
  }

  async #reconcileOrphan(key: string, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> {
    const pod = this.#pods.get(key);
    if (pod === undefined || !isTracked(pod)) return {};
    const reference = controllerOf(pod), owner = this.#resolve(pod);
    if (reference !== undefined && (reference.kind !== jobs.kind || reference.apiVersion !== "batch/v1")) return {};
    if (owner !== undefined && (isManagedElsewhere(owner) || !isFinished(owner))) return {};
    const patch = { metadata: { uid: pod.metadata.uid, "$deleteFromPrimitiveList/finalizers": [TRACKING_FINALIZER] } };
    try { await this.#context.client.patch(pods, pod.metadata, "strategic", patch, {}, signal); }
    catch (error) { if (!hasReason(error, "NotFound", "Conflict")) throw error; }
    return {};
  }

  /** The Job a pod's reference names, if it is there. */
  #resolve(pod: Pod): Job | undefined {
    const reference = controllerOf(pod);
    if (reference === undefined || reference.kind !== jobs.kind) return undefined;
    const owner = this.#owners.get(joinKey(pod.metadata.namespace, reference.name));
    return owner?.metadata.uid === reference.uid ? owner : undefined;
  }

  #jobChanged(change: Change<Job>): void {
    const job = change.object, key = keyOf(job);
    if (change.type === "updated" && change.old.metadata.generation === job.metadata.generation) this.jobs.queue.addAfter(key, BATCH_MS);
    else this.jobs.queue.add(key);
    if (change.type !== "deleted" && !isFinished(job)) return;
    for (const pod of this.#pods.byIndex(CONTROLLER_INDEX, job.metadata.uid ?? "")) if (isTracked(pod)) this.orphans.queue.add(keyOf(pod));
  }

  #podChanged(change: Change<Pod>): void {
    const pod = change.object, owner = this.#resolve(pod);
    if (change.type === "updated") {
      const oldOwner = this.#resolve(change.old);
      if (oldOwner !== undefined && oldOwner !== owner) { if (!isTracked(pod)) this.#seenReleased(keyOf(oldOwner), pod.metadata.uid); this.jobs.queue.addAfter(keyOf(oldOwner), BATCH_MS); }
    }
    if (owner === undefined || isFinished(owner)) {
      if (isTracked(pod)) this.orphans.queue.add(keyOf(pod));
      if (change.type !== "deleted" && controllerOf(pod) === undefined) this.#enqueueMatching(pod);
      return;
    }
    const key = keyOf(owner);
    if (change.type === "deleted" || isPodTerminating(pod)) this.#expectations.deletionObserved(key, keyOf(pod));
    else if (change.type === "added") this.#expectations.creationObserved(key);
    if (change.type === "deleted" || !isTracked(pod)) this.#seenReleased(key, pod.metadata.uid);
    this.jobs.queue.addAfter(key, BATCH_MS);
  }

  #enqueueMatching(pod: Pod): void {
    for (const owner of this.#owners.list(pod.metadata.namespace)) if (matchesLabels(selectorFromObject(owner.spec.selector), pod.metadata.labels)) this.jobs.queue.addAfter(keyOf(owner), BATCH_MS);
  }
}
