import test from "ava";
import type { ContainerStatus } from "../../../../lib/api/schema/generated/models.ts";
import type { CriMessage } from "../../../../lib/cri/messages.ts";
import { LABEL } from "../../../../lib/kubelet/labels.ts";
import type { PodWorker } from "../../../../lib/kubelet/pod-worker.ts";
import { findRun, parseLogOptions } from "../../../../lib/kubelet/server/container-logs.ts";
import { HttpError } from "../../../../lib/kubelet/server/http-error.ts";
import { cadvisorMetrics, resourceMetrics } from "../../../../lib/kubelet/server/resource-metrics.ts";
import { parseRoute, requiredAttributes } from "../../../../lib/kubelet/server/route.ts";
import { busyNs } from "../../../../lib/kubelet/server/stats-collector.ts";
import { buildSummary } from "../../../../lib/kubelet/server/stats-summary.ts";
import { exited, makePod, makeRun, makeRuntime, NOW_MS } from "../builders.ts";

test("parseRoute() reads upstream's paths, with and without a uid", (t) => {
  t.deepEqual(parseRoute("/containerLogs/ns/pod/c"), { kind: "logs", namespace: "ns", pod: "pod", container: "c" });
  t.deepEqual(parseRoute("/exec/ns/pod/c"), { kind: "exec", namespace: "ns", pod: "pod", uid: undefined, container: "c" });
  t.deepEqual(parseRoute("/attach/ns/pod/u/c"), { kind: "attach", namespace: "ns", pod: "pod", uid: "u", container: "c" });
  t.deepEqual(parseRoute("/portForward/ns/pod/"), { kind: "portForward", namespace: "ns", pod: "pod", uid: undefined });
  t.is(parseRoute("/stats/summary")!.kind, "statsSummary");
  for (const path of ["/", "/exec/ns/pod", "/containerLogs/ns/pod", "/logs/x", "/exec/ns/pod/a/b/c", "/%zz/a/b"]) t.is(parseRoute(path), undefined, path);
});
test("requiredAttributes() asks for the node's subresource, as upstream", (t) => {
  const of = (method: string, path: string): string => { const { verb, resource, subresource, name } = requiredAttributes(method, path, "n1"); return `${verb} ${resource}/${subresource} ${name}`; };
  t.deepEqual([of("GET", "/metrics/cadvisor"), of("GET", "/stats/summary"), of("POST", "/exec/a/b/c"), of("GET", "/statsx"), of("GET", "/logs/x")], ["get nodes/metrics n1", "get nodes/stats n1", "create nodes/proxy n1", "get nodes/proxy n1", "get nodes/log n1"]);
});

const query = (text: string): URLSearchParams => new URLSearchParams(text);
test("parseLogOptions() reads the query and refuses nonsense", (t) => {
  t.like(parseLogOptions(query("follow=true&tailLines=5&sinceSeconds=10&timestamps=true&limitBytes=9&previous=true"), new Date(NOW_MS)), { follow: true, previous: true, tailLines: 5, sinceMs: NOW_MS - 10_000, timestamps: true, limitBytes: 9, stream: "all" });
  t.is(parseLogOptions(query("sinceTime=2026-01-01T00:00:00Z"), new Date(0)).sinceMs, NOW_MS);
  for (const wrong of ["tailLines=-1", "limitBytes=0", "sinceSeconds=a"]) t.is(t.throws(() => parseLogOptions(query(wrong), new Date()), { instanceOf: HttpError })!.status, 422);
});
test("findRun() finds the run whose log is meant, or says why there is none", (t) => {
  const names = { namespace: "default", pod: "web", container: "main" }, worker = (...runs: Parameters<typeof makeRuntime>[0] & object): PodWorker => ({ pod: makePod(), runtime: makeRuntime(runs) }) as unknown as PodWorker;
  const waiting = (reason: string): ContainerStatus[] => [{ name: "main", image: "", imageID: "", ready: false, restartCount: 0, state: { waiting: { reason } } }];
  const runs = [makeRun("main", { attempt: 1 }), exited("main", 1)];
  t.is(findRun(worker(...runs), names, false, []).attempt, 1);
  t.is(findRun(worker(...runs), names, true, []).attempt, 0);
  t.is(findRun(worker(exited("main", 1)), names, true, waiting("CrashLoopBackOff")).attempt, 0);
  const says = (use: () => unknown): string => t.throws(use, { instanceOf: HttpError })!.message;
  t.is(says(() => findRun(worker(), names, false, waiting("ContainerCreating"))), 'container "main" in pod "web" is waiting to start: ContainerCreating');
  t.is(says(() => findRun(worker(), names, false, waiting("ImagePullBackOff"))), 'container "main" in pod "web" is waiting to start: trying and failing to pull image');
  t.is(says(() => findRun(undefined, names, false, [])), 'pod "web" does not exist\n');
});

const stats = (attempt: number, cpu: number): CriMessage<"ContainerStats"> => ({
  attributes: { id: `c${attempt}`, metadata: { name: "main", attempt }, labels: { [LABEL.podUid]: "u1" }, annotations: {} }, cpu: { timestamp: 0, usageCoreNanoSeconds: { value: cpu }, usageNanoCores: null, psi: null },
  memory: { timestamp: 0, workingSetBytes: { value: 7 }, availableBytes: null, usageBytes: null, rssBytes: { value: 3 }, pageFaults: null, majorPageFaults: null, psi: null }, writableLayer: null, swap: null, io: null,
});
const summary = buildSummary({
  nodeName: "n1", bootTime: "2026-01-01T00:00:00Z", now: new Date(NOW_MS), node: { cpuNs: 5e9, cpuRateNs: undefined, memory: { time: "2026-01-01T00:00:00Z", usageBytes: 1, workingSetBytes: 2 } }, disk: undefined,
  pods: [{ uid: "u1", name: "web", namespace: 'de"f', startTime: "2026-01-01T00:00:00Z", usage: { cpuNs: 2e9, memoryUsageBytes: 20, memoryWorkingSetBytes: 10, memoryRssBytes: 5, processes: 3 }, cpuRateNs: 100 }],
  containers: [stats(0, 1e9), stats(1, 3e9)], started: new Map([["c1", "2026-01-01T00:00:01Z"]]), networks: new Map(),
});
test("buildSummary() shows the last run of a container, and its pod", (t) => {
  t.deepEqual(summary.pods[0]!.containers.map(({ name, startTime, cpu }) => [name, startTime, cpu!.usageCoreNanoSeconds]), [["main", "2026-01-01T00:00:01Z", 3e9]]);
  t.like(summary.pods[0], { podRef: { uid: "u1" }, cpu: { usageNanoCores: 100 }, process_stats: { process_count: 3 } });
});
test("resourceMetrics() is Prometheus text with upstream's names, labels escaped", (t) => {
  const text = resourceMetrics(summary);
  t.true(text.includes(`# TYPE container_cpu_usage_seconds_total counter\ncontainer_cpu_usage_seconds_total{container="main",namespace="de\\"f",pod="web"} 3 ${NOW_MS}\n`));
  t.true(text.includes(`node_cpu_usage_seconds_total 5 ${NOW_MS}\n`));
  t.true(cadvisorMetrics(summary).includes('container_memory_rss{container="main",namespace="de\\"f",pod="web"} 3'));
});
test("busyNs() adds what processors did, not what they waited for", (t) => t.is(busyNs("cpu  1 2 3 400 500 6 7 8 9 10\ncpu0 1 1 1\n"), 27 * 10_000_000));
