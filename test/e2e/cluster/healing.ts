/** Self-healing: what is killed, deleted or cut off comes back, and clients notice as little as they can. */
import type { TestFn } from "ava";
import { pods, endpointslices } from "../../../lib/api/schema/generated/references.ts";
import type { Pod } from "../../../lib/api/schema/generated/models.ts";
import { namespaceFile } from "../../../lib/install/paths.ts";
import { waitForObjects } from "../../../lib/install/wait.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { exec } from "../../../lib/util/exec.ts";
import { apiClient } from "./cluster.ts";
import { countAnswers, isReady, onHost, readyAddresses, removeWorkload, startWorkload, waitForReady, type Workload } from "./workload.ts";

const NAMESPACE = "healing";

/** A request that brought nothing, and the endpoint that the host's rules had sent it to. */
interface Failure { /** When it was sent. */ readonly sentMs: number; readonly endpoint: string; readonly error: string }
/** The ports of the requests, below those that the kernel hands out by itself (32,768 to 60,999) and the node ports: the host's own connections never hold one of them. */
const FIRST_PORT = 11_000, PORTS = 18_000;

/** Where the host's connection tracking says that the connection from `port` went: the source of the answers it waits for. */
async function endpointOf(host: string, clusterIp: string, port: number): Promise<string> {
  const { stdout } = await onHost(host, "conntrack", "-L", "-p", "tcp", "--orig-dst", clusterIp, "--orig-port-src", String(port));
  return [...stdout.matchAll(/\bsrc=(\S+)/g)][1]?.[1] ?? `unknown: ${stdout}`;
}

/** A request that is not answered by then is looked up while it waits: kube-proxy forgets unanswered flows to an endpoint that goes. */
const PATIENCE_MS = 300;

/** Fetches once from a port of its own, for so long that a connection whose flow was forgotten is asked for again, after a second. Resolves with what failed and where it had been sent, undefined when it was answered. */
async function fetchOnce(host: string, clusterIp: string, port: number): Promise<Failure | undefined> {
  const sentMs = systemClock.monotonicMs(), answered = onHost(host, "curl", "-sS", "--fail", "--local-port", String(port), "--connect-timeout", "2.5", "--max-time", "5", "-o", "/dev/null", `http://${clusterIp}/`).then(() => undefined, (error: Error) => error);
  const waiting = await Promise.race([answered.then(() => false), systemClock.sleep(PATIENCE_MS).then(() => true)]);
  const seen = waiting ? await endpointOf(host, clusterIp, port) : undefined, error = await answered;
  return error === undefined ? undefined : { sentMs, endpoint: seen ?? await endpointOf(host, clusterIp, port), error: error.message };
}

/** A loop that fetches from the Service until stopped; every failure is kept. */
function curlLoop(host: string, clusterIp: string): { stop: () => Promise<{ ok: number; failures: Failure[] }> } {
  let going = true, ok = 0;
  const failures: Failure[] = [];
  const loop = (async (): Promise<void> => {
    for (let i = 0; going; i += 1) {
      const failure = await fetchOnce(host, clusterIp, FIRST_PORT + i % PORTS);
      if (failure === undefined) ok += 1;
      else failures.push(failure);
    }
  })();
  return { stop: async () => { going = false; await loop; return { ok, failures }; } };
}

const setLink = (host: string, state: "up" | "down"): Promise<unknown> => exec("nsenter", [`--net=${namespaceFile("switch", "net")}`, "--", "ip", "link", "set", `p-${host}`.slice(0, 15), state]);

