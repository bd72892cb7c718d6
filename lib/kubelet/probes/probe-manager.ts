/**
 * Probes of all containers on the node: which have started, which are ready, which must be killed.
 *
 *   running ──startup probe succeeds (or there is none)──► started ──readiness succeeds (or none)──► ready ◄──► not ready
 *      └──startup probe fails──► unhealthy                    └──liveness fails──► unhealthy
 *
 * Guarantees: a probe runs one at a time; results of a container that stopped are forgotten; `onChange` is called after every change.
 * Differs from upstream: the first probe comes as soon as the initial delay has passed, without jitter, and while a startup or readiness probe has not
 * yet succeeded it is tried more often within its first period; those extra tries count only when they succeed.
 * Counterpart: kubelet `prober/prober_manager.go`.
 */
import type { Container, Pod, Probe } from "../../api/schema/generated/models.ts";
import type { Cri } from "../../cri/client.ts";
import { isAbort } from "../../util/abort.ts";
import type { Clock } from "../../util/clock.ts";
import { findContainer, isSidecar, isInitContainer, uidOf } from "../pod-facts.ts";
import type { PodEvents } from "../pod-events.ts";
import type { PodRuntimeStatus, RuntimeContainer } from "../runtime-status.ts";
import { countResult, emptyTally } from "./probe-verdict.ts";
import { runProbe } from "./run-probe.ts";

type Kind = "startup" | "liveness" | "readiness";
const TITLES: Record<Kind, string> = { startup: "Startup", liveness: "Liveness", readiness: "Readiness" };
const FIRST_RETRY_MS = 50;

interface Watched {
  readonly id: string;
  readonly pod: Pod;
  readonly container: Container;
  readonly startedAtMs: number;
  readonly podIP: string;
  readonly stop: AbortController;
  started: boolean;
  ready: boolean;
  unhealthy: { message: string; graceSeconds?: number } | undefined;
}

export class ProbeManager {
  readonly #cri: Cri;
  readonly #clock: Clock;
  readonly #events: PodEvents;
  readonly #onChange: (uid: string) => void;
  readonly #watched = new Map<string, Map<string, Watched>>();
  readonly #loops = new Set<Promise<void>>();

  constructor(deps: { cri: Cri; clock: Clock; events: PodEvents; onChange: (uid: string) => void }) {
    this.#cri = deps.cri;
    this.#clock = deps.clock;
    this.#events = deps.events;
    this.#onChange = deps.onChange;
  }

  /** Starts probing what runs and stops probing what does not. `notYet` are containers whose postStart hook is still running. */
  sync(pod: Pod, runtime: PodRuntimeStatus, podIP: string, notYet: ReadonlySet<string>): void {
    const uid = uidOf(pod), watched = this.#watched.get(uid) ?? new Map<string, Watched>();
    this.#watched.set(uid, watched);
    const running = new Map(runtime.containers.filter((run) => run.state === "running" && !notYet.has(run.name)).map((run) => [run.id, run]));
    for (const [id, entry] of watched) if (!running.has(id)) { entry.stop.abort(); watched.delete(id); }
    for (const [id, run] of running) {
      const container = findContainer(pod, run.name);
      if (container === undefined || watched.has(id)) continue;
      const entry = this.#watch(pod, container, run, podIP);
      watched.set(id, entry);
      if (!isInitContainer(pod, run.name) || isSidecar(container)) this.#begin(entry);
    }
  }

