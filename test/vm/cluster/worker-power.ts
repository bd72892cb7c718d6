/** A worker without power: traffic leaves it, its pods are replaced, and it comes back a clean member. */
import type { TestFn } from "ava";
import type { Client } from "../../../lib/client/client.ts";
import type { Node, Pod } from "../../../lib/api/schema/generated/models.ts";
import { nodes, pods } from "../../../lib/api/schema/generated/references.ts";
import { HOST_PATHS } from "../../../lib/install/host/host-paths.ts";
import { until, waitForObjects } from "../../../lib/install/wait.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { countAnswersOn } from "./answers.ts";
import { isReady, removeWorkload, startWorkload } from "../../e2e/cluster/workload.ts";
import { seconds, vmTest, type VmLab } from "../lab.ts";
import { powerOff, powerOn, waitForBoot, type Machine } from "../machines.ts";

const NAMESPACE = "power", REPLICAS = 4, ENDPOINTS_LIMIT_MS = 15_000, REPLACED_LIMIT_MS = 60_000, CLEAN_LIMIT_MS = 60_000, RULES_LIMIT_MS = 10_000;

/** Resolves when no rule of the machine names one of the addresses. */
async function rulesWithout(lab: VmLab, vm: Machine, addresses: readonly string[], timeoutMs: number): Promise<void> {
  const pattern = addresses.map((address) => `-e ${address.replaceAll(".", "\\.")}:80`).join(" ");
  await lab.sh(vm, `end=$(($(date +%s) + ${Math.ceil(timeoutMs / 1000)})); while iptables-save -t nat | grep -q ${pattern}; do [ $(date +%s) -lt $end ] || { echo "rules still name ${addresses.join(" ")}" >&2; exit 1; }; sleep 0.2; done`);
}

const isClean = (node: Node): boolean => node.status?.conditions?.find((c) => c.type === "Ready")?.status === "True" && (node.spec?.taints ?? []).length === 0;
export const cleanNodes = (client: Client, lab: VmLab, names: readonly string[]): Promise<unknown> => waitForObjects(client, nodes, undefined, (all) => {
  const bad = names.filter((name) => !all.some((node) => node.metadata.name === name && isClean(node)));
  return bad.length === 0 || `${bad.join(", ")} not Ready or tainted`;
}, systemClock, lab.limitMs(CLEAN_LIMIT_MS));

const namesOn = (all: readonly Pod[], node: string): string[] => all.filter((p) => p.spec.nodeName === node).map((p) => p.metadata.name).toSorted();
const CTR = `ctr -a ${HOST_PATHS.containerdSocket} -n k8s.io`;
/** Pods of the namespace that the machine's own runtime has. */
async function sandboxesOn(lab: VmLab, vm: Machine): Promise<string[]> {
  const filter = `labels."io.kubernetes.pod.namespace"==${NAMESPACE},labels."io.cri-containerd.kind"==sandbox`;
  const text = await lab.sh(vm, `for id in $(${CTR} containers list -q '${filter}'); do ${CTR} containers info "$id" | grep -m1 -o '"io.kubernetes.pod.name": "[^"]*"'; done; true`);
  return text.split("\n").filter(Boolean).map((line) => line.split('"')[3]!).toSorted();
}

export function registerWorkerPower(test: TestFn, lab: () => VmLab): void {
  vmTest(test, lab, "a worker powered off hard: its endpoints leave every other host's rules, its pods are replaced, and it comes back a clean member", async (t, lab) => {
    const client = lab.client(), victim = lab.workers[0]!, others = lab.workers.slice(1);
    const workload = await startWorkload(client, NAMESPACE, REPLICAS, lab.limitMs(60_000));
    const before = (await client.list(pods, { namespace: NAMESPACE })).items, lost = before.filter((p) => p.spec.nodeName === victim.name).map((p) => p.status!.podIP!);
    t.true(lost.length > 0 && lost.length < REPLICAS, "pods are spread");
    // Rules are a moment behind the endpoints; what is read below is read from where they are.
    for (const vm of others) await until(`rules of ${vm.name} naming ${lost.join(" and ")}`, async () => { const rules = await lab.sh(vm, "iptables-save -t nat"); return lost.every((address) => rules.includes(`${address}:80`)) ? true : undefined; }, systemClock, lab.limitMs(RULES_LIMIT_MS));

    const offMs = systemClock.monotonicMs();
    await powerOff(victim);
    await Promise.all(others.map((vm) => rulesWithout(lab, vm, lost, 2 * lab.limitMs(ENDPOINTS_LIMIT_MS))));
    const endpointsMs = systemClock.monotonicMs() - offMs;
    await waitForObjects(client, pods, NAMESPACE, (all) => all.filter((p) => isReady(p) && p.spec.nodeName !== victim.name).length === REPLICAS || "replacements are not Ready", systemClock, 2 * lab.limitMs(REPLACED_LIMIT_MS));
    const replacedMs = systemClock.monotonicMs() - offMs;
    t.log(JSON.stringify({ bench: "worker-power-off", endpointsOutMs: Math.round(endpointsMs), limitMs: lab.limitMs(ENDPOINTS_LIMIT_MS), replacedMs: Math.round(replacedMs), replacedLimitMs: lab.limitMs(REPLACED_LIMIT_MS), calibration: lab.scale }));
    t.true(endpointsMs <= lab.limitMs(ENDPOINTS_LIMIT_MS), `endpoints out after ${seconds(endpointsMs)}`);
    t.true(replacedMs <= lab.limitMs(REPLACED_LIMIT_MS), `replaced after ${seconds(replacedMs)}`);

    await powerOn(victim, lab.image);
    await waitForBoot(victim, lab.image);
    await cleanNodes(client, lab, lab.workers.map((vm) => vm.name));
    const after = await waitForObjects(client, pods, NAMESPACE, (all) => (all.length === REPLICAS && all.every(isReady)) || `${all.length} pods, wanted ${REPLICAS}`, systemClock, lab.limitMs(CLEAN_LIMIT_MS));
    const wanted = namesOn(after, victim.name).join();
    await until("the old pods being gone from its runtime too", async () => ((await sandboxesOn(lab, victim)).join() === wanted ? true : undefined), systemClock, lab.limitMs(CLEAN_LIMIT_MS));
    t.true((await countAnswersOn(lab, victim, workload.clusterIp, 12)).size > 1, "it has the rules of now");
    await removeWorkload(client, workload);
    client.close();
  });
}
