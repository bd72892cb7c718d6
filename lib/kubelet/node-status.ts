/** A Node object and its status from facts about the machine. Pure. Counterpart: kubelet `nodestatus/setters.go`; reasons and messages are upstream's. */
import type { ContainerImage, NodeAddress, NodeCondition, NodeStatus } from "../api/schema/generated/models.ts";
import { CLIENT_API_VERSION } from "../client/client-config.ts";
import type { MachineFacts } from "../host/facts.ts";
import { formatTime } from "./container-status.ts";

export interface NodeResources { readonly cpuMilli: number; readonly memoryBytes: number; readonly ephemeralStorageBytes: number; readonly pods: number }
export interface Pressure { readonly memory: boolean; readonly disk: boolean; readonly pids: boolean }
export interface NodeFacts {
  readonly machine: MachineFacts;
  readonly hostname: string;
  readonly addresses: readonly string[];
  readonly kubeletPort: number;
  readonly runtimeVersion: string;
  readonly capacity: NodeResources;
  readonly reserved: NodeResources;
  /** What a pod cannot have because it would be evicted first. */
  readonly evictionMemoryBytes: number;
  readonly images: readonly ContainerImage[];
  readonly pressure: Pressure;
  /** Why the node is not ready; empty when it is. */
  readonly notReady: readonly string[];
}

const KI = 1_024;

const quantities = ({ cpuMilli, memoryBytes, ephemeralStorageBytes, pods }: NodeResources): Record<string, string> => ({
  cpu: cpuMilli % 1_000 === 0 ? String(cpuMilli / 1_000) : `${cpuMilli}m`, "ephemeral-storage": `${Math.floor(ephemeralStorageBytes / KI)}Ki`,
  "hugepages-1Gi": "0", "hugepages-2Mi": "0", memory: `${Math.floor(memoryBytes / KI)}Ki`, pods: String(pods),
});

function allocatable(facts: NodeFacts): Record<string, string> {
  const { capacity, reserved } = facts;
  return {
    ...quantities({ ...capacity, cpuMilli: capacity.cpuMilli - reserved.cpuMilli, memoryBytes: Math.max(0, capacity.memoryBytes - reserved.memoryBytes - facts.evictionMemoryBytes) }),
    // A tenth of the disk is kept for eviction to work with.
    "ephemeral-storage": String(Math.floor((capacity.ephemeralStorageBytes - reserved.ephemeralStorageBytes) * 0.9)),
  };
}

function condition(type: string, status: boolean, reasons: [yes: string, no: string], messages: [yes: string, no: string], previous: readonly NodeCondition[], nowMs: number): NodeCondition {
  const old = previous.find((c) => c.type === type), text = status ? "True" : "False";
  return {
    type, status: text, lastHeartbeatTime: formatTime(nowMs), lastTransitionTime: old?.status === text && old.lastTransitionTime !== undefined ? old.lastTransitionTime : formatTime(nowMs),
    reason: reasons[status ? 0 : 1], message: messages[status ? 0 : 1],
  };
}

export function nodeConditions(facts: Pick<NodeFacts, "pressure" | "notReady">, previous: readonly NodeCondition[], nowMs: number): NodeCondition[] {
  const { pressure, notReady } = facts;
  return [
    condition("MemoryPressure", pressure.memory, ["KubeletHasInsufficientMemory", "KubeletHasSufficientMemory"], ["kubelet has insufficient memory available", "kubelet has sufficient memory available"], previous, nowMs),
    condition("DiskPressure", pressure.disk, ["KubeletHasDiskPressure", "KubeletHasNoDiskPressure"], ["kubelet has disk pressure", "kubelet has no disk pressure"], previous, nowMs),
    condition("PIDPressure", pressure.pids, ["KubeletHasInsufficientPID", "KubeletHasSufficientPID"], ["kubelet has insufficient PID available", "kubelet has sufficient PID available"], previous, nowMs),
    condition("Ready", notReady.length === 0, ["KubeletReady", "KubeletNotReady"], ["kubelet is posting ready status", notReady.length > 1 ? `[${notReady.join(", ")}]` : notReady[0] ?? ""], previous, nowMs),
  ];
}

export function nodeStatus(facts: NodeFacts, previous: NodeStatus | undefined, nowMs: number): NodeStatus {
  const { machine } = facts;
  const addresses: NodeAddress[] = [...facts.addresses.map((address) => ({ type: "InternalIP", address })), { type: "Hostname", address: facts.hostname }];
  return {
    capacity: quantities(facts.capacity), allocatable: allocatable(facts), addresses, conditions: nodeConditions(facts, previous?.conditions ?? [], nowMs),
    daemonEndpoints: { kubeletEndpoint: { Port: facts.kubeletPort } }, images: [...facts.images],
    nodeInfo: {
      machineID: machine.machineId, systemUUID: machine.systemUuid, bootID: machine.bootId, kernelVersion: machine.kernelVersion, osImage: machine.osImage,
      containerRuntimeVersion: facts.runtimeVersion, kubeletVersion: CLIENT_API_VERSION, kubeProxyVersion: "", operatingSystem: "linux", architecture: machine.architecture,
      swap: { capacity: machine.swapBytes },
    },
  };
}

/** Whether anything but the heartbeat times differs. */
export function nodeStatusDiffers(a: NodeStatus | undefined, b: NodeStatus): boolean {
  const strip = (status: NodeStatus): unknown => ({
    capacity: status.capacity, allocatable: status.allocatable, addresses: status.addresses, daemonEndpoints: status.daemonEndpoints, nodeInfo: status.nodeInfo, images: status.images ?? [],
    conditions: (status.conditions ?? []).filter((c) => ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"].includes(c.type)).map(({ type, status: value, reason, message }) => ({ type, value, reason, message })).sort((x, y) => (x.type < y.type ? -1 : 1)),
  });
  return a === undefined || JSON.stringify(sortKeys(strip(a))) !== JSON.stringify(sortKeys(strip(b)));
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, sortKeys(v)]));
}
