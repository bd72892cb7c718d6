/**
 * A whole cluster on this machine, as `kaji up` makes it: pod created until Ready and deleted until gone, one at a time and 20 at once,
 * with an HTTP readiness probe and without; memory (PSS) of every daemon idle and with the pods; its CPU while the cluster idles.
 * Uses the cluster that is there; else brings one up and takes it down again. Needs root. BENCH_RUNS: rounds of 20 at once (default 5).
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Namespace, Pod } from "../../lib/api/schema/generated/models.ts";
import { namespaces, pods, serviceaccounts } from "../../lib/api/schema/generated/references.ts";
import type { Client } from "../../lib/client/client.ts";
import { createClient } from "../../lib/client/http-client.ts";
import { loadKubeconfig } from "../../lib/client/kubeconfig.ts";
import { CLUSTER_DEFAULTS, type ClusterConfig, loadClusterConfig } from "../../lib/install/cluster-config.ts";
import { daemonSpecs } from "../../lib/install/daemons.ts";
import { down } from "../../lib/install/down.ts";
import { NGINX_IMAGE } from "../../lib/install/images.ts";
import { ADMIN_KUBECONFIG } from "../../lib/install/paths.ts";
import { createProgress } from "../../lib/install/progress.ts";
import { readDaemonState } from "../../lib/install/supervisor.ts";
import { up } from "../../lib/install/up.ts";
import { until } from "../../lib/install/wait.ts";
import { systemClock } from "../../lib/util/clock.ts";
import type { Print } from "./run.ts";

const NAMESPACE = "bench-podstart", PODS = 20, RUNS = Number(process.env["BENCH_RUNS"] ?? 5);
/** Between Ready and delete: a process that has not yet said what it does on SIGTERM would sit out its grace period, as with any kubelet. */
const REST_MS = 1_000;
const SETTLE_MS = 5_000, IDLE_SECONDS = 20, BUSY_SECONDS = 10, EVENT_TIMEOUT_MS = 60_000, TICKS_PER_SECOND = 100;

interface Shape { readonly probe: boolean; readonly host?: string | undefined }
const pod = (name: string, { probe, host }: Shape): Pod => ({
  metadata: { name, namespace: NAMESPACE },
  spec: {
    ...(host === undefined ? {} : { nodeSelector: { "kubernetes.io/hostname": host } }),
    containers: [{
      name: "main", image: NGINX_IMAGE, imagePullPolicy: "IfNotPresent", ports: [{ containerPort: 80 }],
      ...(probe ? { readinessProbe: { httpGet: { path: "/", port: 80 }, periodSeconds: 1 } } : {}),
    }],
  },
});
const isReady = ({ status }: Pod): boolean => status?.conditions?.some((c) => c.type === "Ready" && c.status === "True") ?? false;

/** When pods became Ready and when they were gone, by name: as a client that watches learns it. */
class Witness {
  readonly #marks = new Map<string, PromiseWithResolvers<number>>();
  readonly #stop = new AbortController();

  async start(client: Client): Promise<void> {
    const { metadata: { resourceVersion = "" } } = await client.list(pods, { namespace: NAMESPACE });
    void this.#watch(client, resourceVersion).catch((error: unknown) => {
      if (!this.#stop.signal.aborted) for (const mark of this.#marks.values()) mark.reject(error);
    });
  }
  async #watch(client: Client, resourceVersion: string): Promise<void> {
    for await (const { type, object } of client.watch(pods, { namespace: NAMESPACE, resourceVersion }, this.#stop.signal)) {
      const nowMs = performance.now(), { name } = object.metadata;
      if (type === "DELETED") this.#mark(`gone ${name}`).resolve(nowMs);
      else if (isReady(object)) this.#mark(`ready ${name}`).resolve(nowMs);
    }
    throw new Error("Cannot bench: the watch of pods ended");
  }
  #mark(key: string): PromiseWithResolvers<number> {
    let mark = this.#marks.get(key);
    if (mark === undefined) this.#marks.set(key, mark = Promise.withResolvers());
    return mark;
  }
  /** The moment of `what`; throws when it does not come. */
  async moment(what: "ready" | "gone", name: string): Promise<number> {
    const waiting = new AbortController();
    const late = delay(EVENT_TIMEOUT_MS, undefined, { signal: waiting.signal }).then(() => { throw new Error(`Cannot bench: pod ${name} was not ${what} within ${EVENT_TIMEOUT_MS / 1_000} s`); });
    late.catch(() => undefined);
    try { return await Promise.race([this.#mark(`${what} ${name}`).promise, late]); }
    finally { waiting.abort(); }
  }
  stop(): void { this.#stop.abort(); }
}

const seconds = (ms: number): number => Math.round(ms) / 1_000;
const quantile = (values: readonly number[], q: number): number => values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))]!;
const summary = (values: readonly number[]): Record<string, number> => ({ p50Seconds: seconds(quantile(values, 0.5)), p90Seconds: seconds(quantile(values, 0.9)), maxSeconds: seconds(Math.max(...values)) });

