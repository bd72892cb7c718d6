import test from "ava";
import type { Cri } from "../../../lib/cri/client.ts";
import { CriCode, CriError } from "../../../lib/cri/error.ts";
import { PodEvents } from "../../../lib/kubelet/pod-events.ts";
import { stopPod, stopSandboxes } from "../../../lib/kubelet/stop-pod.ts";
import { ManualClock } from "../../../lib/util/clock.ts";
import { exited, makeContainer, makePod, makeRun, makeRuntime, makeSandbox } from "./builders.ts";

interface World { calls: string[]; told: string[]; clock: ManualClock; stop: (pod: ReturnType<typeof makePod>, runtime: ReturnType<typeof makeRuntime>, grace: number) => Promise<void>; slowMs: number; fail: (method: string) => Error | undefined }
function makeWorld(): World {
  const calls: string[] = [], told: string[] = [], clock = new ManualClock();
  const world: World = { calls, told, clock, slowMs: 0, fail: () => undefined, stop: undefined as never };
  const call = async (method: string, request: { containerId?: string; podSandboxId?: string; timeout?: number }): Promise<unknown> => {
    calls.push(`${method} ${request.containerId ?? request.podSandboxId}${method === "StopContainer" ? ` ${request.timeout}` : ""}`);
    const error = world.fail(method);
    if (error !== undefined) throw error;
    if (world.slowMs > 0 && method !== "StopPodSandbox") await clock.sleep(world.slowMs);
    return { exitCode: 0, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  };
  const deps = { cri: { call } as unknown as Cri, clock, events: new PodEvents({ event: (_, type, reason, message) => { told.push(`${type} ${reason} ${message}`); } }) };
  world.stop = (pod, runtime, grace) => stopPod(deps, pod, runtime, grace, "10.0.0.2", new AbortController().signal);
  return world;
}

test("stopPod() stops containers together, then sidecars from the last to the first, then the sandbox", async (t) => {
  const world = makeWorld(), sidecar = (name: string): ReturnType<typeof makeContainer> => makeContainer(name, { restartPolicy: "Always" });
  const pod = makePod({ spec: { initContainers: [sidecar("s1"), makeContainer("init"), sidecar("s2")], containers: [makeContainer("a"), makeContainer("b")] } });
  await world.stop(pod, makeRuntime([makeRun("a"), makeRun("b"), makeRun("s1"), makeRun("s2"), exited("init", 0)]), 30);
  t.deepEqual(world.calls, ["StopContainer a-0 30", "StopContainer b-0 30", "StopContainer s2-0 30", "StopContainer s1-0 30", "StopPodSandbox s0"]);
  t.deepEqual(world.told, ["Normal Killing Stopping container a", "Normal Killing Stopping container b", "Normal Killing Stopping container s2", "Normal Killing Stopping container s1"]);
});
test("stopPod() takes the hook's time from the grace, and leaves two seconds at least", async (t) => {
  const world = makeWorld(), pod = makePod({ spec: { containers: [makeContainer("main", { lifecycle: { preStop: { exec: { command: ["x"] } } } })] } });
  world.slowMs = 4_000;
  const stopping = world.stop(pod, makeRuntime([makeRun()]), 10);
  await world.clock.advance(9_000);
  await stopping;
  t.deepEqual(world.calls.slice(0, 2), ["ExecSync main-0", "StopContainer main-0 6"]);
  const late = makeWorld();
  late.slowMs = 60_000;
  const slow = late.stop(pod, makeRuntime([makeRun()]), 10);
  await late.clock.advance(200_000);
  await slow;
  t.true(late.calls.includes("StopContainer main-0 2"));
});
test("stopPod() skips the hook with no grace, goes on when one fails, and tells of it", async (t) => {
  const world = makeWorld(), pod = makePod({ spec: { containers: [makeContainer("main", { lifecycle: { preStop: { exec: { command: ["x"] } } } })] } });
  await world.stop(pod, makeRuntime([makeRun()]), 0);
  t.deepEqual(world.calls, ["StopContainer main-0 2", "StopPodSandbox s0"]);
  world.fail = (method) => (method === "ExecSync" ? new Error("boom") : undefined);
  await world.stop(pod, makeRuntime([makeRun()]), 5);
  t.true(world.told.includes("Warning FailedPreStopHook PreStopHook failed"));
});
test("stopPod() takes what is gone for stopped, removes what never started, and tells dead sandboxes too: they hold their address", async (t) => {
  const world = makeWorld();
  world.fail = () => new CriError("x", CriCode.NOT_FOUND, "");
  await world.stop(makePod(), makeRuntime([makeRun("main", { state: "created" })], [makeSandbox({ ready: false })]), 5);
  t.deepEqual(world.calls, ["RemoveContainer main-0", "StopPodSandbox s0"]);
  world.fail = () => new CriError("x", CriCode.INTERNAL, "bad");
  await t.throwsAsync(world.stop(makePod(), makeRuntime([makeRun()]), 5), { instanceOf: CriError });
});
test("stopSandboxes() tells the runtime once more where CNI's note of the sandbox was torn, and only there", async (t) => {
  const calls: string[] = [], cri = { call: async (method: string) => { calls.push(method); if (calls.length === 1) throw new CriError("x", CriCode.UNKNOWN, "unexpected end of JSON input"); return {}; } } as unknown as Cri;
  const stop = (torn: boolean): Promise<void> => stopSandboxes(cri, makeRuntime([]), new AbortController().signal, async (id) => { t.is(id, "s0"); return torn; });
  await stop(true);
  t.deepEqual(calls, ["StopPodSandbox", "StopPodSandbox"]);
  calls.length = 0;
  await t.throwsAsync(stop(false), { instanceOf: CriError });
  t.deepEqual(calls, ["StopPodSandbox"]);
});
