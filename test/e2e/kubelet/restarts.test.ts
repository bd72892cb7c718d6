/** Kubelet, containerd and the API server go away and come back; containers do not notice. Needs root. */
import test from "ava";
import type { Pod } from "../../../lib/api/schema/generated/models.ts";
import { KubeletAgent } from "./kubelet-agent.ts";
import { BUSYBOX_IMAGE, startTestHost, type TestHost } from "./test-host.ts";

let host: TestHost, agent: KubeletAgent;

const makePod = (name: string, command = ["sleep", "1000"]): Pod => ({
  apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "default" },
  spec: { nodeName: "test-node", restartPolicy: "Always", terminationGracePeriodSeconds: 1, containers: [{ name: "main", image: BUSYBOX_IMAGE, command }] },
});
const ready = (name: string): Promise<Pod> => agent.untilPod(name, "status.conditions.2.status", "True");
const running = (pod: Pod | null): [string | undefined, string | undefined, number | undefined] => {
  const status = pod?.status?.containerStatuses?.[0];
  return [status?.containerID, status?.state?.running?.startedAt, status?.restartCount];
};
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test.before(async () => {
  host = await startTestHost("restarts", { subnet: "10.244.78.0/24" });
  agent = new KubeletAgent(host);
  await agent.ready;
  await agent.ask("start");
  await agent.ask("until", { resource: "nodes", name: "test-node", path: "status.conditions.3.status", equals: "True" });
});
test.after.always(async () => {
  await agent?.stop();
  await host?.stop();
});

test.serial("a restarted kubelet leaves running containers as they are and writes nothing about them", async (t) => {
  await agent.create(makePod("steady"));
  const before = await ready("steady");
  await agent.ask("stop");
  const version = (await agent.pod("steady"))!.metadata.resourceVersion;
  await agent.ask("start");
  await pause(2_000);
  const after = await agent.pod("steady");
  t.deepEqual(running(after), running(before));
  t.is(after!.metadata.resourceVersion, version);
});

test.serial("a container that is killed while the kubelet is away runs again when it is back", async (t) => {
  await agent.create(makePod("dies"));
  const before = await ready("dies"), id = running(before)[0]!.replace("containerd://", "");
  await agent.ask("stop");
  await host.run(["ctr", "-a", "/run/containerd/containerd.sock", "-n", "k8s.io", "tasks", "kill", "-s", "KILL", id]);
  await agent.ask("start");
  const after = await agent.untilPod("dies", "status.containerStatuses.0.restartCount", 1);
  t.is(after.status!.containerStatuses![0]!.lastState!.terminated!.exitCode, 137);
});

test.serial("a killed process is noticed and its container runs again within two seconds", async (t) => {
  await agent.create(makePod("shot"));
  const id = running(await ready("shot"))[0]!.replace("containerd://", ""), startMs = await agent.ask<number>("now");
  await host.run(["ctr", "-a", "/run/containerd/containerd.sock", "-n", "k8s.io", "tasks", "kill", "-s", "KILL", id]);
  await agent.untilPod("shot", "status.containerStatuses.0.restartCount", 1);
  await ready("shot");
  t.true(await agent.ask<number>("now") - startMs < 2_000);
});

test.serial("containerd killed and started again: the node says so, containers go on, new pods start", async (t) => {
  const before = running(await agent.pod("steady"));
  await host.restartContainerd("SIGKILL");
  await agent.create(makePod("afterwards"));
  await ready("afterwards");
  t.deepEqual(running(await agent.pod("steady")), before);
  await agent.ask("until", { resource: "nodes", name: "test-node", path: "status.conditions.3.status", equals: "True", timeoutMs: 15_000 });
});