class Bench {
  readonly #client: Client;
  readonly #witness: Witness;
  #made = 0;
  constructor(client: Client, witness: Witness) {
    this.#client = client;
    this.#witness = witness;
  }

  async create(shape: Shape): Promise<{ name: string; ms: number }> {
    const name = `p${++this.#made}`, startMs = performance.now();
    await this.#client.create(pods, pod(name, shape));
    return { name, ms: (await this.#witness.moment("ready", name)) - startMs };
  }
  async remove(name: string): Promise<number> {
    const startMs = performance.now();
    await this.#client.delete(pods, { namespace: NAMESPACE, name });
    return (await this.#witness.moment("gone", name)) - startMs;
  }

  async oneByOne(print: Print, shape: Shape): Promise<void> {
    const base = { pods: PODS, at: "one at a time", probe: shape.probe }, ready: number[] = [], gone: number[] = [];
    for (let i = 0; i < PODS; i++) {
      const { name, ms } = await this.create(shape);
      ready.push(ms);
      if (!shape.probe) await delay(REST_MS);
      gone.push(await this.remove(name));
    }
    print({ figure: "pod created until Ready", ...base, ...summary(ready) });
    print({ figure: "pod deleted until gone", ...base, ...summary(gone) });
  }

  /** Rounds of PODS pods created together; each figure is the median of the rounds. `meanwhile` runs while the last round's pods do. */
  async atOnce(print: Print, shape: Shape, meanwhile?: () => Promise<void>): Promise<void> {
    const where = shape.host === undefined ? "all hosts" : "one host", base = { pods: PODS, at: "at once", probe: shape.probe, where, rounds: RUNS };
    const ready: Record<string, number>[] = [], gone: Record<string, number>[] = [];
    for (let round = 0; round < RUNS; round++) {
      const created = await Promise.all(Array.from({ length: PODS }, () => this.create(shape)));
      ready.push(summary(created.map(({ ms }) => ms)));
      await delay(REST_MS);
      if (round === RUNS - 1) await meanwhile?.();
      gone.push(summary(await Promise.all(created.map(({ name }) => this.remove(name)))));
    }
    print({ figure: "pod created until Ready", ...base, ...medians(ready) });
    print({ figure: "pod deleted until gone", ...base, ...medians(gone) });
  }
}
const medians = (rounds: readonly Record<string, number>[]): Record<string, number> => Object.fromEntries(Object.keys(rounds[0]!).map((key) => [key, quantile(rounds.map((round) => round[key]!), 0.5)]));

interface Daemon { readonly name: string; readonly pid: number }
async function findDaemons(config: ClusterConfig): Promise<Daemon[]> {
  const names = ["supervisor", ...daemonSpecs(config).map(({ name }) => name)];
  return Promise.all(names.map(async (name) => {
    const state = await readDaemonState(name);
    if (state === undefined) throw new Error(`Cannot bench: ${name} does not run`);
    return { name, pid: state.pid };
  }));
}
/** A process's own memory and its share of what it has in common with others. */
function pssMb(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]) / 1_024;
}
/** Of the process and the children it has waited for. */
function cpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8"), fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
}
/** containerd's helpers, one a pod: no daemons of ours, but part of what a pod costs. */
function shims(): number[] {
  return readdirSync("/proc").filter((entry) => /^\d+$/.test(entry)).map(Number).filter((pid) => {
    try { return readlinkSync(`/proc/${pid}/exe`).includes("containerd-shim"); } catch { return false; }
  });
}
const round = (value: number, digits: number): number => Number(value.toFixed(digits));

