/**
 * One look at one CronJob: its list of running Jobs is brought up to date, the start that is due is made, old Jobs go.
 * Counterpart: syncCronJob in kubernetes `pkg/controller/cronjob/cronjob_controllerv2.go`.
 */
import { isControlledBy } from "../../api/helpers/owner-references.ts";
import { CronSyntaxError, isTimeZone, type CronSpec } from "../../api/helpers/cron-syntax.ts";
import { timestampMs, toTimestamp } from "../../api/helpers/timestamps.ts";
import { cronjobs, jobs } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import { isNamespaceTerminating } from "../shared/pod-control.ts";
import { endOf, jobNameOf, newCronedJob, planHistory, planStart, scheduleOf, untilNextMs } from "./plan-schedule.ts";
import type { Client } from "../../client/client.ts";
import type { EventSink } from "../../runtime/event-recorder.ts";
import type { Clock } from "../../util/clock.ts";
import type { CronJob, CronJobStatus, Job, ObjectReference } from "../../api/schema/generated/models.ts";

export interface CronSyncDeps { readonly client: Client; readonly clock: Clock; readonly recorder: EventSink; readonly localZone: string }

export class CronSync {
  readonly #deps: CronSyncDeps;
  readonly #jobs: readonly Job[];
  readonly #signal: AbortSignal;
  #cronJob: CronJob;
  #status: CronJobStatus;
  #changed = false;

  /** `children` are the Jobs it controls. */
  constructor(deps: CronSyncDeps, cronJob: CronJob, children: readonly Job[], signal: AbortSignal) {
    this.#deps = deps;
    this.#cronJob = cronJob;
    this.#jobs = children;
    this.#signal = signal;
    this.#status = { ...cronJob.status };
  }

