/** kube-scheduler as a process, with the rights upstream's bootstrap policy gives it, against our API server. */
import test from "ava";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { get } from "node:https";
import type { Pod } from "../../../lib/api/schema/generated/models.ts";
import { eventsEvents, leases, nodes, pods, serviceaccounts } from "../../../lib/api/schema/generated/references.ts";
import { makeNode, makePod } from "../../unit/scheduler/builders.ts";
import { startCluster, type Cluster } from "./cluster.ts";

let cluster: Cluster, first: ChildProcess;
test.before(async () => {
  cluster = await startCluster();
  await cluster.until("the default ServiceAccount", async () => cluster.client.create(serviceaccounts, { metadata: { name: "default", namespace: "default" } }).then(() => true).catch(async () => (await cluster.client.get(serviceaccounts, { namespace: "default", name: "default" }), true)));
});
test.after.always(async () => { await cluster?.stop(); });

async function addNode(name: string, cpu: string): Promise<void> {
  const node = makeNode(name, { cpu }), { status, ...rest } = node;
  delete rest.metadata.uid;
  const created = await cluster.client.create(nodes, rest);
  await cluster.client.update(nodes, { ...created, status }, { subresource: "status" });
  // TaintNodesByCondition marks every new node; here nobody else takes the mark away.
  await cluster.client.patch(nodes, { name }, "merge", { spec: { taints: null } });
}
async function addPod(name: string, cpu: string, spec: object = {}): Promise<void> {
  const pod = makePod(name, { requests: { cpu }, spec }), { status: _status, ...rest } = pod;
  delete rest.metadata.uid;
  await cluster.client.create(pods, rest);
}
const bound = (name: string): Promise<Pod> => cluster.until(`${name} to be bound`, async () => {
  const pod = await cluster.client.get(pods, { namespace: "default", name });
  return pod.spec?.nodeName ? pod : undefined;
});

const read = (path: string): Promise<{ status: number; body: string }> => new Promise((resolve, reject) => {
  get({ host: "127.0.0.1", port: cluster.schedulerPort, path, rejectUnauthorized: false }, (response) => {
    let body = "";
    response.setEncoding("utf8").on("data", (text: string) => { body += text; }).on("end", () => resolve({ status: response.statusCode!, body }));
  }).on("error", reject);
});

test.serial("kube-scheduler leads by lease, binds to the best node and says why a pod fits nowhere", async (t) => {
  first = cluster.startScheduler();
  await addNode("four", "4");
  await addNode("ten", "10");
  await addNode("fifteen", "15");
  await addPod("textbook", "5");
  const pod = await bound("textbook");
  t.is(pod.spec!.nodeName, "fifteen");
  t.like(pod.status!.conditions!.find(({ type }) => type === "PodScheduled"), { status: "True" });
  await addPod("huge", "64");
  const message = "0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.";
  const condition = await cluster.until("the condition", async () => (await cluster.client.get(pods, { namespace: "default", name: "huge" })).status?.conditions?.find(({ type }) => type === "PodScheduled"));
  t.like(condition, { status: "False", reason: "Unschedulable", message });
  const notes = await cluster.until("both events", async () => {
    const { items } = await cluster.client.list(eventsEvents, { namespace: "default" });
    const told = items.map(({ reason, note, regarding, reportingController }) => `${reportingController} ${regarding?.name} ${reason}: ${note}`).sort();
    return told.length >= 2 ? told : undefined;
  });
  t.deepEqual(notes, [`default-scheduler huge FailedScheduling: ${message}`, "default-scheduler textbook Scheduled: Successfully assigned default/textbook to fifteen"]);
  t.truthy((await cluster.client.get(leases, { namespace: "kube-system", name: "kube-scheduler" })).spec.holderIdentity);
});

test.serial("kube-scheduler is healthy for anybody, its metrics are not", async (t) => {
  t.deepEqual(await read("/healthz"), { status: 200, body: "ok" });
  t.is((await read("/metrics")).status, 401);
});

test.serial("kube-scheduler places a burst without overcommitting, and what waits when room comes, after a restart too", async (t) => {
  await Promise.all(Array.from({ length: 30 }, (_, i) => addPod(`burst-${i}`, "1")));
  const free = 4 + 10 + 10; // Five of fifteen are taken.
  const placed = await cluster.until("24 pods to be bound", async () => {
    const names = (await cluster.client.list(pods, { namespace: "default" })).items.filter(({ metadata, spec }) => metadata.name.startsWith("burst-") && spec?.nodeName).map(({ spec }) => spec!.nodeName!);
    return names.length >= free ? names : undefined;
  });
  t.deepEqual(["four", "ten", "fifteen"].map((node) => placed.filter((name) => name === node).length), [4, 10, 10]);
  await cluster.client.delete(pods, { namespace: "default", name: "huge" }, { gracePeriodSeconds: 0 });
  const exited = once(first, "exit");
  first.kill("SIGTERM");
  t.deepEqual(await exited, [0, null]);
  t.is((await cluster.client.get(leases, { namespace: "kube-system", name: "kube-scheduler" })).spec.holderIdentity ?? "", ""); // Released: the next need not wait.
  await addNode("six", "6");
  cluster.startScheduler();
  await cluster.until("all to be bound", async () => ((await cluster.client.list(pods, { namespace: "default" })).items.every(({ spec }) => spec?.nodeName) ? true : undefined));
});
