/**
 * One look at one Job, start to end: what the plans decide is done here, in the order that loses nothing.
 * Counterpart: syncJob in kubernetes `pkg/controller/job/job_controller.go`.
 */
import { hasReason } from "../../api/status-error.ts";
import { isPodReady } from "../../api/helpers/pod-status.ts";
import { toTimestamp } from "../../api/helpers/timestamps.ts";
import { jobs, pods } from "../../api/schema/generated/references.ts";
import { keyOf } from "../../runtime/object-key.ts";
import { isNamespaceTerminating, type PodControl } from "../shared/pod-control.ts";
import { slowStart } from "../shared/slow-start.ts";
import { TRACKING_FINALIZER, isSuspended, isTracked } from "./job-pods.ts";
import { newJobPod } from "./new-pod.ts";
import { assessJob, completionsReached, isComplete, newCondition, planPods, untilDeadlineMs, type Assessment, type JobView, type PodPlan } from "./plan-job.ts";
import { countReleased, heldUids, planEnd, planTracking, setCondition, type TrackingPlan } from "./plan-tracking.ts";
import type { BackoffRecord } from "./plan-backoff.ts";
import type { Expectations } from "../shared/expectations.ts";
import type { Client } from "../../client/client.ts";
import type { EventSink } from "../../runtime/event-recorder.ts";
import type { Clock } from "../../util/clock.ts";
import type { Job, JobCondition, JobStatus, Pod } from "../../api/schema/generated/models.ts";

export interface JobSyncDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly recorder: EventSink;
  readonly control: PodControl;
  readonly expectations: Expectations;
  /** Called before finalizers are removed, and for each pod where that failed. */
  readonly releasing: (key: string, uids: readonly string[]) => void;
  readonly notReleased: (key: string, uid: string) => void;
  readonly written: (key: string, job: Job) => void;
  readonly remember: (key: string, backoff: BackoffRecord) => void;
}

/** How many pods there are after what was done to them. */
interface Counts { active: number; ready: number; terminating: number }

export class JobSync {
  readonly #deps: JobSyncDeps;
  readonly #view: JobView;
  readonly #key: string;
  readonly #signal: AbortSignal;
  /** Whether all that was asked for before has been seen. */
  readonly #mayAct: boolean;
  #job: Job;
  #requeueAfterMs: number | undefined;

  constructor(deps: JobSyncDeps, view: JobView, mayAct: boolean, signal: AbortSignal) {
    this.#deps = deps;
    this.#key = keyOf(view.job);
    this.#signal = signal;
    this.#mayAct = mayAct;
    const status: JobStatus = { ...view.job.status, uncountedTerminatedPods: view.job.status?.uncountedTerminatedPods ?? {} };
    // A Job that is suspended has not begun.
    if (status.startTime === undefined && !isSuspended(view.job)) status.startTime = toTimestamp(deps.clock.now());
    this.#job = { ...view.job, status };
    this.#view = { ...view, job: this.#job };
  }

