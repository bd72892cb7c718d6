/**
 * When the node runs short, and who has to go. Pure. Counterpart: kubelet `eviction/helpers.go`.
 */
import { formatQuantity, newQuantity, quantityValue } from "../../api/quantity.ts";
import type { Pod } from "../../api/schema/generated/models.ts";

export type Signal = "memory.available" | "nodefs.available" | "nodefs.inodesFree" | "imagefs.available" | "imagefs.inodesFree" | "pid.available";
export interface Observation { readonly available: number; readonly capacity: number }
export type Observations = Partial<Record<Signal, Observation>>;
export interface Threshold { readonly signal: Signal; readonly value: string }

const SIGNALS = new Set<string>(["memory.available", "nodefs.available", "nodefs.inodesFree", "imagefs.available", "imagefs.inodesFree", "pid.available"]);

/** Reads `evictionHard`. Throws on a signal that does not exist. */
export function parseThresholds(hard: Readonly<Record<string, string>>): Threshold[] {
  return Object.entries(hard).map(([signal, value]) => {
    if (!SIGNALS.has(signal)) throw new Error(`Cannot read evictionHard: unknown signal ${JSON.stringify(signal)}`);
    if (!/^\d+(\.\d+)?%$/.test(value)) quantityValue(value);
    return { signal: signal as Signal, value };
  });
}

const limitOf = ({ value }: Threshold, { capacity }: Observation): number => (value.endsWith("%") ? (capacity * Number(value.slice(0, -1))) / 100 : quantityValue(value));

/** Thresholds that are crossed now. */
export const crossed = (thresholds: readonly Threshold[], observed: Observations): Threshold[] =>
  thresholds.filter((threshold) => { const seen = observed[threshold.signal]; return seen !== undefined && seen.capacity > 0 && seen.available < limitOf(threshold, seen); });

export const pressureOf = (signals: readonly Signal[]): { memory: boolean; disk: boolean; pids: boolean } =>
  ({ memory: signals.includes("memory.available"), disk: signals.some((s) => s.startsWith("nodefs") || s.startsWith("imagefs")), pids: signals.includes("pid.available") });

export interface PodUse { readonly pod: Pod; readonly memoryBytes: number; readonly diskBytes: number; readonly processes: number }

const isCritical = (pod: Pod): boolean => (pod.spec.priority ?? 0) >= 2_000_000_000 || pod.metadata.annotations?.["kubernetes.io/config.source"] === "file";
const requested = (pod: Pod, name: string): number => [...pod.spec.containers].reduce((sum, container) => sum + (container.resources?.requests?.[name] === undefined ? 0 : quantityValue(container.resources.requests[name])), 0);

/** Who goes first: those who use more than they asked for, then by priority, then by how much more. Critical pods never. */
export function rankVictims(pods: readonly PodUse[], signal: Signal): PodUse[] {
  const use = (one: PodUse): number => (signal === "memory.available" ? one.memoryBytes : signal === "pid.available" ? one.processes : one.diskBytes);
  const asked = (one: PodUse): number => (signal === "memory.available" ? requested(one.pod, "memory") : signal === "pid.available" ? 0 : requested(one.pod, "ephemeral-storage"));
  const over = (one: PodUse): number => use(one) - asked(one);
  return pods.filter((one) => !isCritical(one.pod) && one.pod.metadata.deletionTimestamp === undefined)
    .toSorted((a, b) => Number(over(b) > 0) - Number(over(a) > 0) || (a.pod.spec.priority ?? 0) - (b.pod.spec.priority ?? 0) || over(b) - over(a));
}

const RESOURCES: Record<Signal, string> = { "memory.available": "memory", "nodefs.available": "ephemeral-storage", "nodefs.inodesFree": "inodes", "imagefs.available": "ephemeral-storage", "imagefs.inodesFree": "inodes", "pid.available": "pids" };

/** The message of an eviction, in upstream's words. */
export function evictionMessage(threshold: Threshold, seen: Observation, victim: PodUse): string {
  const resource = RESOURCES[threshold.signal], format = (value: number): string => (resource === "inodes" || resource === "pids" ? String(value) : formatQuantity(newQuantity(Math.round(value), "BinarySI")));
  const who = threshold.signal === "memory.available" && victim.memoryBytes > requested(victim.pod, "memory")
    ? victim.pod.spec.containers.slice(0, 1).map((container) => `Container ${container.name} was using ${Math.floor(victim.memoryBytes / 1_024)}Ki, request is ${container.resources?.requests?.["memory"] ?? "0"}, has larger consumption of memory. `).join("") : "";
  return `The node was low on resource: ${resource}. Threshold quantity: ${format(limitOf(threshold, seen))}, available: ${format(seen.available)}. ${who}`;
}
