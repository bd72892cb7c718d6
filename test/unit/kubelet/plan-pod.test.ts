import test from "ava";
import fc from "fast-check";
import { emptyMemory, planPod, type PodAction } from "../../../lib/kubelet/plan-pod.ts";
import { crashBackoffMs } from "../../../lib/kubelet/crash-backoff.ts";
import type { RuntimeContainer } from "../../../lib/kubelet/runtime-status.ts";
import { exited, makeContainer, makePod, makeRun, makeRuntime, makeSandbox, NOW_MS } from "./builders.ts";

const brief = (actions: readonly PodAction[]): string[] => actions.map((action) => {
  switch (action.kind) {
    case "createSandbox": return `sandbox ${action.attempt}`;
    case "start": return `start ${action.container} ${action.attempt}`;
    case "stopContainer": return `stop ${action.container}: ${action.message}`;
    case "stopPod": return `stopPod ${action.reason} ${action.graceSeconds}`;
    case "wait": return `wait ${action.container} ${action.reason} ${action.untilMs - NOW_MS}`;
  }
});
const plan = (...args: [pod: ReturnType<typeof makePod>, runtime: ReturnType<typeof makeRuntime>, memory?: typeof emptyMemory]): string[] => brief(planPod(args[0], args[1], NOW_MS, args[2]));

test("planPod() makes a sandbox first", (t) => t.deepEqual(plan(makePod(), makeRuntime([], [])), ["sandbox 0"]));
test("planPod() starts the containers in a ready sandbox, in order", (t) => {
  t.deepEqual(plan(makePod({ spec: { containers: [makeContainer("a"), makeContainer("b")] } }), makeRuntime()), ["start a 0", "start b 0"]);
});
test("planPod() does nothing for a pod that runs as wanted", (t) => t.deepEqual(plan(makePod(), makeRuntime([makeRun()])), []));

test("planPod() makes a new sandbox when the old one is not ready, has no address, or there are two", (t) => {
  for (const sandboxes of [[makeSandbox({ ready: false })], [makeSandbox({ ips: [] })], [makeSandbox({ id: "s1", attempt: 1 }), makeSandbox()]]) {
    t.deepEqual(plan(makePod(), makeRuntime([], sandboxes)).at(-1), `sandbox ${sandboxes[0]!.attempt + 1}`);
  }
  t.deepEqual(plan(makePod(), makeRuntime([makeRun()], [makeSandbox({ ips: [] })])), ["stopPod sandboxChanged 30", "sandbox 1"]);
  t.deepEqual(plan(makePod({ spec: { hostNetwork: true } }), makeRuntime([], [makeSandbox({ hostNetwork: true, ips: [] })])), ["start main 0"]);
});
test("planPod() runs nothing again in a new sandbox that had ended for good", (t) => {
  const gone = [makeSandbox({ ready: false })];
  t.deepEqual(plan(makePod({ spec: { restartPolicy: "OnFailure" } }), makeRuntime([exited("main", 0)], gone)), []);
  t.deepEqual(plan(makePod({ spec: { restartPolicy: "OnFailure" } }), makeRuntime([exited("main", 1)], gone)), ["sandbox 1"]);
  t.deepEqual(plan(makePod({ spec: { restartPolicy: "Never" } }), makeRuntime([exited("main", 1)], gone)), []);
});
test("planPod() goes on counting runs in a new sandbox", (t) => {
  t.deepEqual(plan(makePod(), makeRuntime([exited("main", 1, { sandboxId: "old", finishedAtMs: NOW_MS - 60_000 })], [makeSandbox({ attempt: 1 })])), ["start main 1"]);
});

test("planPod() restarts by policy", (t) => {
  const after = (restartPolicy: string, exitCode: number): string[] => plan(makePod({ spec: { restartPolicy } }), makeRuntime([exited("main", exitCode)]));
  t.deepEqual(after("Always", 0), ["start main 1"]);
  t.deepEqual(after("OnFailure", 1), ["start main 1"]);
  t.deepEqual(after("OnFailure", 0), ["stopPod finished 30"]);
  t.deepEqual(after("Never", 1), ["stopPod finished 30"]);
});
test("planPod() lets a container's own policy and rules decide before the pod's", (t) => {
  const containers = [makeContainer("main", { restartPolicy: "Never", restartPolicyRules: [{ action: "Restart", exitCodes: { operator: "In", values: [42] } }] })];
  t.deepEqual(plan(makePod({ spec: { containers } }), makeRuntime([exited("main", 42)])), ["start main 1"]);
  t.deepEqual(plan(makePod({ spec: { containers } }), makeRuntime([exited("main", 1)])), ["stopPod finished 30"]);
});
test("planPod() waits 10 s after the second end, doubling to 5 minutes", (t) => {
  const ended = (attempt: number): RuntimeContainer => exited("main", 1, { attempt, finishedAtMs: NOW_MS });
  t.deepEqual(plan(makePod(), makeRuntime([ended(1)])), ["wait main CrashLoopBackOff 10000"]);
  t.deepEqual([0, 1, 2, 3, 4, 5, 6, 60].map((attempt) => crashBackoffMs([ended(attempt)]) / 1_000), [0, 10, 20, 40, 80, 160, 300, 300]);
});
test("crashBackoffMs() forgets after a run of ten minutes", (t) => t.is(crashBackoffMs([exited("main", 1, { attempt: 9, startedAtMs: NOW_MS - 700_000, finishedAtMs: NOW_MS - 1 })]), 0));
test("planPod() leaves a container alone while its failed start is backed off, and starts the others", (t) => {
  const pod = makePod({ spec: { containers: [makeContainer("a"), makeContainer("b")] } });
  t.deepEqual(plan(pod, makeRuntime(), { ...emptyMemory, startBackoffUntilMs: new Map([["a", NOW_MS + 5_000]]) }), ["wait a StartBackOff 5000", "start b 0"]);
});
test("planPod() starts again what was made but never started", (t) => t.deepEqual(plan(makePod(), makeRuntime([makeRun("main", { state: "created" })])), ["start main 1"]));

