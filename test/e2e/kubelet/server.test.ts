/** The kubelet's server against real containers: logs, rotation, exec and attach over raw SPDY, stats. Needs root. */
import test from "ava";
import type { Pod } from "../../../lib/api/schema/generated/models.ts";
import { KubeletAgent } from "./kubelet-agent.ts";
import { BUSYBOX_IMAGE, startTestHost, type TestHost } from "./test-host.ts";

let host: TestHost, agent: KubeletAgent;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const makePod = (name: string, script: string): Pod => ({
  apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "default" },
  spec: { nodeName: "test-node", restartPolicy: "Always", terminationGracePeriodSeconds: 1, containers: [{ name: "main", image: BUSYBOX_IMAGE, command: ["sh", "-c", script] }] },
});
const get = (path: string, ...options: string[]): Promise<string> => host.run(["curl", "-sk", ...options, `https://127.0.0.1:10250${path}`]);

test.before(async () => {
  host = await startTestHost("server", { subnet: "10.244.79.0/24" });
  agent = new KubeletAgent(host);
  await agent.ready;
  await agent.ask("start");
  await agent.ask("until", { resource: "nodes", name: "test-node", path: "status.conditions.3.status", equals: "True" });
  await agent.create(makePod("talker", "echo one; sleep 0.2; echo two >&2; sleep 0.2; echo three; sleep 1000"));
  await agent.create(makePod("loop", "i=0; while :; do echo $i; i=$((i+1)); sleep 0.1; done"));
  await agent.create(makePod("flop", "echo run; sleep 0.3; exit 1"));
  for (const name of ["talker", "loop"]) await agent.untilPod(name, "status.conditions.2.status", "True");
  await pause(1_000);
});
test.after.always(async () => {
  await agent?.stop();
  await host?.stop();
});

test.serial("logs are served whole, from the end, by stream and cut to size", async (t) => {
  t.is(await get("/containerLogs/default/talker/main"), "one\ntwo\nthree\n");
  t.is(await get("/containerLogs/default/talker/main?tailLines=1"), "three\n");
  t.is(await get("/containerLogs/default/talker/main?limitBytes=5"), "one\nt");
  t.is(await get("/containerLogs/default/talker/main?stream=Stderr"), "two\n");
  t.regex(await get("/containerLogs/default/talker/main?tailLines=1&timestamps=true"), /^\d{4}-\d\d-\d\dT[\d:.]+Z three\n$/);
});

test.serial("logs that are not there are refused in upstream's words", async (t) => {
  t.is(await get("/containerLogs/default/nobody/main", "-w", " %{http_code}"), 'pod "nobody" does not exist\n 404');
  t.is(await get("/containerLogs/default/talker/nothing", "-w", " %{http_code}"), 'container "nothing" not found in pod "talker"\n 404');
  t.is(await get("/containerLogs/default/talker/main?previous=true", "-w", " %{http_code}"), 'previous terminated container "main" in pod "talker" not found 400');
  t.is(await get("/containerLogs/default/talker/main?tailLines=x", "-o", "/dev/null", "-w", "%{http_code}"), "422");
});

test.serial("the run before the last one keeps its log until it is collected", async (t) => {
  await agent.untilPod("flop", "status.containerStatuses.0.state.waiting.reason", "CrashLoopBackOff");
  t.is(await get("/containerLogs/default/flop/main?previous=true"), "run\n");
  await agent.ask("collect");
  const files = (): Promise<string> => host.run(["sh", "-c", "ls /var/log/pods/default_flop_*/main; ls /var/log/containers | grep -c flop"]);
  t.is(await files(), "1.log\n1\n");
});

test.serial("following goes on across a rotation, and the old file stays", async (t) => {
  const following = get("/containerLogs/default/loop/main?follow=true&tailLines=1", "--max-time", "4").catch((error: { stdout: string }) => error.stdout);
  await pause(1_000);
  await agent.ask("rotate");
  const lines = (await following).trim().split("\n").map(Number);
  t.true(lines.length > 20);
  t.deepEqual(lines, lines.map((_, index) => lines[0]! + index));
  t.regex(await host.run(["sh", "-c", "ls /var/log/pods/default_loop_*/main"]), /^0\.log\n0\.log\.\d{8}-\d{6}\n$/);
});

test.serial("exec is passed on to the runtime's streaming server", async (t) => {
  const upgrade = ["--http1.1", "--max-time", "2", "-i", "-X", "POST", "-H", "Connection: Upgrade", "-H", "Upgrade: SPDY/3.1", "-H", "X-Stream-Protocol-Version: v4.channel.k8s.io"];
  const answer = await get("/exec/default/talker/main?command=echo&command=hi&output=1", ...upgrade).catch((error: { stdout: string }) => error.stdout);
  t.regex(answer, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
  t.regex(answer, /X-Stream-Protocol-Version: v4\.channel\.k8s\.io/i);
  const missing = await get("/exec/default/talker/none?command=true&output=1", ...upgrade).catch((error: { stdout: string }) => error.stdout);
  t.regex(missing, /^HTTP\/1\.1 404 Not Found\r\n[\s\S]*container not found \("none"\)$/);
  t.regex(await get("/exec/default/talker/main?command=true&output=1", "-w", " %{http_code}"), / 400$/);
});

test.serial("/run answers with a command's output, /pods and /healthz with what they are named for", async (t) => {
  t.is(await get("/run/default/talker/main?cmd=echo%20hello", "-X", "POST"), "hello\n");
  t.deepEqual((JSON.parse(await get("/pods")) as { items: Pod[] }).items.map((pod) => pod.metadata.name).sort(), ["flop", "loop", "talker"]);
  t.is(await get("/healthz"), "ok");
  t.is(await get("/nothing", "-o", "/dev/null", "-w", "%{http_code}"), "404");
  t.is(await get("/pods", "-H", "X-Nobody: 1", "-w", " %{http_code}"), "Forbidden (GET /pods) 403");
});

test.serial("/stats/summary and /metrics/resource tell what pods and containers use", async (t) => {
  const summary = JSON.parse(await get("/stats/summary")) as { node: { nodeName: string }; pods: { podRef: { name: string }; memory: { workingSetBytes: number }; containers: { name: string; cpu: { usageCoreNanoSeconds: number } }[] }[] };
  const pod = summary.pods.find(({ podRef }) => podRef.name === "loop")!;
  t.is(summary.node.nodeName, "test-node");
  t.true(pod.memory.workingSetBytes > 0);
  t.deepEqual(pod.containers.map(({ name, cpu }) => [name, cpu.usageCoreNanoSeconds > 0]), [["main", true]]);
  t.regex(await get("/metrics/resource"), /^container_memory_working_set_bytes\{container="main",namespace="default",pod="loop"\} \d+ \d+$/m);
});