/** Memory and CPU of every daemon over `forSeconds`, then sums: masters, and a worker's daemons without containerd (the mean of the workers). */
async function resources(print: Print, config: ClusterConfig, state: string, forSeconds: number): Promise<void> {
  const daemons = await findDaemons(config), before = daemons.map(({ pid }) => cpuSeconds(pid));
  await delay(forSeconds * 1_000);
  const used = daemons.map(({ name, pid }, i) => ({ name, pssMb: pssMb(pid), cpu: ((cpuSeconds(pid) - before[i]!) / forSeconds) * 100 }));
  for (const { name, pssMb: memory, cpu } of used) print({ figure: "daemon", state, daemon: name, pssMb: round(memory, 1), cpuPercentOfCore: round(cpu, 2), seconds: forSeconds });
  const sum = (parts: typeof used, over = 1): Record<string, number> => ({ pssMb: round(parts.reduce((a, b) => a + b.pssMb, 0) / over, 1), cpuPercentOfCore: round(parts.reduce((a, b) => a + b.cpu, 0) / over, 2) });
  print({ figure: "masters together", state, ...sum(used.filter(({ name }) => /^kube-(?:apiserver|controller|scheduler)/.test(name))) });
  print({ figure: "a worker's kubelet and kube-proxy", state, ...sum(used.filter(({ name }) => /^(?:kubelet|kube-proxy)@/.test(name)), config.workers.length) });
  print({ figure: "a worker's containerd", state, ...sum(used.filter(({ name }) => name.startsWith("containerd@")), config.workers.length) });
  const helpers = shims();
  if (helpers.length > 0) print({ figure: "containerd-shim, a pod", state, pssMb: round(helpers.reduce((all, pid) => all + pssMb(pid), 0) / helpers.length, 1), shims: helpers.length });
}

async function measure(print: Print, config: ClusterConfig): Promise<void> {
  const client = createClient(loadKubeconfig(ADMIN_KUBECONFIG, { component: "bench" })), witness = new Witness();
  const space: Namespace = { metadata: { name: NAMESPACE }, spec: {} };
  try {
    await delay(SETTLE_MS);
    await resources(print, config, "idle", IDLE_SECONDS);
    await client.create(namespaces, space);
    await witness.start(client);
    const bench = new Bench(client, witness), host = config.workers[0]!.name;
    await until("the namespace's ServiceAccount", () => client.get(serviceaccounts, { namespace: NAMESPACE, name: "default" }), systemClock, EVENT_TIMEOUT_MS);
    for (let i = 0; i < config.workers.length; i++) await bench.remove((await bench.create({ probe: true })).name); // Warms up.
    for (const probe of [true, false]) await bench.oneByOne(print, { probe });
    await bench.atOnce(print, { probe: false });
    await bench.atOnce(print, { probe: true, host });
    await bench.atOnce(print, { probe: true }, async () => { await delay(SETTLE_MS); await resources(print, config, `${PODS} pods`, BUSY_SECONDS); });
  } finally {
    witness.stop();
    await client.delete(namespaces, { name: NAMESPACE }).catch(() => undefined);
    client.close();
  }
}

/** Called by `npm run bench -- podstart`. */
export async function run(print: Print): Promise<void> {
  const there = await loadClusterConfig(), progress = createProgress(process.stderr, () => systemClock.monotonicMs());
  try {
    const config = there ?? (await up({ demo: false, egress: false }, CLUSTER_DEFAULTS, { clock: systemClock, progress })).config;
    await measure(print, config);
  } finally { if (there === undefined) await down({ keepCache: true }, { clock: systemClock, progress }); }
}
