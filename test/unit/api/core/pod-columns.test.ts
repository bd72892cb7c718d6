import test from "ava";
import { podDefinition } from "../../../../lib/api/core/pod.ts";
import type { ContainerStatus, Pod, PodStatus } from "../../../../lib/api/schema/generated/models.ts";
import { prepared, row } from "../run-definition.ts";

const CREATED = "2026-05-01T11:00:00Z";
type State = NonNullable<ContainerStatus["state"]>;
const status = (name: string, state: State, more: Partial<ContainerStatus> = {}): ContainerStatus => ({ name, image: "i", imageID: "", ready: false, restartCount: 0, state, ...more });
const RUNNING: State = { running: { startedAt: CREATED } };
const ended = (exitCode: number, reason?: string): State => ({ terminated: { exitCode, ...(reason === undefined ? {} : { reason }) } });

function rowOf(podStatus: Partial<PodStatus>, more: { containers?: number; init?: object[]; deleted?: boolean } = {}): string {
  const containers = Array.from({ length: more.containers ?? 1 }, (_, i) => ({ name: `c${i}`, image: "i" }));
  const pod: Pod = prepared(podDefinition, { metadata: { name: "p" }, spec: { containers, ...(more.init === undefined ? {} : { initContainers: more.init }) } });
  pod.status = { phase: "Running", ...podStatus };
  if (more.deleted === true) pod.metadata.deletionTimestamp = CREATED;
  return row(podDefinition, pod);
}

test("a pod that waits for a node, a gate, an image", (t) => {
  t.is(rowOf({ phase: "Pending" }), "p | 0/1 | Pending | 0 | 60m");
  t.is(rowOf({ phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }] }), "p | 0/1 | SchedulingGated | 0 | 60m");
  t.is(rowOf({ phase: "Pending", containerStatuses: [status("c0", { waiting: { reason: "ContainerCreating" } })] }), "p | 0/1 | ContainerCreating | 0 | 60m");
  t.is(rowOf({ phase: "Pending", containerStatuses: [status("c0", { waiting: { reason: "ImagePullBackOff" } })] }), "p | 0/1 | ImagePullBackOff | 0 | 60m");
});

test("a pod whose init containers run", (t) => {
  const init = [{ name: "i0", image: "i" }, { name: "i1", image: "i" }], waiting: State = { waiting: { reason: "PodInitializing" } };
  t.is(rowOf({ phase: "Pending", initContainerStatuses: [status("i0", RUNNING), status("i1", waiting)] }, { init }), "p | 0/1 | Init:0/2 | 0 | 60m");
  t.is(rowOf({ phase: "Pending", initContainerStatuses: [status("i0", ended(0, "Completed")), status("i1", RUNNING)] }, { init }), "p | 0/1 | Init:1/2 | 0 | 60m");
  t.is(rowOf({ phase: "Pending", initContainerStatuses: [status("i0", { waiting: { reason: "CrashLoopBackOff" } }, { restartCount: 3 })] }, { init }), "p | 0/1 | Init:CrashLoopBackOff | 3 | 60m");
  t.is(rowOf({ phase: "Failed", initContainerStatuses: [status("i0", ended(1, "Error"))] }, { init }), "p | 0/1 | Init:Error | 0 | 60m");
  t.is(rowOf({ phase: "Failed", initContainerStatuses: [status("i0", ended(137))] }, { init }), "p | 0/1 | Init:ExitCode:137 | 0 | 60m");
});

test("a sidecar counts as a container, ready and restarted", (t) => {
  const init = [{ name: "s", image: "i", restartPolicy: "Always" }];
  const sidecar = status("s", RUNNING, { ready: true, started: true, restartCount: 2 });
  t.is(rowOf({ initContainerStatuses: [sidecar], containerStatuses: [status("c0", RUNNING, { ready: true })], conditions: [{ type: "Initialized", status: "True" }] }, { init }), "p | 2/2 | Running | 2 | 60m");
});

test("a pod that runs, restarts, crashes", (t) => {
  t.is(rowOf({ containerStatuses: [status("c0", RUNNING, { ready: true })] }), "p | 1/1 | Running | 0 | 60m");
  const restarted = { restartCount: 1, ready: true, lastState: { terminated: { exitCode: 1, finishedAt: "2026-05-01T11:55:00Z" } } };
  t.is(rowOf({ containerStatuses: [status("c0", RUNNING, restarted)] }), "p | 1/1 | Running | 1 (5m ago) | 60m");
  t.is(rowOf({ containerStatuses: [status("c0", { waiting: { reason: "CrashLoopBackOff" } }, { ...restarted, ready: false, restartCount: 4 })] }), "p | 0/1 | CrashLoopBackOff | 4 (5m ago) | 60m");
  t.is(rowOf({ containerStatuses: [status("c0", ended(1, "Error"))] }), "p | 0/1 | Error | 0 | 60m");
  t.is(rowOf({ containerStatuses: [status("c0", ended(137, "OOMKilled"))] }), "p | 0/1 | OOMKilled | 0 | 60m");
  t.is(rowOf({ containerStatuses: [status("c0", { terminated: { exitCode: 0, signal: 9 } })] }), "p | 0/1 | Signal:9 | 0 | 60m");
});

test("a pod of which one container has ended", (t) => {
  const containerStatuses = [status("c0", ended(0, "Completed")), status("c1", RUNNING, { ready: true })];
  t.is(rowOf({ containerStatuses, conditions: [{ type: "Ready", status: "True" }] }, { containers: 2 }), "p | 1/2 | Running | 0 | 60m");
  t.is(rowOf({ containerStatuses, conditions: [{ type: "Ready", status: "False" }] }, { containers: 2 }), "p | 1/2 | NotReady | 0 | 60m");
});

test("a pod that is done, evicted, deleted, lost", (t) => {
  t.is(rowOf({ phase: "Succeeded", containerStatuses: [status("c0", ended(0, "Completed"))] }), "p | 0/1 | Completed | 0 | 60m");
  t.is(rowOf({ phase: "Failed", reason: "Evicted" }), "p | 0/1 | Evicted | 0 | 60m");
  t.is(rowOf({ containerStatuses: [status("c0", RUNNING, { ready: true })] }, { deleted: true }), "p | 1/1 | Terminating | 0 | 60m");
  t.is(rowOf({ phase: "Succeeded", containerStatuses: [status("c0", ended(0, "Completed"))] }, { deleted: true }), "p | 0/1 | Completed | 0 | 60m");
  t.is(rowOf({ reason: "NodeLost" }, { deleted: true }), "p | 0/1 | Unknown | 0 | 60m");
});

test("the wide row has address, node and readiness gates", (t) => {
  const pod = prepared(podDefinition, { metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "i" }], nodeName: "n1", readinessGates: [{ conditionType: "a.b/c" }] } });
  t.is(row(podDefinition, pod, { wide: true }), "p | 0/1 | Pending | 0 | 60m | <none> | n1 | <none> | 0/1");
  pod.status = { phase: "Running", podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }], conditions: [{ type: "a.b/c", status: "True" }] };
  t.is(row(podDefinition, pod, { wide: true }), "p | 0/1 | Running | 0 | 60m | 10.0.0.1 | n1 | <none> | 1/1");
});