  /** Returns the CronJob if its status was written. */
  async run(): Promise<{ requeueAfterMs: number | undefined; written: CronJob | undefined }> {
    let requeueAfterMs: number | undefined, failure: unknown;
    try {
      for (const job of this.#jobs) await this.#observe(job);
      await this.#forgetMissing();
      requeueAfterMs = await this.#start();
    } catch (error) { failure = error; }
    for (const job of planHistory(this.#cronJob, this.#jobs)) await this.#deleteJob(job);
    let written: CronJob | undefined;
    if (this.#changed) written = await this.#deps.client.update(cronjobs, { ...this.#cronJob, status: this.#status }, { subresource: "status" }, this.#signal);
    if (failure !== undefined && !isNamespaceTerminating(failure)) throw failure;
    return { requeueAfterMs, written };
  }

  #tell(type: "Normal" | "Warning", reason: string, message: string): void { this.#deps.recorder.event(this.#cronJob, type, reason, message); }

  get #active(): readonly ObjectReference[] { return this.#status.active ?? []; }
  #setActive(active: readonly ObjectReference[]): void {
    const { active: _, ...rest } = this.#status;
    this.#status = active.length === 0 ? rest : { ...rest, active: [...active] };
    this.#changed = true;
  }
  #isActive(job: Job): boolean { return this.#active.some(({ uid }) => uid === job.metadata.uid); }
  #dropActive(uid: string | undefined): void { if (this.#active.some((reference) => reference.uid === uid)) this.#setActive(this.#active.filter((reference) => reference.uid !== uid)); }

  async #observe(job: Job): Promise<void> {
    const end = endOf(job), isActive = this.#isActive(job);
    if (!isActive && end === undefined) {
      const live = await this.#deps.client.get(cronjobs, this.#cronJob.metadata, this.#signal);
      if (live.status?.active?.some(({ uid }) => uid === job.metadata.uid) === true) { this.#cronJob = live; this.#status = { ...live.status }; return; }
      this.#tell("Warning", "UnexpectedJob", `Saw a job that the controller did not create or forgot: ${job.metadata.name}`);
    } else if (isActive && end !== undefined) {
      this.#dropActive(job.metadata.uid);
      this.#tell("Normal", "SawCompletedJob", `Saw completed job: ${job.metadata.name}, status: ${end}`);
    }
    if (end !== "Complete") return;
    const completionMs = timestampMs(job.status?.completionTime) ?? 0;
    if (completionMs <= (timestampMs(this.#status.lastSuccessfulTime) ?? 0)) return;
    this.#status = { ...this.#status, lastSuccessfulTime: job.status!.completionTime };
    this.#changed = true;
  }

  async #forgetMissing(): Promise<void> {
    for (const reference of this.#active) {
      if (this.#jobs.some(({ metadata }) => metadata.uid === reference.uid)) continue;
      if (await this.#getJob(reference.name ?? "") !== undefined) continue; // The watch is behind.
      this.#tell("Normal", "MissingJob", `Active job went missing: ${reference.name}`);
      this.#dropActive(reference.uid);
    }
  }

  async #getJob(name: string): Promise<Job | undefined> {
    try { return await this.#deps.client.get(jobs, { namespace: this.#cronJob.metadata.namespace, name }, this.#signal); }
    catch (error) { if (hasReason(error, "NotFound")) return undefined; throw error; }
  }

  #readSchedule(): { schedule: CronSpec; zone: string } | undefined {
    const { spec, metadata } = this.#cronJob;
    if (metadata.deletionTimestamp !== undefined) return undefined;
    if (spec.timeZone !== undefined && !isTimeZone(spec.timeZone)) { this.#tell("Warning", "UnknownTimeZone", `invalid timeZone: ${JSON.stringify(spec.timeZone)}: unknown time zone ${spec.timeZone}`); return undefined; }
    if (spec.suspend === true) return undefined;
    if (spec.schedule.includes("TZ")) this.#tell("Warning", "UnsupportedSchedule", `CRON_TZ or TZ used in schedule ${JSON.stringify(spec.schedule)} is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details`);
    try { return scheduleOf(this.#cronJob, this.#deps.localZone); }
    catch (error) {
      if (!(error instanceof CronSyntaxError)) throw error;
      this.#tell("Warning", "UnparseableSchedule", `unparseable schedule: ${JSON.stringify(spec.schedule)} : ${error.message}`);
      return undefined;
    }
  }

  /** Makes the Job that is due, if one is; returns when to look again. */
  async #start(): Promise<number | undefined> {
    const read = this.#readSchedule();
    if (read === undefined) return undefined;
    const { spec } = this.#cronJob, nowMs = this.#deps.clock.now().getTime(), { schedule, zone } = read;
    let dueMs: number | undefined;
    try {
      const start = planStart(this.#cronJob, schedule, zone, nowMs);
      if (start.missedMany) this.#tell("Warning", "TooManyMissedTimes", "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew");
      dueMs = start.dueMs;
    } catch (error) { this.#tell("Warning", "InvalidSchedule", `invalid schedule: ${spec.schedule} : ${(error as Error).message}`); return undefined; }
    if (dueMs !== undefined && await this.#mayStart(dueMs, nowMs)) await this.#createJob(dueMs);
    return untilNextMs({ ...this.#cronJob, status: this.#status }, schedule, zone, this.#deps.clock.now().getTime());
  }

  async #mayStart(dueMs: number, nowMs: number): Promise<boolean> {
    const { spec } = this.#cronJob;
    if (spec.startingDeadlineSeconds !== undefined && dueMs + spec.startingDeadlineSeconds * 1_000 < nowMs) {
      this.#tell("Warning", "MissSchedule", `Missed scheduled time to start a job: ${new Date(dueMs).toUTCString().replace("GMT", "UTC")}`);
      return false;
    }
    if (this.#active.some(({ name }) => name === jobNameOf(this.#cronJob, dueMs)) || timestampMs(this.#status.lastScheduleTime) === dueMs) return false;
    if (spec.concurrencyPolicy === "Forbid" && this.#active.length > 0) {
      this.#tell("Normal", "JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid");
      return false;
    }
    if (spec.concurrencyPolicy === "Replace") for (const reference of this.#active) await this.#replace(reference);
    return true;
  }

  async #replace({ name = "", uid }: ObjectReference): Promise<void> {
    const job = await this.#getJob(name);
    if (job === undefined) { this.#dropActive(uid); return; }
    if (!await this.#deleteJob(job)) throw new Error(`could not replace job ${job.metadata.namespace}/${name}`);
  }

  async #createJob(dueMs: number): Promise<void> {
    const wanted = newCronedJob(this.#cronJob, dueMs);
    let job: Job;
    try {
      job = await this.#deps.client.create(jobs, wanted, {}, this.#signal);
      this.#tell("Normal", "SuccessfulCreate", `Created job ${job.metadata.name}`);
    } catch (error) {
      if (!hasReason(error, "AlreadyExists")) {
        if (!isNamespaceTerminating(error)) this.#tell("Warning", "FailedCreate", `Error creating job: ${(error as Error).message}`);
        throw error;
      }
      // Ours, made just before a crash or a conflict: it is taken up. Another's: it is theirs.
      const existing = await this.#getJob(wanted.metadata.name);
      if (existing === undefined) throw error;
      if (!isControlledBy(existing, this.#cronJob) || this.#isActive(existing)) return;
      job = existing;
    }
    const { namespace, name, uid, resourceVersion } = job.metadata;
    this.#setActive([...this.#active, { kind: "Job", apiVersion: "batch/v1", namespace, name, uid, resourceVersion }]);
    this.#status = { ...this.#status, lastScheduleTime: toTimestamp(new Date(dueMs)) };
  }

  async #deleteJob(job: Job): Promise<boolean> {
    try { await this.#deps.client.delete(jobs, job.metadata, { propagationPolicy: "Background" }, this.#signal); }
    catch (error) {
      if (!hasReason(error, "NotFound")) { this.#tell("Warning", "FailedDelete", `Deleted job: ${(error as Error).message}`); return false; }
    }
    this.#dropActive(job.metadata.uid);
    this.#tell("Normal", "SuccessfulDelete", `Deleted job ${job.metadata.name}`);
    return true;
  }
}