  async run(): Promise<{ requeueAfterMs?: number }> {
    const now = this.#deps.clock.now(), view = this.#view, assessment = assessJob(view, now);
    const counts: Counts = { active: assessment.active.length, ready: assessment.active.filter(isPodReady).length, terminating: assessment.terminating };
    let finished = assessment.finished, failure: unknown, suspensionTold = false;
    if (finished === undefined) {
      this.#wakeIn(untilDeadlineMs(this.#job, now));
      const managed = this.#mayAct && this.#job.metadata.deletionTimestamp === undefined;
      if (managed) failure = await this.#managePods(assessment, counts);
      if (isComplete(this.#job, assessment, counts.active)) finished = completionsReached(now);
      else if (managed) suspensionTold = this.#tellSuspension(now);
    } else {
      const deleted = await this.#deletePods(assessment.active, counts, false);
      failure = deleted.error;
      // Pods may be left, or not be known yet: the end waits for them.
      if (deleted.count !== assessment.active.length || !this.#mayAct) finished = undefined;
    }
    const { status = {} } = this.#job, draft: JobStatus = { ...status, active: counts.active, ready: counts.ready, terminating: counts.terminating };
    const changed = suspensionTold || counts.active !== (status.active ?? 0) || counts.ready !== status.ready || counts.terminating !== status.terminating;
    await this.#track(assessment, draft, finished, changed);
    if (failure !== undefined) throw failure;
    return this.#requeueAfterMs === undefined ? {} : { requeueAfterMs: this.#requeueAfterMs };
  }

  #wakeIn(ms: number | undefined): void { if (ms !== undefined) this.#requeueAfterMs = Math.min(ms, this.#requeueAfterMs ?? Infinity); }

  /** Returns the first failure. */
  async #managePods(assessment: Assessment, counts: Counts): Promise<unknown> {
    const plan = planPods(this.#view, assessment, this.#deps.clock.now());
    switch (plan.kind) {
      case "settled": return undefined;
      case "wait": this.#wakeIn(plan.ms + 1); return undefined;
      case "delete": this.#deps.expectations.expectDeletions(this.#key, plan.pods.map(keyOf)); return (await this.#deletePods(plan.pods, counts, true)).error;
      case "create": return this.#createPods(plan, assessment, counts);
    }
  }

  async #createPods({ count, indexes }: PodPlan & { kind: "create" }, { kept }: Assessment, counts: Counts): Promise<unknown> {
    const { expectations, control } = this.#deps;
    expectations.expectCreations(this.#key, count);
    const { succeeded, error } = await slowStart(count, async (i) => {
      const index = indexes[i];
      await control.create(newJobPod(this.#job, index, index === undefined ? undefined : kept.get(index)), this.#job, this.#signal);
    });
    expectations.creationObserved(this.#key, count - succeeded); // Those will not be seen.
    counts.active += succeeded;
    return isNamespaceTerminating(error) ? undefined : error;
  }

  /** `uncounted`: these are not failures, so their finalizers go first. */
  async #deletePods(victims: readonly Pod[], counts: Counts, uncounted: boolean): Promise<{ count: number; error: unknown }> {
    const { control, expectations } = this.#deps;
    const results = await Promise.allSettled(victims.map(async (pod) => {
      try {
        if (uncounted && isTracked(pod)) await this.#removeFinalizer(pod);
        await control.delete(pod, this.#job, this.#signal);
      } catch (error) {
        if (uncounted) expectations.deletionObserved(this.#key, keyOf(pod));
        if (!hasReason(error, "NotFound", "Conflict")) throw error; // Gone already; the name may belong to another pod by now.
      }
    }));
    const gone = victims.filter((_, i) => results[i]!.status === "fulfilled");
    counts.active -= gone.length;
    counts.terminating += gone.length;
    counts.ready -= gone.filter(isPodReady).length;
    return { count: gone.length, error: results.find((result) => result.status === "rejected")?.reason };
  }

  async #removeFinalizer(pod: Pod): Promise<void> {
    await this.#deps.client.patch(pods, pod.metadata, "strategic", { metadata: { uid: pod.metadata.uid, "$deleteFromPrimitiveList/finalizers": [TRACKING_FINALIZER] } }, {}, this.#signal);
  }

  /** Puts the Suspended condition into the draft and tells of it; whether it changed. */
  #tellSuspension(now: Date): boolean {
    const suspended = isSuspended(this.#job), { status = {} } = this.#job;
    const conditions = setCondition(status.conditions, newCondition("Suspended", suspended ? "JobSuspended" : "JobResumed", suspended ? "Job suspended" : "Job resumed", now, suspended ? "True" : "False"));
    if (conditions === undefined) return false;
    this.#deps.recorder.event(this.#job, "Normal", suspended ? "Suspended" : "Resumed", suspended ? "Job suspended" : "Job resumed");
    // A deadline counts from when the Job last went on, and one that is suspended has not begun.
    const { startTime: _, ...rest } = status;
    this.#job = { ...this.#job, status: { ...rest, conditions, ...(suspended ? {} : { startTime: toTimestamp(now) }) } };
    if (!suspended) this.#wakeIn(untilDeadlineMs(this.#job, now));
    return true;
  }

  async #track(assessment: Assessment, draft: JobStatus, finished: JobCondition | undefined, changed: boolean): Promise<void> {
    const now = this.#deps.clock.now(), plan = planTracking(this.#view, assessment, draft, finished, now);
    let status = plan.status;
    if (changed || plan.statusChanged) {
      status = await this.#writeStatus(status);
      this.#deps.remember(this.#key, assessment.backoff);
    }
    const { held, error } = await this.#release(plan);
    const counted = countReleased(status, held), end = error === undefined ? planEnd(counted, plan, now) : undefined;
    if (counted !== status || end !== undefined) await this.#writeStatus(end ?? counted);
    if (error !== undefined) throw error;
    if (end !== undefined) this.#tellEnd(end, plan.terminal!);
  }

  /** Lets the pods go; returns the uids whose finalizer is still there. */
  async #release({ release }: TrackingPlan): Promise<{ held: Set<string>; error: unknown }> {
    const held = heldUids(this.#view);
    this.#deps.releasing(this.#key, release.map((pod) => pod.metadata.uid ?? ""));
    const results = await Promise.allSettled(release.map(async (pod) => {
      const uid = pod.metadata.uid ?? "";
      try { await this.#removeFinalizer(pod); }
      catch (error) {
        this.#deps.notReleased(this.#key, uid);
        if (!hasReason(error, "NotFound", "Conflict")) throw error;
      }
      held.delete(uid);
    }));
    return { held, error: results.find((result) => result.status === "rejected")?.reason };
  }

  #tellEnd(status: JobStatus, terminal: JobCondition): void {
    const { recorder } = this.#deps, { completions } = this.#job.spec;
    if (terminal.type !== "Complete") { recorder.event(this.#job, "Warning", terminal.reason ?? "", terminal.message ?? ""); return; }
    if (completions !== undefined && (status.succeeded ?? 0) > completions) recorder.event(this.#job, "Warning", "TooManySucceededPods", "Too many succeeded pods running after completion count reached");
    recorder.event(this.#job, "Normal", "Completed", "Job completed");
  }

  /** Throws Conflict when the Job is newer than the copy this look began with; the next look sees it. */
  async #writeStatus(status: JobStatus): Promise<JobStatus> {
    this.#job = await this.#deps.client.update(jobs, { ...this.#job, status: withoutZeros(status) }, { subresource: "status" }, this.#signal);
    this.#deps.written(this.#key, this.#job);
    return { ...this.#job.status, uncountedTerminatedPods: this.#job.status?.uncountedTerminatedPods ?? {} };
  }
}

/** As Go writes it: these three are absent at zero, the others are said. */
function withoutZeros(status: JobStatus): JobStatus {
  const { active, succeeded, failed, ...rest } = status;
  return { ...rest, ...((active ?? 0) === 0 ? {} : { active }), ...((succeeded ?? 0) === 0 ? {} : { succeeded }), ...((failed ?? 0) === 0 ? {} : { failed }) };
}
