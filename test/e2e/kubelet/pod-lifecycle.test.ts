/** A kubelet alone on a host with real containerd: what a pod lives through. Needs root. */
import anyTest, { type TestFn } from "ava";
import type { Container, Pod, PodSpec } from "../../../lib/api/schema/generated/models.ts";
import { KubeletAgent } from "./kubelet-agent.ts";
import { BUSYBOX_IMAGE, startTestHost, type TestHost } from "./test-host.ts";

const test = anyTest as TestFn<{ host: TestHost; agent: KubeletAgent }>;
let host: TestHost, agent: KubeletAgent;

const container = (over: Partial<Container> = {}): Container => ({ name: "main", image: BUSYBOX_IMAGE, imagePullPolicy: "IfNotPresent", command: ["sleep", "1000"], ...over });
const makePod = (name: string, spec: Partial<PodSpec> = {}): Pod => ({
  apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "default", labels: { app: name } },
  spec: { nodeName: "test-node", restartPolicy: "Always", terminationGracePeriodSeconds: 1, containers: [container()], ...spec },
});
const ready = (name: string): Promise<Pod> => agent.untilPod(name, "status.conditions.2.status", "True");
const sh = (script: string): Promise<string> => host.run(["sh", "-c", script]);
/** A command in a pod's only running container of that name, through the runtime. */
async function execIn(pod: Pod, script: string, name = "main"): Promise<string> {
  const id = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find((status) => status.name === name)!.containerID!.replace("containerd://", "");
  return host.run(["ctr", "-a", "/run/containerd/containerd.sock", "-n", "k8s.io", "tasks", "exec", "--exec-id", `t${Math.random().toString(36).slice(2)}`, id, "sh", "-c", script]);
}
async function remove(name: string): Promise<void> { await agent.deletePod(name, { gracePeriodSeconds: 0 }).catch(() => undefined); await agent.untilGone(name); }

test.before(async () => {
  host = await startTestHost("life");
  agent = new KubeletAgent(host);
  await agent.ready;
  await agent.ask("start");
  await agent.ask("until", { resource: "nodes", name: "test-node", path: "status.conditions.3.status", equals: "True" });
});
test.after.always(async () => {
  await agent?.stop();
  await host?.stop();
});

test.serial("a pod becomes Ready within 0.6 s of its creation", async (t) => {
  const tookMs: number[] = [];
  for (const name of ["fast-0", "fast-1", "fast-2", "fast-3", "fast-4"]) {
    const startMs = await agent.ask<number>("now");
    await agent.create(makePod(name));
    await ready(name);
    tookMs.push(await agent.ask<number>("now") - startMs);
    await remove(name);
  }
  t.log(`Ready after ${tookMs.map(Math.round).join(", ")} ms`);
  t.true(Math.min(...tookMs) < 600); // The quickest of five: others may be using the machine.
});

test.serial("a running pod has its address, conditions and upstream's events", async (t) => {
  await agent.create(makePod("first"));
  const pod = await ready("first");
  t.is(pod.status!.phase, "Running");
  t.regex(pod.status!.podIP!, /^10\.244\.77\./);
  t.deepEqual(pod.status!.conditions!.map(({ type, status }) => [type, status]), [["PodReadyToStartContainers", "True"], ["Initialized", "True"], ["Ready", "True"], ["ContainersReady", "True"], ["PodScheduled", "True"]]);
  t.deepEqual((await agent.events("first")).map(({ reason, message, fieldPath }) => [reason, message, fieldPath]), [
    ["Pulled", `Container image "${BUSYBOX_IMAGE}" already present on machine and can be accessed by the pod`, "spec.containers{main}"],
    ["Created", "Container created", "spec.containers{main}"], ["Started", "Container started", "spec.containers{main}"],
  ]);
});

test.serial("a pod that goes leaves no volume, log, control group or sandbox", async (t) => {
  const uid = (await agent.pod("first"))!.metadata.uid!;
  await agent.deletePod("first");
  await agent.untilGone("first");
  await new Promise((resolve) => setTimeout(resolve, 500));
  t.is(await sh(`ls -d /var/lib/kubelet/pods/${uid} /var/log/pods/*${uid} /sys/fs/cgroup/*${host.cgroupRoot}/kubepods/*/pod${uid} 2>/dev/null; ls /var/log/containers | grep first; true`), "");
  t.notRegex(await sh("ctr -a /run/containerd/containerd.sock -n k8s.io containers ls"), new RegExp(uid));
});