  #watch(pod: Pod, container: Container, run: RuntimeContainer, podIP: string): Watched {
    // After a restart of the kubelet a container that was ready stays so until its probe says otherwise.
    const before = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find((status) => status.containerID === `containerd://${run.id}`);
    const started = container.startupProbe === undefined || before?.started === true;
    return {
      id: run.id, pod, container, startedAtMs: run.startedAtMs, podIP, stop: new AbortController(), started,
      ready: container.readinessProbe === undefined || before?.ready === true, unhealthy: undefined,
    };
  }

  #begin(entry: Watched): void {
    const { startupProbe, livenessProbe, readinessProbe } = entry.container;
    if (!entry.started && startupProbe !== undefined) this.#run(entry, "startup", startupProbe);
    else {
      if (livenessProbe !== undefined) this.#run(entry, "liveness", livenessProbe);
      if (readinessProbe !== undefined) this.#run(entry, "readiness", readinessProbe);
    }
  }

  #run(entry: Watched, kind: Kind, probe: Probe): void {
    const loop = this.#loop(entry, kind, probe).catch((error: unknown) => { if (!isAbort(error, entry.stop.signal)) throw error; });
    this.#loops.add(loop);
    void loop.finally(() => this.#loops.delete(loop));
  }

  async #loop(entry: Watched, kind: Kind, probe: Probe): Promise<void> {
    const signal = entry.stop.signal, periodMs = (probe.periodSeconds ?? 10) * 1_000;
    const delayMs = entry.startedAtMs + (probe.initialDelaySeconds ?? 0) * 1_000 - this.#clock.now().getTime();
    if (delayMs > 0) await this.#clock.sleep(delayMs, signal);
    const eagerUntilMs = kind === "liveness" ? 0 : this.#clock.monotonicMs() + periodMs;
    let tally = emptyTally, dueMs = this.#clock.monotonicMs(), extraMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      const counted = this.#clock.monotonicMs() >= dueMs;
      if (counted) dueMs = Math.max(dueMs + periodMs, this.#clock.monotonicMs());
      const { outcome, output } = await runProbe(this.#cri, probe, { containerId: entry.id, container: entry.container, podIP: entry.podIP }, signal);
      if (counted || outcome === "success") {
        const counting = countResult(tally, outcome, probe);
        tally = counting.tally;
        if (outcome !== "success") this.#tell(entry, kind, outcome, output);
        if (counting.verdict !== undefined && this.#apply(entry, kind, probe, counting.verdict)) return;
      }
      const nowMs = this.#clock.monotonicMs(), waitMs = Math.max(0, dueMs - nowMs), eager = tally.last !== "success" && nowMs < eagerUntilMs;
      await this.#clock.sleep(eager ? Math.min(waitMs, extraMs) : waitMs, signal);
      extraMs *= 2;
    }
  }

  #tell(entry: Watched, kind: Kind, outcome: "failure" | "unknown", output: string): void {
    const how = outcome === "failure" ? "failed" : "errored";
    this.#events.container(entry.pod, entry.container.name, "Warning", "Unhealthy", `${TITLES[kind]} probe ${how}: ${output}`);
  }

  /** Returns whether this probe's work is done. */
  #apply(entry: Watched, kind: Kind, probe: Probe, verdict: "success" | "failure"): boolean {
    const uid = uidOf(entry.pod);
    if (kind === "readiness") {
      if (entry.ready !== (verdict === "success")) { entry.ready = verdict === "success"; this.#onChange(uid); }
      return false;
    }
    if (verdict === "failure") {
      const grace = probe.terminationGracePeriodSeconds;
      entry.unhealthy = { message: `Container ${entry.container.name} failed ${kind} probe, will be restarted`, ...(grace === undefined ? {} : { graceSeconds: grace }) };
      this.#onChange(uid);
      return true;
    }
    if (kind !== "startup") return false;
    entry.started = true;
    this.#begin(entry);
    this.#onChange(uid);
    return true;
  }

  /** What is known of a pod's running containers, by id. */
  results(uid: string): { started: Set<string>; ready: Set<string>; unhealthy: Map<string, { message: string; graceSeconds?: number }> } {
    const started = new Set<string>(), ready = new Set<string>(), unhealthy = new Map<string, { message: string; graceSeconds?: number }>();
    for (const entry of this.#watched.get(uid)?.values() ?? []) {
      if (entry.started) started.add(entry.id);
      if (entry.ready && entry.started) ready.add(entry.id);
      if (entry.unhealthy !== undefined) unhealthy.set(entry.id, entry.unhealthy);
    }
    return { started, ready, unhealthy };
  }

  /** Stops probing a pod's containers, keeping nothing. */
  forget(uid: string): void {
    for (const entry of this.#watched.get(uid)?.values() ?? []) entry.stop.abort();
    this.#watched.delete(uid);
  }

  /** Stops liveness and startup probes of a pod that is going; readiness goes on, so that traffic is told. */
  async stop(): Promise<void> {
    for (const uid of [...this.#watched.keys()]) this.forget(uid);
    await Promise.allSettled(this.#loops);
  }
}