test("planPod() stops a container whose probe failed, whose image changed or whose state is unknown", (t) => {
  t.deepEqual(plan(makePod(), makeRuntime([makeRun()]), { ...emptyMemory, unhealthy: new Map([["main-0", { message: "bad" }]]) }), ["stop main: bad"]);
  t.deepEqual(plan(makePod(), makeRuntime([makeRun("main", { hash: "other" })])), ["stop main: Container main definition changed, will be restarted"]);
  t.deepEqual(plan(makePod(), makeRuntime([makeRun("main", { state: "unknown" })])), ["stop main: Container main is in unknown state, try killing it before restart"]);
});

const withInit = makePod({ spec: { initContainers: [makeContainer("i1"), makeContainer("i2")] } });
test("planPod() runs init containers one after another, then the containers", (t) => {
  t.deepEqual(plan(withInit, makeRuntime()), ["start i1 0"]);
  t.deepEqual(plan(withInit, makeRuntime([makeRun("i1")])), []);
  t.deepEqual(plan(withInit, makeRuntime([exited("i1", 0)])), ["start i2 0"]);
  t.deepEqual(plan(withInit, makeRuntime([exited("i2", 0), exited("i1", 0)])), ["start main 0"]);
});
test("planPod() does not run init containers again once a container has been started in this sandbox", (t) => t.deepEqual(plan(withInit, makeRuntime([exited("main", 1)])), ["start main 1"]));
test("planPod() runs init containers again in a new sandbox", (t) => {
  t.deepEqual(plan(withInit, makeRuntime([exited("i1", 0, { sandboxId: "old", finishedAtMs: 0 })], [makeSandbox({ attempt: 1 })])), ["start i1 1"]);
});
test("planPod() runs a failed init container again, but not when the pod never restarts", (t) => {
  t.deepEqual(plan(withInit, makeRuntime([exited("i1", 1)])), ["start i1 1"]);
  t.deepEqual(plan(makePod({ spec: { restartPolicy: "Never", initContainers: [makeContainer("i1")] } }), makeRuntime([exited("i1", 1)])), ["stopPod finished 30"]);
});

const withSidecar = makePod({ spec: { initContainers: [makeContainer("side", { restartPolicy: "Always" }), makeContainer("i2")], restartPolicy: "Never" } });
test("planPod() waits for a sidecar to have started before it goes on", (t) => {
  t.deepEqual(plan(withSidecar, makeRuntime([makeRun("side")])), []);
  t.deepEqual(plan(withSidecar, makeRuntime([makeRun("side")]), { ...emptyMemory, started: new Set(["side-0"]) }), ["start i2 0"]);
});
test("planPod() restarts a sidecar whatever the pod's policy, beside the containers", (t) => {
  t.deepEqual(plan(withSidecar, makeRuntime([makeRun("main"), exited("i2", 0), exited("side", 0)])), ["start side 1"]);
});
test("planPod() ends the pod when its containers have ended, though a sidecar runs", (t) => {
  t.deepEqual(plan(withSidecar, makeRuntime([exited("main", 0), exited("i2", 0), makeRun("side")])).at(-1), "stopPod finished 30");
});

test("planPod() stops a deleted pod with its deletion grace, then plans nothing", (t) => {
  const deleted = makePod({ metadata: { deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 5 } });
  t.deepEqual(plan(deleted, makeRuntime([makeRun()])), ["stopPod deleted 5"]);
  t.deepEqual(plan(deleted, makeRuntime([exited("main", 0)], [makeSandbox({ ready: false })])), []);
});
test("planPod() stops a pod the node has ended, or whose phase is final", (t) => {
  t.deepEqual(plan(makePod(), makeRuntime([makeRun()]), { ...emptyMemory, ended: { reason: "Evicted", message: "" } }), ["stopPod finished 30"]);
  t.deepEqual(plan(makePod({ status: { phase: "Failed" } }), makeRuntime([], [])), []);
});
test("planPod() runs an ephemeral container once", (t) => {
  const pod = makePod({ spec: { ephemeralContainers: [{ name: "debug", image: "img:1" }] } });
  t.deepEqual(plan(pod, makeRuntime([makeRun()])), ["start debug 0"]);
  t.deepEqual(plan(pod, makeRuntime([makeRun(), exited("debug", 1)])), []);
});

test("planPod() never touches a container that runs and is up to date, whatever the others do", (t) => {
  const state = fc.constantFrom("running", "exited", "created", "none") as fc.Arbitrary<"running" | "exited" | "created" | "none">;
  t.notThrows(() => fc.assert(fc.property(state, state, fc.integer({ min: 0, max: 3 }), fc.constantFrom("Always", "OnFailure", "Never"), (a, b, attempt, restartPolicy) => {
    const pod = makePod({ spec: { restartPolicy, initContainers: [makeContainer("side", { restartPolicy: "Always" })], containers: [makeContainer("a"), makeContainer("main")] } });
    const runs = ([["side", a], ["a", b]] as const).flatMap(([name, s]) => (s === "none" ? [] : [makeRun(name, { state: s, attempt })]));
    const actions = planPod(pod, makeRuntime([makeRun("main"), ...runs]), NOW_MS);
    return actions.every((action) => action.kind !== "stopPod" && !("container" in action && action.container === "main"));
  })));
});
