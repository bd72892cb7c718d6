import test from "ava";
import type { ContainerStatus, Pod, PodStatus } from "../../../lib/api/schema/generated/models.ts";
import { buildPodStatus, type PodStatusInputs } from "../../../lib/kubelet/pod-status.ts";
import type { PodRuntimeStatus } from "../../../lib/kubelet/runtime-status.ts";
import { statusPatch } from "../../../lib/kubelet/status-patch.ts";
import { exited, makeContainer, makePod, makeRun, makeRuntime, makeSandbox, NOW_MS } from "./builders.ts";

const build = (pod: Pod, runtime: PodRuntimeStatus, over: Partial<PodStatusInputs> = {}): PodStatus =>
  buildPodStatus(pod, runtime, { hostIPs: ["192.168.0.1"], ended: undefined, previous: undefined, ready: new Set(), started: new Set(), waiting: new Map(), resources: new Map(), ...over }, NOW_MS);
const all = (...ids: string[]): Pick<PodStatusInputs, "ready" | "started"> => ({ ready: new Set(ids), started: new Set(ids) });
const conditions = (status: PodStatus): Record<string, string> => Object.fromEntries(status.conditions!.map(({ type, status: value, reason, message }) => [type, [value, reason, message].filter((part) => part !== undefined).join(" | ")]));
const only = (status: PodStatus): ContainerStatus => status.containerStatuses![0]!;

test("buildPodStatus() shows a pod that has just come", (t) => {
  const status = build(makePod({ metadata: { generation: 3 } }), makeRuntime([], []));
  t.like(status, { phase: "Pending", observedGeneration: 3, hostIP: "192.168.0.1", startTime: "2026-01-01T00:00:00Z", qosClass: "BestEffort" });
  t.is(status.podIP, undefined);
  t.deepEqual(only(status).state, { waiting: { reason: "ContainerCreating" } });
  t.deepEqual(conditions(status), {
    PodReadyToStartContainers: "False", Initialized: "True", Ready: "False | ContainersNotReady | containers with unready status: [main]", ContainersReady: "False | ContainersNotReady | containers with unready status: [main]", PodScheduled: "True",
  });
});

test("buildPodStatus() shows a pod that runs and is ready", (t) => {
  const status = build(makePod(), makeRuntime([makeRun()]), all("main-0"));
  t.like(status, { phase: "Running", podIP: "10.0.0.2", podIPs: [{ ip: "10.0.0.2" }] });
  t.like(only(status), { ready: true, started: true, restartCount: 0, containerID: "containerd://main-0", imageID: "sha256:1", state: { running: { startedAt: "2025-12-31T23:59:10Z" } } });
  t.is(conditions(status)["Ready"], "True");
});

test("buildPodStatus() is not ready while a startup probe has not succeeded, whatever readiness says", (t) => {
  t.like(only(build(makePod(), makeRuntime([makeRun()]), { ready: new Set(["main-0"]), started: new Set() })), { ready: false, started: false });
});

test("buildPodStatus() waits for readiness gates, by name", (t) => {
  const pod = makePod({ spec: { readinessGates: [{ conditionType: "lb" }] } });
  t.is(conditions(build(pod, makeRuntime([makeRun()]), all("main-0")))["Ready"], 'False | ReadinessGatesNotReady | corresponding condition of pod readiness gate "lb" does not exist.');
  const told = makePod({ spec: { readinessGates: [{ conditionType: "lb" }] }, status: { conditions: [{ type: "lb", status: "True" }] } });
  t.is(conditions(build(told, makeRuntime([makeRun()]), all("main-0")))["Ready"], "True");
});

test("buildPodStatus() keeps the time of a condition that did not change", (t) => {
  const previous: PodStatus = { conditions: [{ type: "PodScheduled", status: "True", lastTransitionTime: "2025-01-01T00:00:00Z" }, { type: "Ready", status: "False", lastTransitionTime: "2025-01-01T00:00:00Z" }] };
  const status = build(makePod(), makeRuntime([makeRun()]), { ...all("main-0"), previous });
  const at = (type: string): string | undefined => status.conditions!.find((c) => c.type === type)!.lastTransitionTime;
  t.deepEqual([at("PodScheduled"), at("Ready")], ["2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"]);
});

