/** `/metrics/resource` and `/metrics/cadvisor` as Prometheus text. Pure. Counterpart: kubelet `metrics/collectors/resource_metrics.go`; cadvisor's names as far as dashboards need them. */
import type { Summary } from "./stats-summary.ts";

interface Sample { readonly labels: Readonly<Record<string, string>>; readonly value: number; readonly time?: string | undefined }

const escape = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

function family(name: string, type: "counter" | "gauge", help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return "";
  const lines = samples.map(({ labels, value, time }) => {
    const text = Object.entries(labels).map(([key, v]) => `${key}="${escape(v)}"`).join(",");
    return `${name}${text === "" ? "" : `{${text}}`} ${value}${time === undefined ? "" : ` ${Date.parse(time)}`}`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("\n")}\n`;
}

const seconds = (ns: number): number => ns / 1e9;

export function resourceMetrics(summary: Summary): string {
  const { node, pods } = summary;
  const podLabels = (pod: Summary["pods"][number]): Record<string, string> => ({ namespace: pod.podRef.namespace, pod: pod.podRef.name });
  const containers = pods.flatMap((pod) => pod.containers.map((container) => ({ container, labels: { container: container.name, ...podLabels(pod) } })));
  return [
    family("container_cpu_usage_seconds_total", "counter", "[STABLE] Cumulative cpu time consumed by the container in core-seconds", containers.flatMap(({ container, labels }) => (container.cpu === undefined ? [] : [{ labels, value: seconds(container.cpu.usageCoreNanoSeconds), time: container.cpu.time }]))),
    family("container_memory_working_set_bytes", "gauge", "[STABLE] Current working set of the container in bytes", containers.flatMap(({ container, labels }) => (container.memory === undefined ? [] : [{ labels, value: container.memory.workingSetBytes, time: container.memory.time }]))),
    family("container_start_time_seconds", "gauge", "[STABLE] Start time of the container since unix epoch in seconds", containers.map(({ container, labels }) => ({ labels, value: Date.parse(container.startTime) / 1_000 }))),
    family("node_cpu_usage_seconds_total", "counter", "[STABLE] Cumulative cpu time consumed by the node in core-seconds", node.cpu === undefined ? [] : [{ labels: {}, value: seconds(node.cpu.usageCoreNanoSeconds), time: node.cpu.time }]),
    family("node_memory_working_set_bytes", "gauge", "[STABLE] Current working set of the node in bytes", node.memory === undefined ? [] : [{ labels: {}, value: node.memory.workingSetBytes, time: node.memory.time }]),
    family("pod_cpu_usage_seconds_total", "counter", "[STABLE] Cumulative cpu time consumed by the pod in core-seconds", pods.flatMap((pod) => (pod.cpu === undefined ? [] : [{ labels: podLabels(pod), value: seconds(pod.cpu.usageCoreNanoSeconds), time: pod.cpu.time }]))),
    family("pod_memory_working_set_bytes", "gauge", "[STABLE] Current working set of the pod in bytes", pods.flatMap((pod) => (pod.memory === undefined ? [] : [{ labels: podLabels(pod), value: pod.memory.workingSetBytes, time: pod.memory.time }]))),
    family("resource_scrape_error", "gauge", "[STABLE] 1 if there was an error while getting container metrics, 0 otherwise", [{ labels: {}, value: 0 }]),
  ].join("");
}

export function cadvisorMetrics(summary: Summary): string {
  const rows = summary.pods.flatMap((pod) => pod.containers.map((container) => ({ container, labels: { container: container.name, namespace: pod.podRef.namespace, pod: pod.podRef.name } })));
  return [
    family("container_cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed in seconds.", rows.flatMap(({ container, labels }) => (container.cpu === undefined ? [] : [{ labels: { ...labels, cpu: "total" }, value: seconds(container.cpu.usageCoreNanoSeconds), time: container.cpu.time }]))),
    family("container_memory_usage_bytes", "gauge", "Current memory usage in bytes, including all memory regardless of when it was accessed", rows.flatMap(({ container, labels }) => (container.memory === undefined ? [] : [{ labels, value: container.memory.usageBytes, time: container.memory.time }]))),
    family("container_memory_working_set_bytes", "gauge", "Current working set in bytes.", rows.flatMap(({ container, labels }) => (container.memory === undefined ? [] : [{ labels, value: container.memory.workingSetBytes, time: container.memory.time }]))),
    family("container_memory_rss", "gauge", "Size of RSS in bytes.", rows.flatMap(({ container, labels }) => (container.memory?.rssBytes === undefined ? [] : [{ labels, value: container.memory.rssBytes, time: container.memory.time }]))),
    family("container_fs_usage_bytes", "gauge", "Number of bytes that are consumed by the container on this filesystem.", rows.flatMap(({ container, labels }) => (container.rootfs === undefined ? [] : [{ labels, value: container.rootfs.usedBytes, time: container.rootfs.time }]))),
  ].join("");
}
