/**
 * Decides what to do next for one pod: a pure function from the pod, what the runtime says of it, and the time, to a list of actions.
 *
 *   no sandbox ──createSandbox──► init containers, one by one ──► sidecars stay ──► containers ──► all ended ──stopPod──► finished
 *        ▲                                                                             │ ends
 *        └── sandbox died: stopPod(keepGoing), createSandbox                           └── start again, after its back-off
 *
 * Guarantees: carrying out the actions and planning again converges; a container that runs and is up to date is never touched.
 * Counterpart: kubelet `kuberuntime_manager.go` computePodActions.
 */
import type { Container, Pod } from "../api/schema/generated/models.ts";
import { crashBackoffMs } from "./crash-backoff.ts";
import { containerHash } from "./labels.ts";
import { graceSecondsOf, initContainersOf, isSidecar, isTerminalPhase, restartsAfter } from "./pod-facts.ts";
import { isLive, type PodRuntimeStatus, type RuntimeContainer, type RuntimeSandbox } from "./runtime-status.ts";

export type PodAction =
  | { readonly kind: "createSandbox"; readonly attempt: number }
  /** Starts a run of a container. */
  | { readonly kind: "start"; readonly container: string; readonly attempt: number; readonly sandboxId: string }
  /** Stops one container, because of `message`. */
  | { readonly kind: "stopContainer"; readonly id: string; readonly container: string; readonly message: string; readonly graceSeconds?: number }
  /** Stops all containers (sidecars last) and the sandboxes. */
  | { readonly kind: "stopPod"; readonly graceSeconds: number; readonly reason: "deleted" | "finished" | "sandboxChanged" }
  /** Nothing but waiting until then. */
  | { readonly kind: "wait"; readonly untilMs: number; readonly container: string; readonly reason: "CrashLoopBackOff" | "StartBackOff" };

/** What the worker remembers beyond the runtime: probe results and failed starts. */
export interface PodMemory {
  /** Containers (by id) whose liveness or startup probe has failed, with the reason to show. */
  readonly unhealthy: ReadonlyMap<string, { message: string; graceSeconds?: number }>;
  /** Ids of containers that count as started: no startup probe, or it succeeded, and the postStart hook is done. */
  readonly started: ReadonlySet<string>;
  /** Until when a container whose start failed (image, config) is left alone, by name. */
  readonly startBackoffUntilMs: ReadonlyMap<string, number>;
  /** Set once the pod is to end for a reason of the node's: evicted, deadline exceeded. */
  readonly ended?: { readonly reason: string; readonly message: string };
}
export const emptyMemory: PodMemory = { unhealthy: new Map(), started: new Set(), startBackoffUntilMs: new Map() };

/** Whether the pod needs a new sandbox, and that sandbox's number. */
export function sandboxChanged(pod: Pod, runtime: PodRuntimeStatus): { changed: boolean; attempt: number; sandbox: RuntimeSandbox | undefined } {
  const sandbox = runtime.sandboxes[0];
  if (sandbox === undefined) return { changed: true, attempt: 0, sandbox };
  const hostNetwork = pod.spec.hostNetwork ?? false;
  const changed = !sandbox.ready || runtime.sandboxes.filter((s) => s.ready).length > 1 || sandbox.hostNetwork !== hostNetwork || (!hostNetwork && sandbox.ips.length === 0);
  return { changed, attempt: sandbox.attempt + 1, sandbox };
}

/** Plans the next steps of a pod that is to run. Actions are in order; after the first that changes anything, plan again. */
export function planPod(pod: Pod, runtime: PodRuntimeStatus, nowMs: number, memory: PodMemory = emptyMemory): PodAction[] {
  if (pod.metadata.deletionTimestamp !== undefined) return planStop(pod, runtime, "deleted");
  if (memory.ended !== undefined || isTerminalPhase(pod.status?.phase)) return planStop(pod, runtime, "finished");
  const { changed, attempt, sandbox } = sandboxChanged(pod, runtime);
  if (changed) return planSandbox(pod, runtime, attempt);
  const here: PodRuntimeStatus = { ...runtime, containers: runtime.containers.filter((container) => container.sandboxId === sandbox!.id) };
  const planner = new Planner(pod, runtime, sandbox!.id, nowMs, memory);
  const initialised = pod.spec.containers.some((container) => here.containers.some((run) => run.name === container.name));
  if (!planner.planInit(here, initialised)) return planner.actions;
  return planner.planContainers(here);
}

/** Stops everything that still lives; empty when nothing does. */
export function planStop(pod: Pod, runtime: PodRuntimeStatus, reason: "deleted" | "finished" | "sandboxChanged"): PodAction[] {
  const alive = runtime.sandboxes.some((sandbox) => sandbox.ready) || runtime.containers.some((container) => container.state !== "exited");
  return alive ? [{ kind: "stopPod", graceSeconds: graceSecondsOf(pod), reason }] : [];
}

