/** Requests and limits in the kernel's own files, classes of service, and what happens to a container that takes too much memory. */
import type { ExecutionContext, TestFn } from "ava";
import { existsSync, readFileSync } from "node:fs";
import type { Pod } from "../../../lib/api/schema/generated/models.ts";
import { hostCgroup } from "../../../lib/install/daemons.ts";
import { type Lab, labTest, shell, SLEEP, statusOf } from "./lab.ts";

const V2 = existsSync("/sys/fs/cgroup/cgroup.controllers");
/** cpu.weight of cgroup v2 for a number of v1's shares. */
const weight = (shares: number): number => 1 + Math.trunc(((shares - 2) * 9_999) / 262_142);
const MEBI = 1024 ** 2;

interface Limits { shares: number; quota: number; memory: number | undefined }
/** What the kernel's files say below `directory`, in v1's units; `memory` undefined for no limit. */
function readGroup(directory: string): Limits {
  const read = (controller: string, file: string): string => readFileSync(`/sys/fs/cgroup/${V2 ? "" : `${controller}/`}${directory}/${file}`, "utf8").trim();
  if (V2) {
    const [quota] = read("", "cpu.max").split(" "), memory = read("", "memory.max");
    return { shares: Number(read("", "cpu.weight")), quota: quota === "max" ? -1 : Number(quota), memory: memory === "max" ? undefined : Number(memory) };
  }
  const memory = Number(read("memory", "memory.limit_in_bytes"));
  return { shares: Number(read("cpu", "cpu.shares")), quota: Number(read("cpu", "cpu.cfs_quota_us")), memory: memory > 2 ** 60 ? undefined : memory };
}
const groupOf = (pod: Pod, qos: string, container?: string): Limits => readGroup([hostCgroup(pod.spec.nodeName!), "kubepods", qos, `pod${pod.metadata.uid}`, container === undefined ? "" : statusOf(pod, container)!.containerID!.split("//")[1]!].filter(Boolean).join("/"));
const shares = (n: number): number => (V2 ? weight(n) : n);

async function limits(t: ExecutionContext, lab: Lab): Promise<void> {
  const [guaranteed, burstable, effort] = await Promise.all([
    lab.readyPod("guaranteed", [shell("a", SLEEP, { resources: { limits: { cpu: "500m", memory: "64Mi" } } }), shell("b", SLEEP, { resources: { requests: { cpu: "100m", memory: "32Mi" }, limits: { cpu: "100m", memory: "32Mi" } } })]),
    lab.readyPod("burstable", [shell("a", SLEEP, { resources: { requests: { cpu: "250m", memory: "16Mi" }, limits: { memory: "48Mi" } } }), shell("b", SLEEP)]), lab.readyPod("effort", [shell("a", SLEEP)]),
  ]);
  t.deepEqual([guaranteed, burstable, effort].map((p) => p.status!.qosClass), ["Guaranteed", "Burstable", "BestEffort"]);
  t.deepEqual(groupOf(guaranteed, ""), { shares: shares(614), quota: 60_000, memory: 96 * MEBI });
  t.deepEqual(groupOf(guaranteed, "", "a"), { shares: shares(512), quota: 50_000, memory: 64 * MEBI });
  t.deepEqual(groupOf(guaranteed, "", "b"), { shares: shares(102), quota: 10_000, memory: 32 * MEBI });
  t.deepEqual(groupOf(burstable, "burstable"), { shares: shares(256), quota: -1, memory: undefined });
  t.deepEqual(groupOf(burstable, "burstable", "a"), { shares: shares(256), quota: -1, memory: 48 * MEBI });
  t.deepEqual(groupOf(burstable, "burstable", "b"), { shares: shares(2), quota: -1, memory: undefined });
  t.deepEqual(groupOf(effort, "besteffort"), { shares: shares(2), quota: -1, memory: undefined });
  t.deepEqual(statusOf(burstable, "a")!.resources, { requests: { cpu: "250m", memory: "16Mi" }, limits: { memory: "48Mi" } });
  t.is(await lab.sh("effort", "cat /proc/1/oom_score_adj"), "1000");
}

async function tooMuch(t: ExecutionContext, lab: Lab): Promise<void> {
  await lab.pod("greedy", [shell("main", "tail /dev/zero", { resources: { limits: { memory: "32Mi" } } })], { restartPolicy: "Never" });
  const pod = await lab.podUntil("greedy", "Failed", (p) => p.status?.phase === "Failed");
  t.like(statusOf(pod, "main")!.state!.terminated, { reason: "OOMKilled", exitCode: 137 });
  t.regex(await lab.kubectl("get", "pod", "greedy"), /greedy\s+0\/1\s+OOMKilled\s+0/);
}

export function registerResources(test: TestFn): void {
  labTest(test, "wl-limits", "requests and limits stand in the kernel's files, pods below their class of service", limits);
  labTest(test, "wl-oom", "a container beyond its memory limit is killed and reported as OOMKilled", tooMuch);
}
