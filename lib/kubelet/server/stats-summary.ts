/** `/stats/summary`: what the node, its pods and their containers use. Counterpart: kubelet `server/stats` and `stats/cri_stats_provider.go`. */
import { toTimestamp } from "../../api/helpers/timestamps.ts";
import type { CriMessage } from "../../cri/messages.ts";
import type { CgroupUsage } from "../../host/cgroups.ts";
import type { FileSystemSpace } from "../../host/disk-usage.ts";
import { LABEL } from "../labels.ts";

export interface CpuStats { time: string; usageNanoCores?: number; usageCoreNanoSeconds: number }
export interface MemoryStats { time: string; availableBytes?: number; usageBytes: number; workingSetBytes: number; rssBytes?: number; pageFaults?: number; majorPageFaults?: number }
interface FsStats { time: string; availableBytes?: number; capacityBytes?: number; usedBytes: number; inodesFree?: number; inodes?: number; inodesUsed?: number }
export interface ContainerStats { name: string; startTime: string; cpu?: CpuStats; memory?: MemoryStats; rootfs?: FsStats }
export interface PodStats { podRef: { name: string; namespace: string; uid: string }; startTime: string; containers: ContainerStats[]; cpu?: CpuStats; memory?: MemoryStats; network?: object; process_stats?: { process_count: number } }
export interface Summary { node: { nodeName: string; startTime: string; cpu?: CpuStats; memory?: MemoryStats; fs?: FsStats }; pods: PodStats[] }

export interface PodUsage { readonly uid: string; readonly name: string; readonly namespace: string; readonly startTime: string; readonly usage: CgroupUsage | undefined; readonly cpuRateNs: number | undefined }
export interface SummaryInputs {
  readonly nodeName: string;
  readonly bootTime: string;
  readonly now: Date;
  readonly node: { readonly cpuNs: number; readonly cpuRateNs: number | undefined; readonly memory: MemoryStats };
  readonly disk: FileSystemSpace | undefined;
  readonly pods: readonly PodUsage[];
  readonly containers: readonly CriMessage<"ContainerStats">[];
  /** Start times of containers, by id. */
  readonly started: ReadonlyMap<string, string>;
  readonly networks: ReadonlyMap<string, CriMessage<"NetworkUsage">>;
}

const number = (value: { value: number } | null): number => value?.value ?? 0;

export function fsStats(space: FileSystemSpace, time: string): FsStats {
  return { time, availableBytes: space.availableBytes, capacityBytes: space.capacityBytes, usedBytes: space.usedBytes, inodesFree: space.inodesFree, inodes: space.inodes, inodesUsed: space.inodesUsed };
}

function containerStats(stats: CriMessage<"ContainerStats">, startTime: string, time: string): ContainerStats {
  const { cpu, memory, writableLayer } = stats, rate = number(cpu?.usageNanoCores ?? null);
  return {
    name: stats.attributes?.metadata?.name ?? "", startTime,
    ...(cpu === null ? {} : { cpu: { time, usageCoreNanoSeconds: number(cpu.usageCoreNanoSeconds), ...(rate === 0 ? {} : { usageNanoCores: rate }) } }),
    ...(memory === null ? {} : { memory: { time, workingSetBytes: number(memory.workingSetBytes), usageBytes: number(memory.usageBytes) || number(memory.workingSetBytes), rssBytes: number(memory.rssBytes) } }),
    ...(writableLayer === null ? {} : { rootfs: { time, usedBytes: number(writableLayer.usedBytes), inodesUsed: number(writableLayer.inodesUsed) } }),
  };
}

function networkStats(usage: CriMessage<"NetworkUsage"> | undefined, time: string): object | undefined {
  const of = (one: CriMessage<"NetworkInterfaceUsage">): object => ({ name: one.name, rxBytes: number(one.rxBytes), rxErrors: number(one.rxErrors), txBytes: number(one.txBytes), txErrors: number(one.txErrors) });
  if (usage === undefined || usage.defaultInterface === null) return undefined;
  return { time, ...of(usage.defaultInterface), interfaces: [usage.defaultInterface, ...usage.interfaces].map(of) };
}

/** One run of each container: the last. */
function newestRuns(all: readonly CriMessage<"ContainerStats">[]): CriMessage<"ContainerStats">[] {
  const newest = new Map<string, CriMessage<"ContainerStats">>();
  for (const stats of all) {
    const { name = "", attempt = 0 } = stats.attributes?.metadata ?? {}, held = newest.get(name);
    if (held === undefined || attempt > (held.attributes?.metadata?.attempt ?? 0)) newest.set(name, stats);
  }
  return [...newest.values()];
}

/** Puts the answer together. Pure. */
export function buildSummary(inputs: SummaryInputs): Summary {
  const time = toTimestamp(inputs.now);
  const pods = inputs.pods.map((pod): PodStats => {
    const own = newestRuns(inputs.containers.filter((stats) => stats.attributes?.labels[LABEL.podUid] === pod.uid)), network = networkStats(inputs.networks.get(pod.uid), time);
    return {
      podRef: { name: pod.name, namespace: pod.namespace, uid: pod.uid }, startTime: pod.startTime,
      containers: own.map((stats) => containerStats(stats, inputs.started.get(stats.attributes?.id ?? "") ?? pod.startTime, time)),
      ...(pod.usage === undefined ? {} : {
        cpu: { time, usageCoreNanoSeconds: pod.usage.cpuNs, ...(pod.cpuRateNs === undefined ? {} : { usageNanoCores: pod.cpuRateNs }) },
        memory: { time, usageBytes: pod.usage.memoryUsageBytes, workingSetBytes: pod.usage.memoryWorkingSetBytes, rssBytes: pod.usage.memoryRssBytes }, process_stats: { process_count: pod.usage.processes },
      }),
      ...(network === undefined ? {} : { network }),
    };
  });
  const { cpuNs, cpuRateNs, memory } = inputs.node;
  return {
    node: { nodeName: inputs.nodeName, startTime: inputs.bootTime, cpu: { time, usageCoreNanoSeconds: cpuNs, ...(cpuRateNs === undefined ? {} : { usageNanoCores: cpuRateNs }) }, memory, ...(inputs.disk === undefined ? {} : { fs: fsStats(inputs.disk, time) }) },
    pods,
  };
}
