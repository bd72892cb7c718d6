/** SIGKILL to each daemon in turn, under a write load: all come back, containers are untouched, nothing acknowledged is lost. */
import type { TestFn } from "ava";
import { configmaps, nodes, pods } from "../../../lib/api/schema/generated/references.ts";
import type { Client } from "../../../lib/client/client.ts";
import { ConnectionError } from "../../../lib/client/client.ts";
import { hasReason, StatusError } from "../../../lib/api/status-error.ts";
import { loadClusterConfig } from "../../../lib/install/cluster-config.ts";
import { daemonSpecs } from "../../../lib/install/daemons.ts";
import { isAlive } from "../../../lib/install/processes.ts";
import { readDaemonState } from "../../../lib/install/supervisor.ts";
import { until, waitForObjects } from "../../../lib/install/wait.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { apiClient } from "./cluster.ts";
import { countAnswers, onHost, removeWorkload, startWorkload, waitForReady } from "./workload.ts";

const NAMESPACE = "killing";

/** Creates ConfigMaps until stopped; resolves with the names whose creation was acknowledged. */
function writeLoad(client: Client): { stop: () => Promise<string[]> } {
  let going = true;
  const acknowledged: string[] = [];
  const writer = async (lane: number): Promise<void> => {
    for (let i = 0; going; i += 1) {
      const name = `load-${lane}-${i}`;
      try {
        await client.create(configmaps, { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: NAMESPACE }, data: { lane: String(lane) } });
        acknowledged.push(name);
      } catch (error) {
        if (hasReason(error, "AlreadyExists")) continue; // An earlier try was stored and its answer lost.
        if (!(error instanceof ConnectionError || error instanceof StatusError)) throw error;
        await systemClock.sleep(50);
      }
    }
  };
  const lanes = Promise.all([0, 1, 2, 3].map(writer));
  return { stop: async () => { going = false; await lanes; return acknowledged; } };
}

async function killAndAwaitReturn(name: string): Promise<number> {
  const before = await readDaemonState(name);
  if (before === undefined || !(await isAlive(before))) throw new Error(`${name} does not run`);
  const startMs = systemClock.monotonicMs();
  process.kill(before.pid, "SIGKILL");
  await until(`${name} coming back`, async () => {
    const now = await readDaemonState(name);
    return now !== undefined && now.pid !== before.pid && (await isAlive(now)) ? true : undefined;
  }, systemClock, 30_000);
  return systemClock.monotonicMs() - startMs;
}

export function registerKilling(test: TestFn): void {
  test.serial("SIGKILL to each daemon and to containerd in turn, under a write load: all recover, containers keep running, no acknowledged object is missing", async (t) => {
    const client = apiClient(), config = (await loadClusterConfig())!;
    const workload = await startWorkload(client, NAMESPACE, 6);
    const containers = async (): Promise<Record<string, string>> => Object.fromEntries((await waitForReady(client, NAMESPACE, 6)).map((p) => [p.metadata.name, `${p.status!.containerStatuses![0]!.containerID} ${p.status!.containerStatuses![0]!.state!.running!.startedAt} ${p.status!.containerStatuses![0]!.restartCount}`]));
    const before = await containers(), load = writeLoad(client);
    let acknowledged: string[] = [];
    try {
      for (const spec of [{ name: "supervisor" }, ...daemonSpecs(config), { name: "guardian" }]) {
        const ms = await killAndAwaitReturn(spec.name);
        t.log(`${spec.name} was back after ${(ms / 1000).toFixed(1)} s`);
      }
      await until("the API server becoming ready", async () => ((await client.raw("GET", "/readyz")).status === 200 ? true : undefined), systemClock, 60_000);
    } finally { acknowledged = await load.stop(); }
    await waitForObjects(client, nodes, undefined, (all) => all.every((n) => n.status?.conditions?.find((c) => c.type === "Ready")?.status === "True") || "a node is not Ready", systemClock, 60_000);
    const stored = new Set((await client.list(configmaps, { namespace: NAMESPACE })).items.map((o) => o.metadata.name));
    t.deepEqual(acknowledged.filter((name) => !stored.has(name)), []);
    t.log(`${acknowledged.length} acknowledged creates, all there`);
    t.true(acknowledged.length > 100);
    t.deepEqual(await containers(), before);
    t.is((await client.list(pods, { namespace: NAMESPACE })).items.length, 6);
    // A process is alive before its work is: until a proxy has read the cluster, its host's kernel has the rules of before.
    for (const host of ["worker-1", "worker-2", "worker-3"]) {
      await until(`the first sync of ${host}'s proxy`, async () => {
        const { stdout } = await onHost(host, "curl", "-sS", "--fail", "--max-time", "5", "http://127.0.0.1:10249/metrics");
        return /^kubeproxy_sync_proxy_rules_last_timestamp_seconds\S* [1-9]/m.test(stdout) ? true : undefined;
      }, systemClock, 30_000);
    }
    // Work goes on: a scale-up needs every daemon.
    const { deployments } = await import("../../../lib/api/schema/generated/references.ts");
    await client.patch(deployments, { namespace: NAMESPACE, name: "web" }, "merge", { spec: { replicas: 8 } });
    await waitForReady(client, NAMESPACE, 8);
    const names = (await client.list(pods, { namespace: NAMESPACE })).items.map((p) => p.metadata.name);
    t.deepEqual([...(await countAnswers("worker-3", workload.clusterIp, 400)).keys()].sort(), names.sort());
    await removeWorkload(client, workload);
    client.close();
  });
}