test.serial("environment, volumes, tokens and downward fields are as the spec says, and follow their sources", async (t) => {
  await agent.ask("create", { resource: "serviceaccounts", object: { metadata: { name: "default", namespace: "default" } } });
  await agent.ask("create", { resource: "configmaps", object: { metadata: { name: "settings", namespace: "default" }, data: { color: "red", size: "big" } } });
  await agent.ask("create", { resource: "secrets", object: { metadata: { name: "keys", namespace: "default" }, data: { password: Buffer.from("s3cret").toString("base64") } } });
  await agent.ask("create", { resource: "services", object: { metadata: { name: "my-db", namespace: "default" }, spec: { clusterIP: "10.96.0.7", ports: [{ name: "sql", port: 5432, protocol: "TCP" }] } } });
  await agent.create(makePod("full", {
    securityContext: { fsGroup: 2000 },
    containers: [container({
      env: [{ name: "COLOR", valueFrom: { configMapKeyRef: { name: "settings", key: "color" } } }, { name: "WHERE", value: "$(COLOR)-$(MY_DB_SERVICE_HOST)-$$(X)" }, { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }, { name: "MILLI", valueFrom: { resourceFieldRef: { resource: "requests.cpu", divisor: "1m" } } }],
      envFrom: [{ prefix: "K_", secretRef: { name: "keys" } }], resources: { requests: { cpu: "250m" } },
      volumeMounts: [{ name: "cm", mountPath: "/cm" }, { name: "cm", mountPath: "/one", subPath: "size" }, { name: "all", mountPath: "/all", readOnly: true }, { name: "tmp", mountPath: "/scratch" }, { name: "tmp", mountPath: "/part", subPath: "deep/part" }, { name: "ram", mountPath: "/ram" }, { name: "host", mountPath: "/host" }],
    })],
    volumes: [
      { name: "cm", configMap: { name: "settings" } }, { name: "tmp", emptyDir: {} }, { name: "ram", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } }, { name: "host", hostPath: { path: "/run/for-full", type: "DirectoryOrCreate" } },
      { name: "all", projected: { sources: [{ serviceAccountToken: { path: "token", expirationSeconds: 3600 } }, { secret: { name: "keys", items: [{ key: "password", path: "deep/pw", mode: 0o400 }] } }, { downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } }] } },
    ],
  }));
  const pod = await ready("full");
  const env = await execIn(pod, "env");
  for (const line of ["COLOR=red", "WHERE=red-10.96.0.7-$(X)", `IP=${pod.status!.podIP}`, "MILLI=250", "K_password=s3cret", "MY_DB_PORT_5432_TCP=tcp://10.96.0.7:5432"]) t.true(env.split("\n").includes(line), line);
  t.is(await execIn(pod, "cat /cm/color /one /all/deep/pw /all/labels; cat /all/token | head -c 5"), `redbigs3cretapp="full"token`);
  t.is(await execIn(pod, "stat -c '%a %g' /scratch; touch /scratch/x; stat -c %g /scratch/x; mount | grep -c 'on /ram type tmpfs.*size=1024k'; ls -d /host"), "2777 2000\n2000\n1\n/host\n");
  t.is(await execIn(pod, "stat -c '%a %g' /part"), "2777 2000\n"); // A subPath's new directory is as open as its volume.
  t.is(await execIn(pod, "for each in /cm /all /one; do (echo x > $each/x || echo x > $each) 2>&1 | grep -c 'Read-only file system'; done"), "1\n1\n1\n");
  t.is((await sh(`mount | grep ${pod.metadata.uid} | grep -c tmpfs`)).trim(), "2"); // Secrets and tokens never touch the disk.
  const settings = await agent.ask<{ data: Record<string, string> }>("get", { resource: "configmaps", namespace: "default", name: "settings" });
  await agent.ask("update", { resource: "configmaps", object: { ...settings, data: { color: "blue", extra: "new" } } });
  for (let i = 0; i < 50 && !(await execIn(pod, "cat /cm/color")).includes("blue"); i++) await new Promise((resolve) => setTimeout(resolve, 100));
  t.is(await execIn(pod, "cat /cm/color /cm/extra; ls /cm; cat /one"), "bluenewcolor\nextra\nbig");
  await remove("full");
});

