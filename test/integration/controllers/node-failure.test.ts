import test from "ava";
import { deployments, endpointslices, leases, nodes, pods, services } from "../../../lib/api/schema/generated/references.ts";
import { World } from "./world.ts";

let world: World;
test.before(async () => { world = await World.start(["--node-monitor-grace-period=4s", "--node-monitor-period=500ms"], ["n1", "n2", "n3"]); });
test.after.always(async () => { await world.stop(); });

test.serial("nodes are not taken for silent because this machine stood still for longer than their grace", async (t) => {
  const renewals = async (): Promise<string[]> => (await world.list(leases, "", "kube-node-lease")).map(({ spec }) => spec.renewTime ?? "").sort();
  const states = async (): Promise<unknown[]> => (await world.list(nodes)).map(({ status }) => status!.conditions!.find((c) => c.type === "Ready"));
  const allNewerThan = async (before: readonly string[]): Promise<string[] | false> => { const now = await renewals(); return now.length === 3 && now[0]! > (before.at(-1) ?? "") && now; };
  await world.until("all have leases", () => allNewerThan([]));
  const before = await states();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6_000); // API server, controllers and kubelets alike.
  for (let renewed = await renewals(), i = 0; i < 5; i++) renewed = await world.until("all renewed", () => allNewerThan(renewed));
  t.deepEqual(await states(), before);
});

test.serial("a node that falls silent loses its endpoints, then its pods, and is a clean member when it is back", async (t) => {
  const tolerations = ["not-ready", "unreachable"].map((key) => ({ key: `node.kubernetes.io/${key}`, operator: "Exists", effect: "NoExecute", tolerationSeconds: 4 }));
  await world.deployment("web", 6, { template: { metadata: { name: "", labels: { app: "web" } }, spec: { tolerations, containers: [{ name: "web", image: "nginx:1" }] } } });
  await world.client.create(services, { metadata: { name: "web", namespace: "default" }, spec: { selector: { app: "web" }, ports: [{ port: 80 }] } });
  const endpointNodes = async (): Promise<string[]> => (await world.list(endpointslices, "kubernetes.io/service-name=web")).flatMap((s) => (s.endpoints ?? []).filter((e) => e.conditions?.ready === true).map((e) => e.nodeName ?? ""));
  await world.until("six endpoints on three nodes", async () => (await endpointNodes()).length === 6 && new Set(await endpointNodes()).size === 3);

  world.silent.add("n1");
  await world.until("endpoints of n1 gone", async () => !(await endpointNodes()).includes("n1"));
  const node = await world.until("tainted twice, by the two loops that do it", async () => { const n = await world.get(nodes, "n1"); return n?.spec.taints?.length === 2 && n; });
  t.like(node.status!.conditions!.find((c) => c.type === "Ready"), { status: "Unknown", reason: "NodeStatusUnknown" });
  t.deepEqual(node.spec.taints!.map((x) => `${x.key}:${x.effect}`).sort(), ["node.kubernetes.io/unreachable:NoExecute", "node.kubernetes.io/unreachable:NoSchedule"]);
  await world.until("replaced elsewhere", async () => (await endpointNodes()).length === 6 && !(await endpointNodes()).includes("n1"));
  await world.until("six available", async () => (await world.get(deployments, "web"))!.status!.availableReplicas === 6);
  const evicted = (await world.list(pods, "app=web")).filter((p) => p.metadata.deletionTimestamp !== undefined);
  t.true(evicted.every((p) => p.status?.conditions?.some((c) => c.type === "DisruptionTarget" && c.reason === "DeletionByTaintManager")));

  world.silent.delete("n1");
  await world.until("no taints", async () => (await world.get(nodes, "n1"))?.spec.taints === undefined || (await world.get(nodes, "n1"))!.spec.taints!.length === 0);
  await world.until("old pods gone", async () => (await world.list(pods, "app=web")).length === 6);
});

test.serial("when every node falls silent nothing is evicted", async (t) => {
  for (const name of ["n1", "n2", "n3"]) world.silent.add(name);
  await world.until("all unknown", async () => (await world.list(nodes)).every((n) => n.status?.conditions?.find((c) => c.type === "Ready")?.status === "Unknown"));
  await new Promise((resolve) => setTimeout(resolve, 5_500));
  t.true((await world.list(nodes)).every((n) => !(n.spec.taints ?? []).some((x) => x.effect === "NoExecute")));
  t.true((await world.list(pods, "app=web")).every((p) => p.metadata.deletionTimestamp === undefined));
});
