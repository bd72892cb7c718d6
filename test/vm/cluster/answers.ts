/** Who answers behind a Service, asked from a machine. */
import { until } from "../../../lib/install/wait.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import type { VmLab } from "../lab.ts";
import type { Machine } from "../machines.ts";

/** Fetches `count` times, each on a connection of its own; returns who answered, and how often. Rules may be a moment behind: tried until all are answered. */
export async function countAnswersOn(lab: VmLab, vm: Machine, clusterIp: string, count: number): Promise<Map<string, number>> {
  const text = await until(`${vm.name} getting answers from ${clusterIp}`, () => lab.sh(vm, `curl -sS --fail --max-time 20 -H 'Connection: close' 'http://${clusterIp}/?[1-${count}]'`), systemClock, lab.limitMs(10_000));
  const answers = new Map<string, number>();
  for (const name of text.split("\n").filter(Boolean)) answers.set(name, (answers.get(name) ?? 0) + 1);
  return answers;
}
