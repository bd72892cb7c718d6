/** What `kaji apply` does on a master, against the real API server: the list of members, marks on nodes, draining under a budget. */
import test from "ava";
import { configmaps, nodes, poddisruptionbudgets, pods } from "../../../lib/api/schema/generated/references.ts";
import type { PodSpec } from "../../../lib/api/schema/generated/models.ts";
import { startEphemeralApiServer, type EphemeralApiServer } from "../../../lib/apiserver/ephemeral.ts";
import type { Client } from "../../../lib/client/client.ts";
import { createClient } from "../../../lib/client/http-client.ts";
import { drain } from "../../../lib/install/host/drain.ts";
import { configureNode, MEMBERS_CONFIG_MAP, removeNode, writeMembers } from "../../../lib/install/host/members.ts";
import type { Member } from "../../../lib/install/host/members-report.ts";
import { systemClock } from "../../../lib/util/clock.ts";

let server: EphemeralApiServer, client: Client;
test.before(async () => {
  server = await startEphemeralApiServer();
  client = createClient({ server: server.url, caData: server.caPem, certificateData: server.admin.certificatePem, keyData: server.admin.keyPem, component: "test" });
  await client.create({ group: "", version: "v1", kind: "ServiceAccount", plural: "serviceaccounts", namespaced: true }, { metadata: { name: "default", namespace: "default" } }); // No controller makes it here.
});
test.after.always(async () => { client.close(); await server.close(); });

const member = (host: string): Member => ({ role: "worker", host, machineId: "", reach: { address: "192.0.2.1", port: 22, user: "root" }, labels: [], taints: [] });
const addNode = (name: string, spec = {}): Promise<unknown> => client.create(nodes, { metadata: { name, labels: { theirs: "x" } }, spec, status: { conditions: [{ type: "Ready", status: "True", lastHeartbeatTime: "2026-01-01T00:00:00Z", lastTransitionTime: "2026-01-01T00:00:00Z" }] } });
/** Bound without a scheduler, and ended by whoever deletes it without grace: there is no kubelet. */
const addPod = (name: string, nodeName: string, more: { owner?: string; labels?: Record<string, string> } = {}): Promise<unknown> => client.create(pods, {
  metadata: { name, namespace: "default", labels: more.labels ?? {}, ...(more.owner === undefined ? {} : { ownerReferences: [{ apiVersion: "apps/v1", kind: more.owner, name: "o", uid: "1234", controller: true }] }) },
  spec: { nodeName, terminationGracePeriodSeconds: 0, automountServiceAccountToken: false, containers: [{ name: "c", image: "nginx:1" }] } as PodSpec,
});
const podsOn = async (node: string): Promise<string[]> => (await client.list(pods, { fieldSelector: `spec.nodeName=${node}` })).items.map((pod) => pod.metadata.name!).toSorted();

test("writeMembers() hears two writers at once, and forgets", async (t) => {
  await Promise.all(Array.from({ length: 5 }, (_, i) => writeMembers(client, { [`h${i}`]: member(`h${i}`) })));
  await writeMembers(client, { h1: null, h2: null, h3: null, h4: null, h9: null });
  const { data } = await client.get(configmaps, { namespace: "kube-system", name: MEMBERS_CONFIG_MAP });
  t.deepEqual(Object.entries(data!).map(([name, text]) => [name, JSON.parse(text) as unknown]), [["h0", member("h0")]]);
});

test("configureNode() sets and takes away what it was told, and nothing else", async (t) => {
  await addNode("marked", { unschedulable: true, taints: [{ key: "theirs", effect: "NoExecute" }, { key: "old", value: "1", effect: "NoSchedule" }] });
  await configureNode(client, "marked", { labels: { disk: "ssd", theirs: null }, addTaints: [{ key: "old", value: "2", effect: "NoSchedule" }], removeTaints: ["none:NoSchedule"], uncordon: true });
  const { metadata, spec } = await client.get(nodes, { name: "marked" });
  t.deepEqual([metadata.labels!["disk"], metadata.labels!["theirs"], spec!.unschedulable], ["ssd", undefined, undefined]);
  t.deepEqual(spec!.taints!.filter((taint) => !taint.key.startsWith("node.kubernetes.io/")), [{ key: "theirs", effect: "NoExecute" }, { key: "old", value: "2", effect: "NoSchedule" }]);
  await removeNode(client, "marked");
  await t.notThrowsAsync(removeNode(client, "marked"));
});

test("drain() cordons, evicts what must leave, and lets pods of DaemonSets be", async (t) => {
  await addNode("full");
  await Promise.all([addPod("web", "full", { owner: "ReplicaSet" }), addPod("alone", "full"), addPod("agent", "full", { owner: "DaemonSet" })]);
  t.is(await drain(client, { node: "full", timeoutMs: 20_000 }, systemClock), 2);
  t.deepEqual(await podsOn("full"), ["agent"]);
  t.true((await client.get(nodes, { name: "full" })).spec!.unschedulable);
  t.is(await drain(client, { node: "full", timeoutMs: 20_000 }, systemClock), 0);
  t.is(await drain(client, { node: "gone", timeoutMs: 20_000 }, systemClock), 0);
});

test("drain() never goes around a budget: late, it names the pod and why it stayed", async (t) => {
  await addNode("held");
  await addPod("db", "held", { labels: { app: "db" } });
  await client.patch(pods, { namespace: "default", name: "db" }, "merge", { status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } }, { subresource: "status" });
  await client.create(poddisruptionbudgets, { metadata: { name: "db", namespace: "default" }, spec: { minAvailable: 1, selector: { matchLabels: { app: "db" } } } });
  await client.patch(poddisruptionbudgets, { namespace: "default", name: "db" }, "merge", { status: { observedGeneration: 1, disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 } }, { subresource: "status" });
  await t.throwsAsync(drain(client, { node: "held", timeoutMs: 100 }, systemClock), { message: /Cannot drain node "held" within 0\.1 s: 1 pods are left: default\/db \(.*disruption budget.*\); see "kubectl get pdb -A"/ });
  t.deepEqual(await podsOn("held"), ["db"]);
});
