/** What cannot run says why: in events, conditions and waiting reasons, in upstream's words. */
import type { ExecutionContext, TestFn } from "ava";
import { configmaps, secrets } from "../../../lib/api/schema/generated/references.ts";
import { isReady } from "../cluster/workload.ts";
import { type Lab, labTest, shell, SLEEP, statusOf } from "./lab.ts";

async function unschedulable(t: ExecutionContext, lab: Lab): Promise<void> {
  const condition = async (name: string): Promise<unknown> => {
    const pod = await lab.podUntil(name, "unschedulable", (p) => p.status?.conditions?.some((c) => c.type === "PodScheduled" && c.status === "False") === true);
    const { reason, message } = pod.status!.conditions!.find((c) => c.type === "PodScheduled")!;
    t.is(pod.status!.phase, "Pending");
    t.is((await lab.event(name, "FailedScheduling", /./)).message, message);
    return { reason, message };
  };
  await lab.pod("huge", [shell("main", SLEEP, { resources: { requests: { cpu: "1000" } } })]);
  t.deepEqual(await condition("huge"), { reason: "Unschedulable", message: "0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling." });
  await lab.pod("nowhere", [shell("main", SLEEP)], { nodeSelector: { disk: "golden" } });
  t.deepEqual(await condition("nowhere"), { reason: "Unschedulable", message: "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling." });
}

async function missingSources(t: ExecutionContext, lab: Lab): Promise<void> {
  await Promise.all([
    lab.pod("map", [shell("main", SLEEP, { env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "late", key: "a" } } }] })]), lab.pod("key", [shell("main", SLEEP, { env: [{ name: "A", valueFrom: { secretKeyRef: { name: "half", key: "a" } } }] })]),
    lab.pod("volume", [shell("main", SLEEP, { volumeMounts: [{ name: "v", mountPath: "/v" }] })], { volumes: [{ name: "v", secret: { secretName: "late" } }] }),
    lab.create(secrets, { apiVersion: "v1", kind: "Secret", metadata: lab.meta("half"), data: {} }),
  ]);
  const waiting = async (name: string): Promise<string> => statusOf(await lab.podUntil(name, "CreateContainerConfigError", (p) => statusOf(p, "main")?.state?.waiting?.reason === "CreateContainerConfigError"), "main")!.state!.waiting!.message!;
  t.is(await waiting("map"), 'configmap "late" not found');
  t.is(await waiting("key"), `couldn't find key a in Secret ${lab.namespace}/half`);
  await lab.event("map", "Failed", /^Error: configmap "late" not found$/);
  t.regex(await lab.kubectl("get", "pod", "map"), /map\s+0\/1\s+CreateContainerConfigError\s+0/);
  await lab.event("volume", "FailedMount", /^MountVolume\.SetUp failed for volume "v" : secret "late" not found$/);
  t.regex(await lab.kubectl("get", "pod", "volume"), /volume\s+0\/1\s+ContainerCreating\s+0/);
  // Once there is what they wait for, they run.
  await Promise.all([
    lab.create(configmaps, { apiVersion: "v1", kind: "ConfigMap", metadata: lab.meta("late"), data: { a: "1" } }), lab.create(secrets, { apiVersion: "v1", kind: "Secret", metadata: lab.meta("late"), data: { a: "MQ==" } }),
    lab.client.patch(secrets, { namespace: lab.namespace, name: "half" }, "merge", { data: { a: "MQ==" } }),
  ]);
  for (const name of ["map", "key", "volume"]) await lab.podUntil(name, "Ready", isReady);
}

async function badStarts(t: ExecutionContext, lab: Lab): Promise<void> {
  await lab.pod("command", [shell("main", "", { command: ["/no/such/program"] })]);
  const command = await lab.podUntil("command", "CrashLoopBackOff or RunContainerError", (p) => /RunContainerError|CrashLoopBackOff/.test(statusOf(p, "main")?.state?.waiting?.reason ?? ""));
  t.like(statusOf(command, "main")!.lastState!.terminated, { reason: "StartError", exitCode: 128 });
  t.regex(statusOf(command, "main")!.lastState!.terminated!.message!, /exec: "\/no\/such\/program": stat \/no\/such\/program: no such file or directory/);
  await lab.event("command", "Failed", /^Error: failed to (create containerd task|start container).*no such file or directory/);
  await lab.pod("place", [shell("main", SLEEP, { volumeMounts: [{ name: "v", mountPath: "/v" }] })], { volumes: [{ name: "v", hostPath: { path: "/no/such/directory", type: "Directory" } }] });
  await lab.event("place", "FailedMount", /^MountVolume\.SetUp failed for volume "v" : hostPath type check failed: \/no\/such\/directory is not a directory$/);
}

async function noController(t: ExecutionContext, lab: Lab): Promise<void> {
  const device = { apiVersion: "resource.k8s.io/v1", kind: "DeviceClass", metadata: { name: "wl-unrun.example.com" }, spec: {} };
  const { stdout, stderr, code } = await lab.applyText(JSON.stringify(device));
  t.deepEqual([code, stdout, stderr], [0, "deviceclass.resource.k8s.io/wl-unrun.example.com created\n", "Warning: DeviceClass: stored but not yet run by this release\n"]);
}

export function registerBadInput(test: TestFn): void {
  labTest(test, "wl-unschedulable", "a pod that fits nowhere has the event and condition that say why", unschedulable);
  labTest(test, "wl-missing", "a pod whose configMap or secret is missing says so, and runs once it is there", missingSources);
  labTest(test, "wl-starts", "a command or path that is not there is told as it is", badStarts);
  labTest(test, "wl-unrun", "a kind without a controller answers create with a warning that names it", noController);
}