export function registerHealing(test: TestFn): void {
  let workload: Workload;

  test.serial("a killed nginx process is started again in the same pod", async (t) => {
    const client = apiClient();
    workload = await startWorkload(client, NAMESPACE, 4);
    const [pod] = await waitForReady(client, NAMESPACE, 4);
    const id = pod!.status!.containerStatuses![0]!.containerID!.split("//")[1]!;
    const { stdout } = await onHost(pod!.spec.nodeName!, "ctr", "-n", "k8s.io", "tasks", "list");
    const pid = stdout.split("\n").map((line) => line.split(/\s+/)).find(([task]) => task === id)?.[1];
    t.truthy(pid, "the container has a task");
    await exec("kill", ["-KILL", pid!]);
    await waitForObjects(client, pods, NAMESPACE, (all) => {
      const same = all.find((p) => p.metadata.uid === pod!.metadata.uid);
      return (same !== undefined && isReady(same) && same.status!.containerStatuses![0]!.restartCount === 1) || "the container was not restarted";
    }, systemClock, 60_000);
    client.close();
    t.pass();
  });

  test.serial("a deleted pod is replaced", async (t) => {
    const client = apiClient();
    const before = await waitForReady(client, NAMESPACE, 4);
    await client.delete(pods, { namespace: NAMESPACE, name: before[0]!.metadata.name });
    await waitForObjects(client, pods, NAMESPACE, (all) => (all.length === 4 && all.every(isReady) && !all.some((p) => p.metadata.uid === before[0]!.metadata.uid)) || "no replacement", systemClock, 60_000);
    client.close();
    t.pass();
  });

  test.serial("a host that is cut off loses its endpoints within 15 s and its pods are replaced within 60 s", async (t) => {
    const client = apiClient();
    const before = await waitForReady(client, NAMESPACE, 4);
    const victim = before[0]!.spec.nodeName!, observer = ["worker-1", "worker-2", "worker-3"].find((host) => host !== victim)!;
    const lost = new Set(before.filter((p) => p.spec.nodeName === victim).map((p) => p.status!.podIP!));
    const loop = curlLoop(observer, workload.clusterIp), cutMs = systemClock.monotonicMs();
    await setLink(victim, "down");
    try {
      await waitForObjects(client, endpointslices, NAMESPACE, (slices) => !readyAddresses(slices).some((address) => lost.has(address)) || "endpoints of the dead host stay", systemClock, 30_000);
      const endpointsMs = systemClock.monotonicMs() - cutMs;
      await waitForObjects(client, pods, NAMESPACE, (all) => all.filter((p: Pod) => isReady(p) && p.spec.nodeName !== victim).length === 4 || "replacements are not Ready", systemClock, 120_000);
      const replacedMs = systemClock.monotonicMs() - cutMs;
      const { ok, failures } = await loop.stop();
      t.log(`endpoints left after ${(endpointsMs / 1000).toFixed(1)} s, replacements Ready after ${(replacedMs / 1000).toFixed(1)} s; ${ok} answers, ${failures.length} failures`);
      // The bar is the product's own promise (node grace 12 s, toleration 30 s), so it is held here, not merely measured.
      t.true(endpointsMs <= 15_000);
      t.true(replacedMs <= 60_000);
      // One second for rules to reach the kernel.
      t.deepEqual(failures.filter((f) => f.sentMs - cutMs > endpointsMs + 1_000), []);
      t.deepEqual(failures.filter((f) => !lost.has(f.endpoint)), [], "only requests to the dead endpoints failed");
      t.true(ok > 0);
    } finally {
      await loop.stop();
      await setLink(victim, "up");
    }
    await waitForReady(client, NAMESPACE, 4);
    client.close();
  });

  test.serial("a host whose link returns is a clean member again", async (t) => {
    const client = apiClient();
    const { nodes } = await import("../../../lib/api/schema/generated/references.ts");
    await waitForObjects(client, nodes, undefined, (all) => all.every((n) => n.status?.conditions?.find((c) => c.type === "Ready")?.status === "True" && (n.spec.taints ?? []).length === 0) || "a node is not Ready or still tainted", systemClock, 60_000);
    await waitForObjects(client, pods, NAMESPACE, (all) => all.length === 4 || `${all.length} pods are left, expected 4`, systemClock, 90_000);
    for (const host of ["worker-1", "worker-2", "worker-3"]) t.true((await countAnswers(host, workload.clusterIp, 20)).size > 1, host);
    await removeWorkload(client, workload);
    client.close();
  });
}