test("buildPodStatus() shows a container in back-off as waiting with its last end behind it", (t) => {
  const waiting = new Map([["main", { reason: "CrashLoopBackOff", message: "back-off 10s" }]]);
  const status = build(makePod(), makeRuntime([exited("main", 137, { attempt: 2, reason: "OOMKilled" })]), { waiting });
  t.like(only(status), { restartCount: 2, ready: false, state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 10s" } }, lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } } });
  t.is(status.phase, "Running");
});

test("buildPodStatus() shows the run before as last state", (t) => {
  const status = build(makePod(), makeRuntime([makeRun("main", { attempt: 1 }), exited("main", 3)]), all("main-1"));
  t.like(only(status), { restartCount: 1, lastState: { terminated: { exitCode: 3, reason: "Error", containerID: "containerd://main-0" } } });
});

test("buildPodStatus() shows why a start failed", (t) => {
  const status = build(makePod(), makeRuntime(), { waiting: new Map([["main", { reason: "ErrImagePull", message: "no" }]]) });
  t.deepEqual(only(status).state, { waiting: { reason: "ErrImagePull", message: "no" } });
  t.is(status.phase, "Pending");
});

test("buildPodStatus() ends as Succeeded or Failed by exit codes and policy", (t) => {
  const pod = makePod({ spec: { restartPolicy: "Never", containers: [makeContainer("a"), makeContainer("b")] } }), gone = [makeSandbox({ ready: false })];
  const good = build(pod, makeRuntime([exited("a", 0), exited("b", 0)], gone)), bad = build(pod, makeRuntime([exited("a", 0), exited("b", 2)], gone));
  t.is(good.phase, "Succeeded");
  t.is(conditions(good)["Ready"], "False | PodCompleted");
  t.is(conditions(good)["Initialized"], "True | PodCompleted");
  t.is(bad.phase, "Failed");
  t.is(conditions(bad)["Ready"], "False | PodFailed");
  t.is(build(pod, makeRuntime([exited("a", 0), makeRun("b")])).phase, "Running");
  t.is(build(makePod(), makeRuntime([exited("main", 1)])).phase, "Running");
});

test("buildPodStatus() never takes back a final phase", (t) => t.is(build(makePod({ status: { phase: "Succeeded" } }), makeRuntime([], [])).phase, "Succeeded"));

test("buildPodStatus() tells why the node ended a pod once nothing of it runs, and at once that it is not ready", (t) => {
  const ended = { reason: "Evicted", message: "low" }, previous: PodStatus = { phase: "Running" }, still = build(makePod(), makeRuntime([makeRun()]), { ended, previous, ...all("main-0") });
  t.like(still, { phase: "Running", reason: undefined });
  t.is(conditions(still)["Ready"], "False | PodFailed");
  t.like(build(makePod(), makeRuntime([exited("main", 137)]), { ended, previous }), { phase: "Failed", reason: "Evicted", message: "low" });
});

test("buildPodStatus() shows init containers and what they hold back", (t) => {
  const pod = makePod({ spec: { initContainers: [makeContainer("one"), makeContainer("side", { restartPolicy: "Always" })] } });
  const first = build(pod, makeRuntime([makeRun("one")]), all("one-0"));
  t.is(conditions(first)["Initialized"], "False | ContainersNotInitialized | containers with incomplete status: [one side]");
  t.deepEqual(only(first).state, { waiting: { reason: "PodInitializing" } });
  const later = build(pod, makeRuntime([makeRun("side"), exited("one", 0)]), all("side-0"));
  t.is(conditions(later)["Initialized"], "True");
  t.like(later.initContainerStatuses![0], { ready: true, started: false });
  t.is(later.phase, "Pending");
});

test("buildPodStatus() fails a pod whose init container failed for good", (t) => {
  const pod = makePod({ spec: { restartPolicy: "Never", initContainers: [makeContainer("one")] } });
  t.is(build(pod, makeRuntime([exited("one", 1)], [makeSandbox({ ready: false })])).phase, "Failed");
});

test("buildPodStatus() says a container is lost when the runtime forgot it while the pod ends", (t) => {
  const previous: PodStatus = { containerStatuses: [{ name: "main", image: "i", imageID: "", ready: true, restartCount: 4, state: { running: { startedAt: "2025-12-31T00:00:00Z" } } }] };
  const status = build(makePod({ metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } }), makeRuntime([], []), { previous });
  t.like(only(status), { restartCount: 4, ready: false, state: { terminated: { exitCode: 137, reason: "ContainerStatusUnknown" } } });
});

test("statusPatch() holds only what differs, the uid, and nothing of others' conditions", (t) => {
  const held: PodStatus = { phase: "Pending", podIP: "1.1.1.1", conditions: [{ type: "Ready", status: "False" }, { type: "theirs", status: "True" }], reason: "old" };
  const wanted: PodStatus = { phase: "Running", podIP: "1.1.1.1", conditions: [{ type: "Ready", status: "True" }] };
  t.deepEqual(statusPatch(makePod(), held, wanted), { metadata: { uid: "u1" }, status: { phase: "Running", reason: null, conditions: [{ type: "Ready", status: "True", reason: null, message: null }] } });
  t.is(statusPatch(makePod(), wanted, wanted), undefined);
});

test("statusPatch() replaces addresses whole and takes an empty state for none", (t) => {
  const patch = statusPatch(makePod(), { podIPs: [{ ip: "1" }] }, { podIPs: [{ ip: "2" }] }) as { status: PodStatus };
  t.deepEqual(patch.status.podIPs, [{ $patch: "replace" }, { ip: "2" }] as never);
  const status = { name: "a", image: "", imageID: "", ready: true, restartCount: 0 };
  t.is(statusPatch(makePod(), { containerStatuses: [status] }, { containerStatuses: [{ ...status, lastState: {} }] }), undefined);
});