test.serial("while the API server is away containers are restarted all the same, and told of when it is back", async (t) => {
  await agent.ask("reachable", { reachable: false });
  const id = (await host.run(["sh", "-c", "ctr -a /run/containerd/containerd.sock -n k8s.io containers ls | awk '/busybox/ {print $1}' | head -1"])).trim();
  await host.run(["ctr", "-a", "/run/containerd/containerd.sock", "-n", "k8s.io", "tasks", "kill", "-s", "KILL", id]).catch(() => "");
  await pause(2_500);
  await agent.ask("reachable", { reachable: true });
  const names = ["steady", "dies", "shot", "afterwards"], pods = async (): Promise<(Pod | null)[]> => Promise.all(names.map((name) => agent.pod(name)));
  for (let i = 0; i < 100 && !(await pods()).every((pod) => pod?.status?.conditions?.[2]?.status === "True"); i++) await pause(100);
  t.true((await pods()).every((pod) => pod?.status?.conditions?.[2]?.status === "True"));
});

test.serial("a pod deleted while the kubelet was away is swept away when it is back", async (t) => {
  await agent.create(makePod("orphan"));
  const uid = (await ready("orphan")).metadata.uid!;
  await agent.ask("stop");
  await agent.deletePod("orphan", { gracePeriodSeconds: 0 });
  await agent.ask("start");
  const left = (): Promise<string> => host.run(["sh", "-c", `ctr -a /run/containerd/containerd.sock -n k8s.io containers ls | grep -c ${uid}; ls -d /var/lib/kubelet/pods/${uid} /var/log/pods/*${uid} 2>/dev/null; true`]);
  for (let i = 0; i < 100 && await left() !== "0\n"; i++) await pause(100);
  t.is(await left(), "0\n");
  t.is((await agent.pod("steady"))!.status!.containerStatuses![0]!.ready, true);
});

test.serial("a sandbox that dies is made anew and its containers with it", async (t) => {
  await agent.create(makePod("boxed"));
  const before = await ready("boxed");
  const sandbox = (await host.run(["sh", "-c", `ctr -a /run/containerd/containerd.sock -n k8s.io containers ls -q 'labels."io.kubernetes.pod.uid"==${before.metadata.uid},labels."io.cri-containerd.kind"==sandbox'`])).trim();
  await host.run(["ctr", "-a", "/run/containerd/containerd.sock", "-n", "k8s.io", "tasks", "kill", "-s", "KILL", sandbox]);
  const after = await agent.untilPod("boxed", "status.containerStatuses.0.restartCount", 1);
  await ready("boxed");
  t.not(after.status!.podIP, undefined);
  t.true((await agent.events("boxed")).some(({ reason }) => reason === "SandboxChanged"));
});

test.serial("what CNI noted of a sandbox is empty, as a power cut leaves it: the pod gets a new sandbox all the same, and goes when it is deleted", async (t) => {
  await agent.create(makePod("torn"));
  const before = await ready("torn"), find = `ctr -a /run/containerd/containerd.sock -n k8s.io containers ls -q 'labels."io.kubernetes.pod.uid"==${before.metadata.uid},labels."io.cri-containerd.kind"==sandbox'`;
  /** Returns the sandboxes that still have a note. */
  const tear = async (): Promise<string[]> => (await host.run(["sh", "-c", `for id in $(${find}); do for file in /var/lib/cni/results/*-$id-eth0; do [ ! -e "$file" ] || { : > "$file"; echo $id; }; done; done`])).trim().split("\n");
  const [sandbox = "", ...others] = await tear();
  t.regex(sandbox, /^[0-9a-f]{64}$/);
  t.deepEqual(others, []);
  await host.run(["ctr", "-a", "/run/containerd/containerd.sock", "-n", "k8s.io", "tasks", "kill", "-s", "KILL", sandbox]);
  await agent.untilPod("torn", "status.containerStatuses.0.restartCount", 1);
  await ready("torn");
  const next = await tear();
  t.is(next.length, 1, "one note, of the new sandbox");
  t.not(next[0], sandbox);
  await agent.deletePod("torn", { gracePeriodSeconds: 1 });
  for (let i = 0; i < 100 && await agent.pod("torn") !== null; i++) await pause(100);
  t.is(await agent.pod("torn"), null);
  for (let i = 0; i < 100 && await host.run(["sh", "-c", find]) !== ""; i++) await pause(100);
  t.is(await host.run(["sh", "-c", find]), "");
});