function planSandbox(pod: Pod, runtime: PodRuntimeStatus, attempt: number): PodAction[] {
  const ranBefore = attempt > 0 && runtime.containers.length > 0;
  const runs = (container: Container): readonly RuntimeContainer[] => runtime.containers.filter((run) => run.name === container.name);
  // A container that ended for good is not run again only because the sandbox went.
  const toRun = pod.spec.containers.filter((container) => { const latest = runs(container)[0]; return latest === undefined || latest.state !== "exited" || restartsAfter(pod, container, latest.exitCode); });
  const initFailed = initContainersOf(pod).some((container) => { const latest = runs(container)[0]; return !isSidecar(container) && latest?.state === "exited" && latest.exitCode !== 0 && !restartsAfter(pod, container, latest.exitCode); });
  const neverAgain = ranBefore && pod.spec.restartPolicy === "Never" && toRun.every((container) => !restartsAfter(pod, container, 1));
  if (ranBefore && (toRun.length === 0 || initFailed || neverAgain)) return planStop(pod, runtime, "finished");
  return [...planStop(pod, runtime, "sandboxChanged"), { kind: "createSandbox", attempt }];
}

/** One round of planning inside a sandbox that is fine. */
class Planner {
  readonly actions: PodAction[] = [];
  readonly #pod: Pod;
  readonly #all: PodRuntimeStatus;
  readonly #sandboxId: string;
  readonly #nowMs: number;
  readonly #memory: PodMemory;

  constructor(pod: Pod, all: PodRuntimeStatus, sandboxId: string, nowMs: number, memory: PodMemory) {
    this.#pod = pod;
    this.#all = all;
    this.#sandboxId = sandboxId;
    this.#nowMs = nowMs;
    this.#memory = memory;
  }

  /** Plans init containers and sidecars. Returns whether the containers' turn has come; if not, `actions` is the whole plan. */
  planInit(here: PodRuntimeStatus, initialised: boolean): boolean {
    for (const container of initContainersOf(this.#pod)) {
      const run = here.containers.find((c) => c.name === container.name);
      if (isSidecar(container)) {
        if (!this.#planSidecar(container, run) && !initialised) return false;
        continue;
      }
      if (initialised || (run?.state === "exited" && run.exitCode === 0)) continue;
      if (run === undefined) this.#start(container);
      else if (run.state === "exited" && !restartsAfter(this.#pod, container, run.exitCode)) this.actions.push(...planStop(this.#pod, this.#all, "finished"));
      else if (run.state === "unknown") this.#stop(run, `Init container ${container.name} is in unknown state, try killing it before restart`);
      else if (run.state !== "running") this.#start(container);
      return false;
    }
    return true;
  }

  /** Returns whether the sidecar lets those after it start. */
  #planSidecar(container: Container, run: RuntimeContainer | undefined): boolean {
    if (run === undefined || run.state === "exited" || run.state === "created") { this.#start(container); return false; }
    const wrong = this.#whyStop(container, run);
    if (wrong !== undefined) { this.#stop(run, wrong.message, wrong.graceSeconds); return false; }
    return this.#memory.started.has(run.id);
  }

  planContainers(here: PodRuntimeStatus): PodAction[] {
    let keep = 0;
    for (const container of this.#pod.spec.containers) {
      const run = here.containers.find((c) => c.name === container.name);
      if (run === undefined || run.state === "created") { this.#start(container); keep++; continue; }
      if (run.state === "exited") {
        if (restartsAfter(this.#pod, container, run.exitCode)) { this.#start(container); keep++; }
        continue;
      }
      keep++;
      const wrong = this.#whyStop(container, run);
      if (wrong !== undefined) this.#stop(run, wrong.message, wrong.graceSeconds);
    }
    if (keep === 0) return planStop(this.#pod, this.#all, "finished");
    this.#planEphemeral(here);
    return this.actions;
  }

  /** Ephemeral containers run once and never again. */
  #planEphemeral(here: PodRuntimeStatus): void {
    for (const container of (this.#pod.spec.ephemeralContainers ?? []) as Container[]) {
      if (!here.containers.some((c) => c.name === container.name)) this.#start(container);
    }
  }

  #whyStop(container: Container, run: RuntimeContainer): { message: string; graceSeconds?: number } | undefined {
    if (run.hash !== "" && run.hash !== containerHash(container)) return { message: `Container ${container.name} definition changed, will be restarted` };
    const unhealthy = this.#memory.unhealthy.get(run.id);
    if (unhealthy !== undefined) return unhealthy;
    return run.state === "unknown" ? { message: `Container ${container.name} is in unknown state, try killing it before restart` } : undefined;
  }

  #stop(run: RuntimeContainer, message: string, graceSeconds?: number): void {
    if (isLive(run)) this.actions.push({ kind: "stopContainer", id: run.id, container: run.name, message, ...(graceSeconds === undefined ? {} : { graceSeconds }) });
  }

  #start(container: Container): void {
    const runs = this.#all.containers.filter((run) => run.name === container.name);
    const latest = runs[0], startBackoff = this.#memory.startBackoffUntilMs.get(container.name) ?? 0;
    if (startBackoff > this.#nowMs) { this.actions.push({ kind: "wait", untilMs: startBackoff, container: container.name, reason: "StartBackOff" }); return; }
    const untilMs = latest?.state === "exited" ? latest.finishedAtMs + crashBackoffMs(runs) : 0;
    if (untilMs > this.#nowMs) { this.actions.push({ kind: "wait", untilMs, container: container.name, reason: "CrashLoopBackOff" }); return; }
    const attempt = runs.length === 0 ? 0 : Math.max(...runs.map((run) => run.attempt)) + 1;
    this.actions.push({ kind: "start", container: container.name, attempt, sandboxId: this.#sandboxId });
  }
}
