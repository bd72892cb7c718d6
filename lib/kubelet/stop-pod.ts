/**
 * Stops containers and pods the graceful way: preStop hook, stop signal, and only when the grace is over the kill.
 *
 * Guarantees: containers stop side by side, sidecars after all others and in reverse order; the grace is one for all of it, with 2 s at least
 * for the stop itself; sandboxes stop last. Counterpart: kubelet `kuberuntime_container.go` killContainer and `kuberuntime_termination_order.go`.
 */
import type { Container, Pod } from "../api/schema/generated/models.ts";
import { CriCode, isCriCode } from "../cri/error.ts";
import type { Cri } from "../cri/client.ts";
import { forgetTornResults } from "../host/cni-notes.ts";
import { isAbort } from "../util/abort.ts";
import type { Clock } from "../util/clock.ts";
import { runHook } from "./lifecycle-hook.ts";
import type { PodEvents } from "./pod-events.ts";
import { findContainer, initContainersOf, isSidecar } from "./pod-facts.ts";
import { isLive, type PodRuntimeStatus, type RuntimeContainer } from "./runtime-status.ts";

const GRACE_MIN_SECONDS = 2;
/** Beyond the grace, how long the runtime may take to say so. */
const STOP_SLACK_MS = 120_000;

export interface StopDeps { readonly cri: Cri; readonly clock: Clock; readonly events: PodEvents }

/** Stops one container; resolves when it has stopped or is gone. */
export async function stopContainer(deps: StopDeps, pod: Pod, run: Pick<RuntimeContainer, "id" | "name">, graceSeconds: number, message: string, podIP: string, signal: AbortSignal): Promise<void> {
  deps.events.container(pod, run.name, "Normal", "Killing", message);
  const startedMs = deps.clock.monotonicMs();
  await preStop(deps, pod, run, graceSeconds, podIP, signal);
  const usedSeconds = (deps.clock.monotonicMs() - startedMs) / 1_000;
  const left = Math.max(Math.round(graceSeconds - usedSeconds), GRACE_MIN_SECONDS);
  try { await deps.cri.call("StopContainer", { containerId: run.id, timeout: left }, { deadlineMs: left * 1_000 + STOP_SLACK_MS, signal }); }
  catch (error) { if (!isCriCode(error, CriCode.NOT_FOUND)) throw error; }
}

async function preStop(deps: StopDeps, pod: Pod, run: Pick<RuntimeContainer, "id" | "name">, graceSeconds: number, podIP: string, signal: AbortSignal): Promise<void> {
  const container: Container | undefined = findContainer(pod, run.name), hook = container?.lifecycle?.preStop;
  if (container === undefined || hook === undefined || graceSeconds <= 0) return;
  const inTime = new AbortController(), cancel = deps.clock.after(graceSeconds * 1_000, () => inTime.abort());
  try { await runHook(deps, hook, { containerId: run.id, container, podIP }, AbortSignal.any([signal, inTime.signal])); }
  catch (error) {
    if (isAbort(error, signal)) throw error;
    if (!inTime.signal.aborted) deps.events.container(pod, run.name, "Warning", "FailedPreStopHook", "PreStopHook failed");
  } finally { cancel(); }
}

/** Stops all containers of a pod, then its sandboxes. `graceSeconds` is asked again before each step. */
export async function stopPod(deps: StopDeps, pod: Pod, runtime: PodRuntimeStatus, graceSeconds: number, podIP: string, signal: AbortSignal): Promise<void> {
  const startedMs = deps.clock.monotonicMs();
  const left = (): number => (graceSeconds <= 0 ? 0 : Math.max(0, graceSeconds - (deps.clock.monotonicMs() - startedMs) / 1_000));
  const live = runtime.containers.filter(isLive), sidecars = initContainersOf(pod).filter(isSidecar).map((container) => container.name);
  const stop = (run: RuntimeContainer, grace: number): Promise<void> => stopContainer(deps, pod, run, grace, `Stopping container ${run.name}`, podIP, signal);
  await Promise.all(live.filter((run) => !sidecars.includes(run.name)).map((run) => stop(run, graceSeconds)));
  for (const name of sidecars.toReversed()) await Promise.all(live.filter((run) => run.name === name).map((run) => stop(run, left())));
  // A container that was made but never started has nothing to stop.
  await Promise.all(runtime.containers.filter((run) => run.state === "created").map((run) => ignoreGone(deps.cri.call("RemoveContainer", { containerId: run.id }, { signal }))));
  await stopSandboxes(deps.cri, runtime, signal);
}

/** Stops all sandboxes. One that died by itself still holds its address until it is told to stop; telling it twice does no harm. */
export async function stopSandboxes(cri: Cri, runtime: PodRuntimeStatus, signal: AbortSignal, forgetTorn = forgetTornResults): Promise<void> {
  await Promise.all(runtime.sandboxes.map(async ({ id }) => {
    const stop = (): Promise<void> => ignoreGone(cri.call("StopPodSandbox", { podSandboxId: id }, { signal }));
    // After a power cut what CNI knows of the sandbox may be cut short, and then no try succeeds.
    try { await stop(); } catch (error) { if (isAbort(error, signal) || !(await forgetTorn(id))) throw error; await stop(); }
  }));
}

export async function ignoreGone(call: Promise<unknown>): Promise<void> {
  try { await call; } catch (error) { if (!isCriCode(error, CriCode.NOT_FOUND)) throw error; }
}
