/**
 * Pod worker: brings one pod, and keeps it, where its spec wants it.
 *
 *   woken (spec, runtime, probe, timer) ──► read runtime ──► publish status ──► planPod ──► first action ──► again
 *                                                                                 └─ nothing to do ──► sleep
 *   deleted: stopPod ──► final status ──► volumes and cgroup away ──► object deleted ──► sandboxes removed ──► done
 *
 * Guarantees: one action at a time; everything is decided from what the runtime says, so a new worker after a restart goes on where the old
 * one was and touches nothing that runs well; the API object is deleted only when nothing of the pod is left on the host.
 * Counterpart: kubelet `pod_workers.go` and SyncPod.
 */
import type { ContainerStateWaiting, Pod, ResourceRequirements } from "../api/schema/generated/models.ts";
import { isAbort } from "../util/abort.ts";
import { assertNever } from "../util/assert.ts";
import { backoffMs, resolveBackoff } from "../util/backoff.ts";
import { Wakeup } from "../util/wakeup.ts";
import { crashBackoffMs } from "./crash-backoff.ts";
import type { Rejection } from "./admit-pod.ts";
import { linuxResources, podCgroup, podCgroupResources } from "./container-resources.ts";
import { createSandbox, sandboxConfigOf } from "./create-sandbox.ts";
import { formatMs, StartError } from "./image-manager.ts";
import type { NodeContext } from "./node-context.ts";
import { findContainer, graceSecondsOf, isTerminalPhase, podKey, uidOf } from "./pod-facts.ts";
import type { PodRemover } from "./pod-remover.ts";
import { planPod, type PodAction, type PodMemory } from "./plan-pod.ts";
import { buildPodStatus } from "./pod-status.ts";
import type { ProbeManager } from "./probes/probe-manager.ts";
import { planResize } from "./resize.ts";
import type { RuntimeReader } from "./runtime-reader.ts";
import { emptyRuntimeStatus, latestOf, type PodRuntimeStatus } from "./runtime-status.ts";
import { startContainer } from "./start-container.ts";
import type { StatusWriter } from "./status-writer.ts";
import { ignoreGone, stopContainer, stopPod, stopSandboxes } from "./stop-pod.ts";
import { VolumeError } from "./volumes/volume-manager.ts";

export interface PodWorkerDeps extends NodeContext {
  readonly reader: RuntimeReader;
  readonly probes: ProbeManager;
  readonly status: StatusWriter;
  readonly remover: PodRemover;
  /** Why this node does not take the pod; asked once, of pods that are new to it. */
  admit(pod: Pod): Promise<Rejection | undefined>;
}

const SYNC_BACKOFF = resolveBackoff({ baseMs: 500, maxMs: 10_000, jitter: 0.5 });
const MOUNT_BACKOFF = resolveBackoff({ baseMs: 500, maxMs: 122_000 });
/** How often a running pod's files are brought up to date when nothing says they changed. */
const REFRESH_MS = 60_000;

export class PodWorker {
  readonly #deps: PodWorkerDeps;
  readonly #wakeup: Wakeup;
  #pod: Pod;
  #gone = false;
  #finished = false;
  #runtime: PodRuntimeStatus;
  #ended: PodMemory["ended"];
  /** Why starts failed, and until when they are not tried again; by container. */
  readonly #failedStarts = new Map<string, { waiting: ContainerStateWaiting; untilMs: number }>();
  #waiting = new Map<string, ContainerStateWaiting>();
  /** Containers whose postStart hook runs. */
  readonly #hooking = new Set<string>();
  /** By container, the run whose back-off people have been told of. */
  readonly #told = new Map<string, string>();
  #admitted = false;
  /** What each container was started with or resized to, by id. */
  readonly #given = new Map<string, ResourceRequirements>();
  #reads = 0;
  #newestRead = 0;
  #action: AbortController | undefined;
  #failures = 0;
  #mountFailures = 0;
  #mountRetryMs = 0;
  #volumesReady = false;
  #refreshAtMs = 0;
  #tidied = false;

