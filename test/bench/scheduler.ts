/**
 * Figures of the scheduler's framework alone: 18,000 pods over 1,000 nodes in 4 zones, decided and assumed one after another, nothing bound.
 * Upstream's whole scheduler, binding included, places 215 pods a second on such a cluster and machine.
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
  for (const { name, owners, spec, pods = PODS } of CASES) {
    const deps = makeDeps(owners), latencies: number[] = [];
    const begin = performance.now();
    for (let i = 0; i < pods; i++) {
      const start = performance.now(), info = new PodInfo(pod(i, spec(i))), decision = schedulePod(info, deps);
      if (decision.kind !== "fits") throw new Error(`pod ${i} fits nowhere`);
      deps.cluster.cache.assume(info, decision.node.name);
      latencies.push(performance.now() - start);
    }
    const seconds = (performance.now() - begin) / 1_000;
    latencies.sort((a, b) => a - b);
    print({ figure: name, nodes: NODES, pods, perSecond: Math.round(pods / seconds), p50Ms: Number(latencies[pods >> 1]!.toFixed(3)), p99Ms: Number(latencies[Math.floor(pods * 0.99)]!.toFixed(3)) });
    if (name === "plain pods") preemption(print, deps);
  }
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