test.serial("init containers run one after another, sidecars stay, and only then the containers start", async (t) => {
  await agent.create(makePod("stages", {
    volumes: [{ name: "v", emptyDir: {} }],
    initContainers: [
      container({ name: "one", command: ["sh", "-c", "echo one >>/v/order"], volumeMounts: [{ name: "v", mountPath: "/v" }] }),
      container({ name: "side", restartPolicy: "Always", command: ["sh", "-c", "echo side >>/v/order; sleep 0.3; touch /v/up; sleep 1000"], startupProbe: { exec: { command: ["test", "-f", "/v/up"] }, periodSeconds: 1 }, volumeMounts: [{ name: "v", mountPath: "/v" }] }),
      container({ name: "two", command: ["sh", "-c", "echo two >>/v/order"], volumeMounts: [{ name: "v", mountPath: "/v" }] }),
    ],
    containers: [container({ command: ["sh", "-c", "echo main >>/v/order; sleep 1000"], volumeMounts: [{ name: "v", mountPath: "/v" }] })],
  }));
  const pod = await ready("stages");
  t.is(await execIn(pod, "cat /v/order"), "one\nside\ntwo\nmain\n");
  t.deepEqual(pod.status!.initContainerStatuses!.map(({ name, ready: isReady, started, state }) => [name, isReady, started, Object.keys(state!)[0]]), [["one", true, false, "terminated"], ["side", true, true, "running"], ["two", true, false, "terminated"]]);
  await remove("stages");
});

test.serial("a pod that runs to its end is Succeeded or Failed, with exit code and termination message, and its sidecar ends with it", async (t) => {
  await agent.create(makePod("good", { restartPolicy: "Never", initContainers: [container({ name: "side", restartPolicy: "Always" })], containers: [container({ command: ["sh", "-c", "echo -n done >/dev/termination-log"] })] }));
  await agent.create(makePod("bad", { restartPolicy: "Never", containers: [container({ command: ["sh", "-c", "echo broken; exit 3"], terminationMessagePolicy: "FallbackToLogsOnError" })] }));
  const [good, bad] = [await agent.untilPod("good", "status.phase", "Succeeded"), await agent.untilPod("bad", "status.phase", "Failed")];
  t.like(good.status!.containerStatuses![0]!.state!.terminated, { exitCode: 0, reason: "Completed", message: "done" });
  t.like(bad.status!.containerStatuses![0]!.state!.terminated, { exitCode: 3, reason: "Error", message: "broken\n" });
  t.truthy(good.status!.initContainerStatuses![0]!.state!.terminated);
  t.is(good.status!.conditions!.find((c) => c.type === "Ready")!.reason, "PodCompleted");
  await remove("good");
  await remove("bad");
});

test.serial("a container that dies runs again at once, then after a back-off that is shown", async (t) => {
  await agent.create(makePod("crash", { containers: [container({ command: ["sh", "-c", "sleep 0.2; exit 1"] })] }));
  const pod = await agent.untilPod("crash", "status.containerStatuses.0.state.waiting.reason", "CrashLoopBackOff");
  const status = pod.status!.containerStatuses![0]!;
  t.is(status.restartCount, 1);
  t.is(status.state!.waiting!.message, `back-off 10s restarting failed container=main pod=crash_default(${pod.metadata.uid})`);
  t.is(status.lastState!.terminated!.exitCode, 1);
  t.true((await agent.events("crash")).some(({ reason, message }) => reason === "BackOff" && message === `Back-off restarting failed container main in pod crash_default(${pod.metadata.uid})`));
  await remove("crash");
});

test.serial("readiness follows its probe, and a failed liveness probe restarts the container", async (t) => {
  await agent.create(makePod("probed", { containers: [container({
    command: ["sh", "-c", "mkdir -p /www; httpd -p 8080 -h /www; sleep 1; echo ok >/www/ready; touch /alive; sleep 1000"],
    readinessProbe: { httpGet: { path: "/ready", port: 8080 }, periodSeconds: 1 }, livenessProbe: { exec: { command: ["test", "-f", "/alive"] }, periodSeconds: 1, failureThreshold: 1, initialDelaySeconds: 2 },
  })] }));
  await agent.untilPod("probed", "status.containerStatuses.0.started", true);
  t.is((await agent.pod("probed"))!.status!.containerStatuses![0]!.ready, false);
  const pod = await ready("probed");
  t.true((await agent.events("probed")).some(({ reason, message }) => reason === "Unhealthy" && message === "Readiness probe failed: HTTP probe failed with statuscode: 404"));
  await execIn(pod, "rm /alive");
  await agent.untilPod("probed", "status.containerStatuses.0.restartCount", 1);
  t.true((await agent.events("probed")).some(({ reason, message }) => reason === "Killing" && message === "Container main failed liveness probe, will be restarted"));
  await remove("probed");
});

