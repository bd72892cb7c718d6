/** Disruption budgets and evictions against a real API server. Re-told from kubernetes `test/integration/evictions` and `test/integration/disruption`. */
import test from "ava";
import { deployments, events, jobs, poddisruptionbudgets, pods, serviceaccounts } from "../../../lib/api/schema/generated/references.ts";
import { StatusError } from "../../../lib/api/status-error.ts";
import type { Pod, PodDisruptionBudget, PodDisruptionBudgetSpec } from "../../../lib/api/schema/generated/models.ts";
import { World } from "./world.ts";

let world: World;
test.before(async () => { world = await World.start(); });
test.after.always(async () => { await world.stop(); });

const guard = (name: string, spec: Omit<PodDisruptionBudgetSpec, "selector">): Promise<PodDisruptionBudget> =>
  world.client.create(poddisruptionbudgets, { metadata: { name, namespace: "default" }, spec: { selector: { matchLabels: { app: name } }, ...spec } });
const allows = (name: string, disruptionsAllowed: number, currentHealthy: number) => world.until(`${name} allows ${disruptionsAllowed} of ${currentHealthy}`, async () => {
  const budget = await world.get(poddisruptionbudgets, name), { status } = budget ?? {};
  return (status?.disruptionsAllowed ?? 0) === disruptionsAllowed && (status?.currentHealthy ?? 0) === currentHealthy && status?.observedGeneration === budget?.metadata.generation && status;
});
const podsOf = (name: string): Promise<Pod[]> => world.list(pods, `app=${name}`);
const evict = (pod: Pod): Promise<unknown> => world.client.createSubresource(pods, pod.metadata, "eviction", { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: pod.metadata.name, namespace: pod.metadata.namespace } });
const refused = async (pod: Pod): Promise<StatusError> => { try { await evict(pod); } catch (error) { if (error instanceof StatusError) return error; throw error; } throw new Error("Evicted against the budget"); };

test.serial("minAvailable lets go what is over it, and refuses the rest as upstream does", async (t) => {
  await world.deployment("min", 3);
  await guard("min", { minAvailable: 2 });
  const status = await allows("min", 1, 3);
  t.like(status, { desiredHealthy: 2, expectedPods: 3, conditions: [{ type: "DisruptionAllowed", status: "True", reason: "SufficientPods" }] });
  world.silent.add("n1").add("n2"); // Nothing is replaced meanwhile.
  const [first, second] = await podsOf("min");
  await evict(first!);
  const error = await refused(second!);
  t.like(error.toStatus(), { code: 429, reason: "TooManyRequests", message: "Cannot evict pod as it would violate the pod's disruption budget." });
  t.is(error.details!.causes![0]!.reason, "DisruptionBudget");
  t.regex(error.details!.causes![0]!.message!, /^The disruption budget min needs 2 healthy pods and has [23] currently$/);
  const evicted = (await podsOf("min")).find((pod) => pod.metadata.uid === first!.metadata.uid);
  if (evicted !== undefined) t.like(evicted.status!.conditions!.find((c) => c.type === "DisruptionTarget"), { status: "True", reason: "EvictionByEvictionAPI", message: "Eviction API: evicting" });
  world.silent.clear();
  await allows("min", 1, 3); // Replaced.
});

test("maxUnavailable and shares go by what the Deployment asks for, as it is scaled", async (t) => {
  await world.deployment("max", 4);
  await guard("max", { maxUnavailable: "25%" });
  t.like(await allows("max", 1, 4), { desiredHealthy: 3, expectedPods: 4 });
  await world.client.patch(deployments, { namespace: "default", name: "max" }, "merge", { spec: { replicas: 8 } });
  t.like(await allows("max", 2, 8), { desiredHealthy: 6, expectedPods: 8 });
});

test("pods of a kind without a size make the budget allow nothing, and say why", async (t) => {
  await world.client.create(jobs, { metadata: { name: "sized", namespace: "default" }, spec: { template: { metadata: { name: "", labels: { app: "sized" } }, spec: { restartPolicy: "Never", containers: [{ name: "c", image: "run:1" }] } } } });
  await world.until("pod", async () => (await podsOf("sized")).length === 1);
  await guard("sized", { maxUnavailable: 1 });
  const budget = await world.until("failed", async () => { const b = await world.get(poddisruptionbudgets, "sized"); return b?.status?.conditions?.[0]?.reason === "SyncFailed" && b; });
  t.like(budget.status!.conditions![0], { status: "False", message: "jobs.batch does not implement the scale subresource" });
  await world.until("event", async () => (await world.list(events)).some((e) => e.reason === "CalculateExpectedPodCountFailed" && e.message === "Failed to calculate the number of expected pods: jobs.batch does not implement the scale subresource"));
});

test("pods nobody manages are told of, and counted only by a number", async (t) => {
  const make = (name: string): Promise<Pod> => world.client.create(pods, { metadata: { name, namespace: "default", labels: { app: "bare" } }, spec: { containers: [{ name: "c", image: "run:1" }] } });
  await world.until("service account", () => world.get(serviceaccounts, "default"));
  await make("bare-1");
  await make("bare-2");
  await guard("bare", { minAvailable: 1 });
  await allows("bare", 1, 2);
  await world.client.patch(poddisruptionbudgets, { namespace: "default", name: "bare" }, "merge", { spec: { minAvailable: null, maxUnavailable: 1 } });
  t.is((await allows("bare", 0, 2)).expectedPods ?? 0, 0);
  await world.until("event", async () => (await world.list(events)).some((e) => e.reason === "UnmanagedPods" && e.involvedObject.name === "bare"));
});

test("a pod that is not ready goes while the budget is met, and always where the policy says so", async (t) => {
  world.broken.add("sick:1");
  for (const [name, unhealthyPodEvictionPolicy] of [["sick-if", "IfHealthyBudget"], ["sick-always", "AlwaysAllow"]] as const) {
    await world.deployment(name, 2, {}, "sick:1");
    await guard(name, { minAvailable: 1, unhealthyPodEvictionPolicy });
    await allows(name, 0, 0);
    const [pod] = await world.until("placed", async () => { const all = await podsOf(name); return all.length === 2 && all.every((p) => p.spec.nodeName !== undefined) && all; });
    await world.client.patch(pods, pod!.metadata, "strategic", { status: { phase: "Running", conditions: [{ type: "Ready", status: "False" }] } }, { subresource: "status" });
    if (name === "sick-always") await t.notThrowsAsync(evict(pod!));
    else t.is((await refused(pod!)).code, 429);
  }
});
