/** Gathers what `/stats/summary` and `/metrics/resource` tell, from the runtime, the control groups and `/proc`. */
import { toTimestamp } from "../../api/helpers/timestamps.ts";
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import type { CriMessage } from "../../cri/messages.ts";
import { readMemory } from "../../host/facts.ts";
import { readSpace } from "../../host/disk-usage.ts";
import { podCgroup } from "../container-resources.ts";
import { LABEL } from "../labels.ts";
import type { NodeContext } from "../node-context.ts";
import { namespaceOf, uidOf } from "../pod-facts.ts";
import type { PodManager } from "../pod-manager.ts";
import { buildSummary, type PodUsage, type Summary } from "./stats-summary.ts";

const TICK_NS = 10_000_000; // USER_HZ is 100 on every architecture we run on.

/** Nanoseconds all processors have been busy since boot, from `/proc/stat`. */
export function busyNs(procStat: string): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (/^cpu +(.*)$/m.exec(procStat)?.[1] ?? "").split(" ").map(Number);
  return (user + nice + system + irq + softirq + steal) * TICK_NS;
}

export class StatsCollector {
  readonly #context: NodeContext;
  readonly #manager: PodManager;
  readonly #rootDirectory: string;
  /** The last reading of each counter, to tell rates from. */
  readonly #last = new Map<string, { ns: number; atMs: number }>();

  constructor(context: NodeContext, manager: PodManager, rootDirectory: string) {
    this.#context = context;
    this.#manager = manager;
    this.#rootDirectory = rootDirectory;
  }

  #rate(key: string, ns: number): number | undefined {
    const atMs = this.#context.clock.monotonicMs(), last = this.#last.get(key);
    this.#last.set(key, { ns, atMs });
    return last === undefined || atMs <= last.atMs || ns < last.ns ? undefined : Math.round((ns - last.ns) / ((atMs - last.atMs) / 1_000));
  }

  async summary(): Promise<Summary> {
    const { cri, clock, cgroups, settings } = this.#context, workers = this.#manager.pods;
    const [procStat, memory, disk, containers, sandboxes, usages] = await Promise.all([
      readFile("/proc/stat", "utf8"), readMemory(), readSpace(this.#rootDirectory).catch(() => undefined), cri.call("ListContainerStats", {}).then((r) => r.stats),
      cri.call("ListPodSandboxStats", {}).then((r) => r.stats, (): CriMessage<"PodSandboxStats">[] => []), Promise.all(workers.map((pod) => cgroups.usage(podCgroup(settings.cgroupRoot, pod)))),
    ]);
    const now = clock.now(), time = toTimestamp(now), nodeNs = busyNs(procStat), live = new Set(["node", ...workers.map(uidOf)]);
    for (const key of this.#last.keys()) if (!live.has(key)) this.#last.delete(key);
    const pods = workers.map((pod, index): PodUsage => {
      const usage = usages[index];
      return { uid: uidOf(pod), name: pod.metadata.name, namespace: namespaceOf(pod), startTime: pod.status?.startTime ?? pod.metadata.creationTimestamp ?? time, usage, cpuRateNs: usage === undefined ? undefined : this.#rate(uidOf(pod), usage.cpuNs) };
    });
    const used = memory.totalBytes - memory.availableBytes;
    return buildSummary({
      nodeName: settings.nodeName, bootTime: toTimestamp(new Date(Number(/^btime (\d+)$/m.exec(procStat)?.[1] ?? 0) * 1_000)), now,
      node: { cpuNs: nodeNs, cpuRateNs: this.#rate("node", nodeNs), memory: { time, availableBytes: memory.availableBytes, usageBytes: used, workingSetBytes: used } }, disk, pods, containers,
      started: new Map(workers.flatMap((pod) => this.#manager.worker(uidOf(pod))?.runtime.containers ?? []).map((run) => [run.id, toTimestamp(new Date(run.startedAtMs))])),
      networks: new Map(sandboxes.flatMap((s) => (s.linux?.network === undefined || s.linux.network === null ? [] : [[s.attributes?.labels[LABEL.podUid] ?? s.attributes?.metadata?.uid ?? "", s.linux.network] as const]))),
    });
  }

  /** Processors of the machine. */
  readonly cpus = availableParallelism();
}
