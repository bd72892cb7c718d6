/**
 * Figures of the scheduler: first its framework alone, 18,000 pods over 1,000 nodes in 4 zones, decided and assumed one after another;
 * then the whole, our API server and scheduler as processes. Upstream's whole places 215 pods a second on such a cluster and machine.
 */
import { performance } from "node:perf_hooks";
import { selectorFromSet } from "../../lib/api/helpers/label-selector.ts";
import type { Node, Pod, PodSpec } from "../../lib/api/schema/generated/models.ts";
import { ClusterCache } from "../../lib/scheduler/cache/cluster-cache.ts";
import { PodInfo } from "../../lib/scheduler/cache/pod-info.ts";
import { Nominations } from "../../lib/scheduler/framework/nominations.ts";
import { DEFAULT_PROFILE } from "../../lib/scheduler/framework/profile.ts";
import { schedulePod, type ScheduleDeps } from "../../lib/scheduler/framework/schedule-pod.ts";
import { planPreemption } from "../../lib/scheduler/preemption/plan-preemption.ts";
import { nodes, pods, serviceaccounts } from "../../lib/api/schema/generated/references.ts";
import { startCluster } from "../integration/scheduler/cluster.ts";
import { systemClock } from "../../lib/util/clock.ts";
import type { Print } from "./run.ts";

const NODES = 1_000, PODS = 18_000;
const ZONE = "topology.kubernetes.io/zone";

const node = (i: number): Node => ({
  metadata: { name: `node-${i}`, labels: { "kubernetes.io/hostname": `node-${i}`, [ZONE]: `zone-${i % 4}` } }, spec: {},
  status: { allocatable: { cpu: "8", memory: "32Gi", pods: "110" }, images: [{ names: ["nginx:latest"], sizeBytes: 60_000_000 }] },
});
const pod = (i: number, spec: Partial<PodSpec>): Pod => ({
  metadata: { name: `pod-${i}`, namespace: "default", uid: `uid-${i}`, labels: { app: `app-${i % 10}` } },
  spec: { containers: [{ name: "main", image: "nginx", resources: { requests: { cpu: "100m", memory: "200Mi" } } }], tolerations: [{ key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute" }], ...spec },
});

interface Case { readonly name: string; readonly owners: boolean; readonly spec: (i: number) => Partial<PodSpec>; readonly pods?: number }
const CASES: Case[] = [
  { name: "plain pods", owners: false, spec: () => ({}) },
  { name: "pods of 10 replica sets, default spreading", owners: true, spec: () => ({}) },
  { name: "hard zone spread", owners: false, spec: (i) => ({ topologySpreadConstraints: [{ topologyKey: ZONE, maxSkew: 1, whenUnsatisfiable: "DoNotSchedule", labelSelector: { matchLabels: { app: `app-${i % 10}` } } }] }) },
  { name: "one of an app a host", owners: false, pods: 5_000, spec: (i) => ({ affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app: `app-${i % 10}` } } }] } } }) },
];

function makeDeps(owners: boolean): ScheduleDeps {
  const cache = new ClusterCache({ clock: systemClock });
  for (let i = 0; i < NODES; i++) cache.setNode(node(i));
  return {
    cluster: { cache, namespaceLabels: () => ({}), volumes: { claim: () => undefined, volume: () => undefined, storageClass: () => undefined }, selectorOfOwners: ({ labels }) => (owners ? selectorFromSet({ app: labels["app"]! }) : undefined) },
    profile: DEFAULT_PROFILE, nominations: new Nominations(), random: Math.random, search: { start: 0 },
  };
}

export async function run(print: Print): Promise<void> {
  for (const { name, owners, spec, pods: count = PODS } of CASES) {
    const deps = makeDeps(owners), latencies: number[] = [];
    const begin = performance.now();
    for (let i = 0; i < count; i++) {
      const start = performance.now(), info = new PodInfo(pod(i, spec(i))), decision = schedulePod(info, deps);
      if (decision.kind !== "fits") throw new Error(`pod ${i} fits nowhere`);
      deps.cluster.cache.assume(info, decision.node.name);
      latencies.push(performance.now() - start);
    }
    const seconds = (performance.now() - begin) / 1_000;
    latencies.sort((a, b) => a - b);
    print({ figure: name, nodes: NODES, pods: count, perSecond: Math.round(count / seconds), p50Ms: Number(latencies[count >> 1]!.toFixed(3)), p99Ms: Number(latencies[Math.floor(count * 0.99)]!.toFixed(3)) });
    if (name === "plain pods") preemption(print, deps);
  }
  await binding(print);
}

/** A pod that fits nowhere on the full cluster unless others leave. */
function preemption(print: Print, deps: ScheduleDeps): void {
  const tries = 20, begin = performance.now();
  for (let i = 0; i < tries; i++) {
    const info = new PodInfo(pod(PODS + i, { priority: 100, containers: [{ name: "main", resources: { requests: { cpu: "7500m" } } }] }));
    const decision = schedulePod(info, deps);
    if (decision.kind !== "unfit") throw new Error("it should not fit");
    planPreemption(info, decision.diagnosis, decision.filters, deps, []);
  }
  print({ figure: "plan a preemption on a full cluster", ms: Number(((performance.now() - begin) / tries).toFixed(1)) });
}

/** The whole path: our API server and our scheduler as processes, pods waiting, until the last is bound. */
async function binding(print: Print): Promise<void> {
  const cluster = await startCluster(), namespace = "default", waiting = 5_000;
  try {
    await cluster.until("the ServiceAccount", async () => cluster.client.create(serviceaccounts, { metadata: { name: "default", namespace } }).then(() => true as const).catch(async () => (await cluster.client.get(serviceaccounts, { namespace, name: "default" })) && (true as const)));
    await inParallel(NODES, 32, async (i) => {
      const { status, ...rest } = node(i), created = await cluster.client.create(nodes, rest);
      await cluster.client.update(nodes, { ...created, spec: {}, status }, { subresource: "status" });
      await cluster.client.patch(nodes, { name: rest.metadata.name }, "merge", { spec: { taints: null } });
    });
    await inParallel(waiting, 32, async (i) => {
      const { metadata: { uid: _uid, ...metadata }, ...rest } = pod(i, {});
      await cluster.client.create(pods, { ...rest, metadata });
    });
    const watching = new AbortController(), bound = new Set<string>();
    const { metadata: { resourceVersion = "" } } = await cluster.client.list(pods, { namespace, limit: 1 });
    cluster.startScheduler(["--leader-elect=false"]);
    let firstMs = 0, lastMs = 0;
    for await (const { object } of cluster.client.watch(pods, { namespace, resourceVersion }, watching.signal)) {
      if (!object.spec?.nodeName) continue;
      bound.add(object.metadata.name);
      lastMs = performance.now();
      firstMs ||= lastMs;
      if (bound.size === waiting) break;
    }
    watching.abort();
    print({ figure: "pods waiting until bound, through the API", nodes: NODES, pods: waiting, perSecond: Math.round(waiting / ((lastMs - firstMs) / 1_000)) });
  } finally { await cluster.stop(); }
}

async function inParallel(count: number, width: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: width }, async () => { while (next < count) await work(next++); }));
}
