/**
 * What holds of requests and limits wherever pods run: they stand in the kernel's own files, pods lie below their class of service, and a
 * container that takes too much memory is killed. Shared by hosts of `kaji up` and machines under systemd with cgroup v2.
 */
import type { ExecutionContext } from "ava";
import type { Pod } from "../../../lib/api/schema/generated/models.ts";
import { type Lab, shell, SLEEP, statusOf } from "./lab.ts";

/** Where a node keeps its control groups, and how to read a file of them. */
export interface ControlGroups {
  readonly v2: boolean;
  /** Of a pod or one of its containers (by runtime id), from the root of the hierarchy. `qos`: "", "burstable" or "besteffort". */
  directory(pod: Pod, qos: string, containerId?: string): string;
  read(node: string, controller: string, file: string): Promise<string>;
}
interface Limits { shares: number; quota: number; memory: number | undefined }
const MEBI = 1024 ** 2;
/** cpu.weight of cgroup v2 for a number of v1's shares. */
const weight = (shares: number): number => 1 + Math.trunc(((shares - 2) * 9_999) / 262_142);

/** What the kernel's files say, in v1's units; `memory` undefined for no limit. */
async function limitsOf(groups: ControlGroups, pod: Pod, qos: string, container?: string): Promise<Limits> {
  const directory = groups.directory(pod, qos, container === undefined ? undefined : statusOf(pod, container)!.containerID!.split("//")[1]!);
  const read = (controller: string, file: string): Promise<string> => groups.read(pod.spec.nodeName!, controller, `${directory}/${file}`);
  if (groups.v2) {
    const [quota] = (await read("", "cpu.max")).split(" "), memory = await read("", "memory.max");
    return { shares: Number(await read("", "cpu.weight")), quota: quota === "max" ? -1 : Number(quota), memory: memory === "max" ? undefined : Number(memory) };
  }
  const memory = Number(await read("memory", "memory.limit_in_bytes"));
  return { shares: Number(await read("cpu", "cpu.shares")), quota: Number(await read("cpu", "cpu.cfs_quota_us")), memory: memory > 2 ** 60 ? undefined : memory };
}

export async function limitsHold(t: ExecutionContext, lab: Lab, groups: ControlGroups): Promise<void> {
  const [guaranteed, burstable, effort] = await Promise.all([
    lab.readyPod("guaranteed", [shell("a", SLEEP, { resources: { limits: { cpu: "500m", memory: "64Mi" } } }), shell("b", SLEEP, { resources: { requests: { cpu: "100m", memory: "32Mi" }, limits: { cpu: "100m", memory: "32Mi" } } })]),
    lab.readyPod("burstable", [shell("a", SLEEP, { resources: { requests: { cpu: "250m", memory: "16Mi" }, limits: { memory: "48Mi" } } }), shell("b", SLEEP)]), lab.readyPod("effort", [shell("a", SLEEP)]),
  ]);
  const shares = (n: number): number => (groups.v2 ? weight(n) : n);
  t.deepEqual([guaranteed, burstable, effort].map((p) => p.status!.qosClass), ["Guaranteed", "Burstable", "BestEffort"]);
  t.deepEqual(await limitsOf(groups, guaranteed, ""), { shares: shares(614), quota: 60_000, memory: 96 * MEBI });
  t.deepEqual(await limitsOf(groups, guaranteed, "", "a"), { shares: shares(512), quota: 50_000, memory: 64 * MEBI });
  t.deepEqual(await limitsOf(groups, guaranteed, "", "b"), { shares: shares(102), quota: 10_000, memory: 32 * MEBI });
  t.deepEqual(await limitsOf(groups, burstable, "burstable"), { shares: shares(256), quota: -1, memory: undefined });
  t.deepEqual(await limitsOf(groups, burstable, "burstable", "a"), { shares: shares(256), quota: -1, memory: 48 * MEBI });
  t.deepEqual(await limitsOf(groups, burstable, "burstable", "b"), { shares: shares(2), quota: -1, memory: undefined });
  t.deepEqual(await limitsOf(groups, effort, "besteffort"), { shares: shares(2), quota: -1, memory: undefined });
  t.deepEqual(statusOf(burstable, "a")!.resources, { requests: { cpu: "250m", memory: "16Mi" }, limits: { memory: "48Mi" } });
  t.is(await lab.sh("effort", "cat /proc/1/oom_score_adj"), "1000");
}

export async function tooMuchIsKilled(t: ExecutionContext, lab: Lab): Promise<void> {
  await lab.pod("greedy", [shell("main", "tail /dev/zero", { resources: { limits: { memory: "32Mi" } } })], { restartPolicy: "Never" });
  const pod = await lab.podUntil("greedy", "Failed", (p) => p.status?.phase === "Failed");
  t.like(statusOf(pod, "main")!.state!.terminated, { reason: "OOMKilled", exitCode: 137 });
  t.regex(await lab.kubectl("get", "pod", "greedy"), /greedy\s+0\/1\s+OOMKilled\s+0/);
}