  constructor(deps: PodWorkerDeps, pod: Pod) {
    this.#deps = deps;
    this.#pod = pod;
    this.#wakeup = new Wakeup(deps.clock);
    this.#runtime = emptyRuntimeStatus(uidOf(pod), pod.metadata.namespace ?? "default", pod.metadata.name);
    this.#wakeup.ring();
  }

  get pod(): Pod { return this.#pod; }
  get runtime(): PodRuntimeStatus { return this.#runtime; }
  get finished(): boolean { return this.#finished; }
  /** Whether the node has taken it. */
  get admitted(): boolean { return this.#admitted && this.#ended === undefined; }

  /** A new version of the pod. */
  update(pod: Pod): void {
    const before = this.#pod;
    this.#pod = pod;
    const deleted = before.metadata.deletionTimestamp === undefined && pod.metadata.deletionTimestamp !== undefined;
    // What is under way gives way to the end of the pod, or to an end sooner than planned.
    if (deleted || graceSecondsOf(pod) < graceSecondsOf(before)) this.#action?.abort();
    const fields = JSON.stringify([before.metadata.labels, before.metadata.annotations]) !== JSON.stringify([pod.metadata.labels, pod.metadata.annotations]);
    if (fields) this.#refreshAtMs = 0;
    // Most updates are our own status coming back: nothing to ask the runtime for, only others' conditions to look at.
    if (fields || deleted || before.metadata.deletionGracePeriodSeconds !== pod.metadata.deletionGracePeriodSeconds || JSON.stringify(before.spec) !== JSON.stringify(pod.spec)) this.wake();
    else if (this.#admitted) this.#publish();
  }

  /** The API object is gone: stop what runs and leave nothing. */
  vanish(last: Pod = this.#pod): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#pod = { ...last, metadata: { ...last.metadata, deletionTimestamp: last.metadata.deletionTimestamp ?? this.#deps.clock.now().toISOString() } };
    this.#action?.abort();
    this.wake();
  }

  /** Ends the pod for a reason of the node's; it becomes Failed. */
  end(reason: string, message: string): void {
    this.#ended ??= { reason, message };
    this.#action?.abort();
    this.wake();
  }

  /** Something the pod's files and variables are made of changed: what failed for want of it is tried again at once. */
  refreshSoon(): void {
    this.#refreshAtMs = 0;
    this.#mountRetryMs = 0;
    for (const [name, { waiting }] of this.#failedStarts) if (waiting.reason === "CreateContainerConfigError") this.#failedStarts.delete(name);
    this.wake();
  }

  wake(): void {
    this.#wakeup.ring();
    if (this.#action !== undefined) void this.#publishWhileBusy();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!this.#finished) {
      await this.#wakeup.wait(signal);
      if (signal.aborted) return;
      this.#action = new AbortController();
      try {
        await this.#sync(AbortSignal.any([signal, this.#action.signal]));
        this.#failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (this.#action.signal.aborted && isAbort(error, this.#action.signal)) this.#wakeup.ring();
        else {
          const retryInMs = backoffMs(SYNC_BACKOFF, this.#failures++);
          this.#deps.log.warn({ pod: podKey(this.#pod), uid: uidOf(this.#pod), error, retryInMs }, "pod sync failed, will retry");
          this.#wakeup.ringIn(retryInMs);
        }
      } finally { this.#action = undefined; }
    }
  }

  async #sync(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    await this.#read();
    await this.#admit();
    this.#checkDeadline();
    const nowMs = clock.now().getTime(), actions = planPod(this.#pod, this.#runtime, nowMs, this.#memory());
    this.#explainWaits(actions);
    this.#publish();
    const step = actions.find((action) => action.kind !== "wait");
    if (step !== undefined) {
      if (step.kind === "start" && !(await this.#ensureVolumes(signal))) return;
      await this.#perform(step, signal);
      return this.#wakeup.ring();
    }
    for (const action of actions) if (action.kind === "wait") this.#wakeup.ringIn(Math.max(1, action.untilMs - nowMs));
    if (this.#pod.metadata.deletionTimestamp === undefined && this.#ended === undefined && await this.#resize(signal)) return this.#wakeup.ring();
    await this.#settle(signal);
  }

  async #read(): Promise<void> {
    const { reader, probes } = this.#deps, pod = this.#pod, number = ++this.#reads;
    const runtime = await reader.readPod(uidOf(pod), pod.metadata.namespace ?? "default", pod.metadata.name);
    if (number < this.#newestRead) return; // One begun later has come back already.
    this.#newestRead = number;
    this.#runtime = runtime;
    probes.sync(pod, this.#runtime, this.#podIPs()[0] ?? "", this.#hooking);
  }

  async #admit(): Promise<void> {
    if (this.#admitted) return;
    const isNew = this.#pod.status?.startTime === undefined && this.#runtime.containers.length === 0 && this.#pod.metadata.deletionTimestamp === undefined;
    this.#admitted = true; // Counts from now on, so that two pods asking at once see each other.
    let rejection: Rejection | undefined;
    try { rejection = isNew ? await this.#deps.admit(this.#pod) : undefined; }
    catch (error) { this.#admitted = false; throw error; }
    if (rejection === undefined) return;
    this.#deps.events.pod(this.#pod, "Warning", rejection.reason, rejection.message);
    this.#ended ??= { reason: rejection.reason, message: `Pod was rejected: ${rejection.message}` };
  }

  /** What containers run with; after a restart of the kubelet, what their status says. */
  #learnResources(): void {
    const live = new Set(this.#runtime.containers.map((run) => run.id));
    for (const id of this.#given.keys()) if (!live.has(id)) this.#given.delete(id);
    const told = [...(this.#pod.status?.containerStatuses ?? []), ...(this.#pod.status?.initContainerStatuses ?? [])];
    for (const run of this.#runtime.containers) {
      if (run.state !== "running" || this.#given.has(run.id)) continue;
      this.#given.set(run.id, told.find((status) => status.containerID === `containerd://${run.id}`)?.resources ?? findContainer(this.#pod, run.name)?.resources ?? {});
    }
  }

  /** Gives running containers the resources the spec now says. Returns whether anything was done. */
  async #resize(signal: AbortSignal): Promise<boolean> {
    this.#learnResources();
    const { cri, cgroups, settings, events } = this.#deps, pod = this.#pod, steps = planResize(pod, this.#runtime, this.#given);
    if (steps.length === 0) return false;
    await cgroups.ensure(podCgroup(settings.cgroupRoot, pod), podCgroupResources(pod)).catch(() => undefined); // Shrinking waits for the containers.
    for (const { id, container, restart } of steps) {
      if (restart) await stopContainer(this.#deps, pod, { id, name: container.name }, graceSecondsOf(pod), `Container ${container.name} resize requires restart`, this.#podIPs()[0] ?? "", signal);
      else await cri.call("UpdateContainerResources", { containerId: id, linux: linuxResources(pod, container, settings.memoryCapacityBytes) });
      this.#given.set(id, container.resources ?? {});
      events.container(pod, container.name, "Normal", "ResizeCompleted", `Pod resize completed: ${JSON.stringify(container.resources ?? {})}`);
    }
    await cgroups.ensure(podCgroup(settings.cgroupRoot, pod), podCgroupResources(pod));
    return true;
  }

  #podIPs(): readonly string[] { return this.#pod.spec.hostNetwork === true ? this.#deps.settings.hostIPs : this.#runtime.sandboxes[0]?.ips ?? []; }

  #memory(): PodMemory {
    const { started, unhealthy } = this.#deps.probes.results(uidOf(this.#pod));
    return { started, unhealthy, startBackoffUntilMs: new Map([...this.#failedStarts].map(([name, { untilMs }]) => [name, untilMs])), ...(this.#ended === undefined ? {} : { ended: this.#ended }) };
  }

  #checkDeadline(): void {
    const seconds = this.#pod.spec.activeDeadlineSeconds, start = (this.#deps.status.wanted(uidOf(this.#pod)) ?? this.#pod.status)?.startTime;
    if (seconds === undefined || start === undefined || isTerminalPhase(this.#pod.status?.phase)) return;
    const leftMs = Date.parse(start) + seconds * 1_000 - this.#deps.clock.now().getTime();
    if (leftMs > 0) return this.#wakeup.ringIn(leftMs);
    if (this.#ended === undefined) this.#deps.events.pod(this.#pod, "Normal", "DeadlineExceeded", "Pod was active on the node longer than the specified deadline");
    this.#ended ??= { reason: "DeadlineExceeded", message: "Pod was active on the node longer than the specified deadline" };
  }

  /** Works out what to show for containers that wait. */
  #explainWaits(actions: readonly PodAction[]): void {
    const waiting = new Map([...this.#failedStarts].map(([name, { waiting: why }]) => [name, why])), pod = this.#pod;
    const fullName = `${pod.metadata.name}_${pod.metadata.namespace ?? "default"}(${uidOf(pod)})`;
    for (const action of actions) {
      if (action.kind !== "wait" || action.reason !== "CrashLoopBackOff") continue;
      const runs = this.#runtime.containers.filter((run) => run.name === action.container);
      waiting.set(action.container, { reason: "CrashLoopBackOff", message: `back-off ${formatMs(crashBackoffMs(runs))} restarting failed container=${action.container} pod=${fullName}` });
      const run = runs[0]?.id ?? "";
      if (this.#told.get(action.container) !== run) this.#deps.events.container(pod, action.container, "Warning", "BackOff", `Back-off restarting failed container ${action.container} in pod ${fullName}`);
      this.#told.set(action.container, run);
    }
    this.#waiting = waiting;
  }

  #publish(): void {
    if (this.#gone || this.#finished) return;
    const { status, probes, settings, clock } = this.#deps, uid = uidOf(this.#pod), { started, ready } = probes.results(uid);
    status.set(this.#pod, buildPodStatus(this.#pod, this.#runtime, { hostIPs: settings.hostIPs, ended: this.#ended, previous: status.wanted(uid), started, ready, waiting: this.#waiting, resources: this.#given }, clock.now().getTime()));
  }

  /** While an action takes its time, what changes meanwhile (readiness, a container that ended) is still told. */
  async #publishWhileBusy(): Promise<void> {
    try { await this.#read(); this.#publish(); } catch { /* The next sync reads again. */ }
  }

  /** Makes or freshens the volumes. Returns false when that has to be tried again later. */
  async #ensureVolumes(signal: AbortSignal): Promise<boolean> {
    const { volumes, clock, events } = this.#deps, nowMs = clock.monotonicMs();
    if (this.#volumesReady) return true;
    if (nowMs < this.#mountRetryMs) { this.#wakeup.ringIn(this.#mountRetryMs - nowMs); return false; }
    try {
      await volumes.setUp(this.#pod, this.#deps.downwardContext(this.#podIPs()));
      signal.throwIfAborted();
      this.#volumesReady = true;
      this.#refreshAtMs = clock.monotonicMs() + REFRESH_MS;
      this.#mountFailures = 0;
      return true;
    } catch (error) {
      if (!(error instanceof VolumeError)) throw error;
      events.pod(this.#pod, "Warning", "FailedMount", error.message);
      const delayMs = backoffMs(MOUNT_BACKOFF, this.#mountFailures++);
      this.#mountRetryMs = clock.monotonicMs() + delayMs;
      this.#wakeup.ringIn(delayMs);
      return false;
    }
  }

  async #perform(action: Exclude<PodAction, { kind: "wait" }>, signal: AbortSignal): Promise<void> {
    const pod = this.#pod, podIP = this.#podIPs()[0] ?? "";
    switch (action.kind) {
      case "createSandbox": {
        // Volumes do not need the sandbox; failures of theirs are told when a container is to start.
        const volumes = this.#ensureVolumes(signal).catch(() => false);
        try {
          await stopSandboxes(this.#deps.cri, this.#runtime, signal);
          await createSandbox(this.#deps, pod, action.attempt);
        }
        finally { await volumes; }
        return;
      }
      case "start": return this.#start(action, signal);
      case "stopContainer": return stopContainer(this.#deps, pod, { id: action.id, name: action.container }, action.graceSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30, action.message, podIP, signal);
      case "stopPod":
        if (action.reason === "sandboxChanged") this.#deps.events.pod(pod, "Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
        return stopPod(this.#deps, pod, this.#runtime, action.graceSeconds, podIP, signal);
      default: return assertNever(action);
    }
  }

  async #start(action: Extract<PodAction, { kind: "start" }>, signal: AbortSignal): Promise<void> {
    const pod = this.#pod, { container: name, attempt, sandboxId } = action, podIPs = this.#podIPs();
    const leftover = latestOf(this.#runtime, name);
    if (leftover?.state === "created") await ignoreGone(this.#deps.cri.call("RemoveContainer", { containerId: leftover.id }));
    this.#hooking.add(name);
    try {
      const sandbox = sandboxConfigOf(this.#deps, pod, this.#runtime.sandboxes[0]?.attempt ?? 0);
      await startContainer(this.#deps, { pod, name, attempt, sandboxId, sandbox, podIPs, runtime: this.#runtime }, () => void this.#publishWhileBusy(), signal);
      this.#failedStarts.delete(name);
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      this.#failedStarts.set(name, { waiting: { reason: error.reason, message: error.message }, untilMs: this.#deps.clock.now().getTime() + error.retryMs });
    } finally { this.#hooking.delete(name); }
  }

  /** Nothing to start or stop: keep files fresh, or take away what an ended pod leaves. */
  async #settle(signal: AbortSignal): Promise<void> {
    const pod = this.#pod, uid = uidOf(pod), { remover, status } = this.#deps;
    const stopped = this.#runtime.containers.every((run) => run.state === "exited") && !this.#runtime.sandboxes.some((sandbox) => sandbox.ready);
    if (pod.metadata.deletionTimestamp !== undefined && stopped) {
      this.#deps.probes.forget(uid);
      await remover.clean(pod, podCgroup(this.#deps.settings.cgroupRoot, pod));
      if (!this.#gone) {
        await status.flush(uid);
        await remover.deleteObject(pod, signal);
      }
      await remover.removeSandboxes(pod, this.#runtime, this.#deps.settings);
      status.forget(uid);
      this.#finished = true;
      return;
    }
    if (stopped && isTerminalPhase(status.wanted(uid)?.phase)) {
      if (this.#tidied) return;
      await stopSandboxes(this.#deps.cri, this.#runtime, signal);
      await remover.clean(pod, podCgroup(this.#deps.settings.cgroupRoot, pod));
      this.#tidied = true;
      return;
    }
    if (this.#volumesReady || this.#runtime.containers.length > 0) await this.#refresh();
  }

  async #refresh(): Promise<void> {
    const { clock, volumes, events, log } = this.#deps, nowMs = clock.monotonicMs();
    if (nowMs < this.#refreshAtMs) return this.#wakeup.ringIn(this.#refreshAtMs - nowMs);
    this.#refreshAtMs = nowMs + REFRESH_MS;
    this.#wakeup.ringIn(REFRESH_MS);
    try { await volumes.refresh(this.#pod, this.#deps.downwardContext(this.#podIPs())); this.#volumesReady = true; }
    catch (error) {
      if (error instanceof VolumeError) events.pod(this.#pod, "Warning", "FailedMount", error.message);
      else log.warn({ pod: podKey(this.#pod), error }, "cannot refresh volumes");
    }
  }
}