test.serial("an image that cannot be had is told as upstream tells it", async (t) => {
  await agent.create(makePod("never", { containers: [container({ image: "nowhere.invalid/x:1", imagePullPolicy: "Never" })] }));
  await agent.create(makePod("pulls", { containers: [container({ image: "127.0.0.1:1/x:1" })] }));
  await agent.create(makePod("badname", { containers: [container({ image: "UPPER//x" })] }));
  const never = await agent.untilPod("never", "status.containerStatuses.0.state.waiting.reason", "ErrImageNeverPull");
  t.is(never.status!.containerStatuses![0]!.state!.waiting!.message, 'Container image "nowhere.invalid/x:1" is not present with pull policy of Never');
  await agent.untilPod("badname", "status.containerStatuses.0.state.waiting.reason", "InvalidImageName");
  await agent.untilPod("pulls", "status.containerStatuses.0.state.waiting.reason", "ErrImagePull");
  await agent.untilPod("pulls", "status.containerStatuses.0.state.waiting.reason", "ImagePullBackOff");
  const told = (await agent.events("pulls")).map(({ type, reason, message }) => `${type} ${reason} ${message}`);
  for (const start of ['Normal Pulling Pulling image "127.0.0.1:1/x:1"', 'Warning Failed Failed to pull image "127.0.0.1:1/x:1": ', "Warning Failed Error: ErrImagePull", 'Normal BackOff Back-off pulling image "127.0.0.1:1/x:1"', "Warning Failed Error: ImagePullBackOff"]) t.true(told.some((line) => line.startsWith(start)), start);
  for (const name of ["never", "pulls", "badname"]) await remove(name);
});

test.serial("a missing configMap holds the pod back with upstream's words, until it is there", async (t) => {
  await agent.create(makePod("waits", { containers: [container({ volumeMounts: [{ name: "v", mountPath: "/v" }], env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "late", key: "a" } } }] })], volumes: [{ name: "v", configMap: { name: "late" } }] }));
  await agent.untilPod("waits", "status.conditions.0.status", "True");
  for (let i = 0; i < 50 && !(await agent.events("waits")).some(({ reason }) => reason === "FailedMount"); i++) await new Promise((resolve) => setTimeout(resolve, 100));
  t.is((await agent.events("waits")).find(({ reason }) => reason === "FailedMount")?.message, 'MountVolume.SetUp failed for volume "v" : configmap "late" not found');
  await agent.ask("create", { resource: "configmaps", object: { metadata: { name: "late", namespace: "default" }, data: { a: "1" } } });
  await ready("waits");
  await remove("waits");
});

test.serial("user, group, read-only root and limits reach the kernel", async (t) => {
  await agent.create(makePod("secure", { containers: [container({
    securityContext: { runAsUser: 1001, runAsGroup: 1001, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } }, resources: { requests: { cpu: "100m", memory: "16Mi" }, limits: { cpu: "200m", memory: "32Mi" } },
  })] }));
  const pod = await ready("secure"), id = pod.status!.containerStatuses![0]!.containerID!.replace("containerd://", "");
  t.is(await execIn(pod, "id -u; id -g; touch /x 2>&1; grep CapEff /proc/1/status; grep NoNewPrivs /proc/1/status"), "1001\n1001\ntouch: /x: Read-only file system\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n");
  const group = `${host.cgroupRoot}/kubepods/burstable/pod${pod.metadata.uid}`;
  t.is(await sh(`cd /sys/fs/cgroup; cat cpu${group}/cpu.shares cpu${group}/cpu.cfs_quota_us memory${group}/memory.limit_in_bytes cpu${group}/${id}/cpu.shares memory${group}/${id}/memory.limit_in_bytes`), "102\n20000\n33554432\n102\n33554432\n");
  await remove("secure");
  await agent.create(makePod("root", { containers: [container({ securityContext: { runAsNonRoot: true } })] }));
  const refused = await agent.untilPod("root", "status.containerStatuses.0.state.waiting.reason", "CreateContainerConfigError");
  t.regex(refused.status!.containerStatuses![0]!.state!.waiting!.message!, /^container has runAsNonRoot and image will run as root/);
  await remove("root");
});

test.serial("a resize reaches the kernel without a restart, or with one where the policy asks for it", async (t) => {
  await agent.create(makePod("sized", { containers: [container({ resources: { requests: { cpu: "100m" }, limits: { cpu: "200m", memory: "32Mi" } }, resizePolicy: [{ resourceName: "memory", restartPolicy: "RestartContainer" }] })] }));
  const pod = await ready("sized"), id = pod.status!.containerStatuses![0]!.containerID!.replace("containerd://", ""), group = `${host.cgroupRoot}/kubepods/burstable/pod${pod.metadata.uid}`;
  const resized = async (resources: object): Promise<void> => { const now = (await agent.pod("sized"))!; await agent.ask("update", { resource: "pods", object: { ...now, spec: { ...now.spec, containers: [{ ...now.spec.containers[0], resources }] } } }); };
  await resized({ requests: { cpu: "300m" }, limits: { cpu: "500m", memory: "32Mi" } });
  await agent.untilPod("sized", "status.containerStatuses.0.resources.limits.cpu", "500m");
  t.is(await sh(`cd /sys/fs/cgroup/cpu${group}; cat cpu.cfs_quota_us ${id}/cpu.cfs_quota_us ${id}/cpu.shares`), "50000\n50000\n307\n");
  t.is((await agent.pod("sized"))!.status!.containerStatuses![0]!.restartCount, 0);
  await resized({ requests: { cpu: "300m" }, limits: { cpu: "500m", memory: "48Mi" } });
  const again = await agent.untilPod("sized", "status.containerStatuses.0.restartCount", 1);
  t.is(again.status!.containerStatuses![0]!.resources!.limits!["memory"], "48Mi");
  await remove("sized");
});

test.serial("a pod this node cannot take fails at once, with the reason", async (t) => {
  await agent.create(makePod("sysctl", { securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] } }));
  await agent.create(makePod("huge", { containers: [container({ resources: { requests: { cpu: "1000" } } })] }));
  await agent.create(makePod("picky", { nodeSelector: { planet: "mars" } }));
  const failed = async (name: string): Promise<(string | undefined)[]> => { const { status } = await agent.untilPod(name, "status.phase", "Failed"); return [status!.reason, status!.message]; };
  t.deepEqual(await failed("sysctl"), ["SysctlForbidden", 'Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted']);
  t.is((await failed("huge"))[0], "OutOfcpu");
  t.deepEqual(await failed("picky"), ["NodeAffinity", "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"]);
  for (const name of ["sysctl", "huge", "picky"]) await remove(name);
});

test.serial("a deleted pod gets its preStop hook and its grace, and its status says so before it goes", async (t) => {
  await agent.create(makePod("graceful", { terminationGracePeriodSeconds: 20, volumes: [{ name: "h", hostPath: { path: "/run/hook", type: "DirectoryOrCreate" } }], containers: [container({
    command: ["sh", "-c", "trap 'echo term >>/h/log; exit 0' TERM; while :; do sleep 0.1; done"], volumeMounts: [{ name: "h", mountPath: "/h" }], lifecycle: { preStop: { exec: { command: ["sh", "-c", "echo hook >>/h/log"] } }, postStart: { exec: { command: ["sh", "-c", "echo start >>/h/log"] } } },
  })] }));
  await ready("graceful");
  const startMs = await agent.ask<number>("now");
  await agent.deletePod("graceful");
  await agent.untilGone("graceful");
  t.true(await agent.ask<number>("now") - startMs < 5_000);
  t.is(await sh("cat /run/hook/log"), "start\nhook\nterm\n");
  t.true((await agent.events("graceful")).some(({ reason, message }) => reason === "Killing" && message === "Stopping container main"));
});

test.serial("a force deletion cuts a long grace short", async (t) => {
  await agent.create(makePod("stubborn", { terminationGracePeriodSeconds: 60, containers: [container({ command: ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"] })] }));
  await ready("stubborn");
  const startMs = await agent.ask<number>("now");
  await agent.deletePod("stubborn");
  await new Promise((resolve) => setTimeout(resolve, 500));
  t.truthy(await agent.pod("stubborn"));
  await agent.deletePod("stubborn", { gracePeriodSeconds: 1 });
  await agent.untilGone("stubborn");
  t.true(await agent.ask<number>("now") - startMs < 10_000);
});

test.serial("twenty pods at once are all Ready", async (t) => {
  const names = Array.from({ length: 20 }, (_, i) => `many-${i}`), startMs = await agent.ask<number>("now");
  await Promise.all(names.map((name) => agent.create(makePod(name))));
  const readyMs = (await Promise.all(names.map(async (name) => { await ready(name); return await agent.ask<number>("now") - startMs; }))).sort((a, b) => a - b);
  t.log(`20 pods at once: p50 ${Math.round(readyMs[10]!)} ms, max ${Math.round(readyMs.at(-1)!)} ms`);
  t.true(readyMs.at(-1)! < 20_000);
  await Promise.all(names.map(remove));
});
