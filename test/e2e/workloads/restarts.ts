/** Restarts of the daemons around pods, and what was asked for while the API server was away. Serial: everything else on the cluster would notice. */
import type { ExecutionContext, TestFn } from "ava";
import type { Pod } from "../../../lib/api/schema/generated/models.ts";
import { nodes, pods, services } from "../../../lib/api/schema/generated/references.ts";
import { ConnectionError } from "../../../lib/client/client.ts";
import { isAlive } from "../../../lib/install/processes.ts";
import { readDaemonState } from "../../../lib/install/supervisor.ts";
import { until, waitForObjects } from "../../../lib/install/wait.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { isReady, onHost } from "../cluster/workload.ts";
import { Lab, shell, SLEEP, statusOf } from "./lab.ts";

const OUTAGE_MS = 5_000, RESYNC_EVENTS = 12;
const web = shell("main", `hostname > /usr/share/nginx/html/index.html; exec nginx -g "daemon off;"`, { readinessProbe: { httpGet: { path: "/", port: 80 }, periodSeconds: 1 }, livenessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1, failureThreshold: 3 } });

async function restart(name: string): Promise<void> {
  const before = (await readDaemonState(name))!;
  process.kill(before.pid, "SIGTERM");
  await until(`${name} coming back`, async () => {
    const now = await readDaemonState(name);
    return now !== undefined && now.pid !== before.pid && (await isAlive(now)) ? true : undefined;
  }, systemClock, 30_000);
}

/** What a restart must leave as it is. */
const identity = (pod: Pod): unknown => ({ id: statusOf(pod, "main")!.containerID, started: statusOf(pod, "main")!.state!.running!.startedAt, restarts: statusOf(pod, "main")!.restartCount, readySince: pod.status!.conditions!.find((c) => c.type === "Ready")!.lastTransitionTime, ip: pod.status!.podIP });

async function daemons(t: ExecutionContext, lab: Lab): Promise<void> {
  const labels = { app: "web" };
  await lab.create(services, { apiVersion: "v1", kind: "Service", metadata: lab.meta("web"), spec: { selector: labels, ports: [{ port: 80 }] } });
  const before = identity(await lab.readyPod("steady", [web], { labels, nodeName: "worker-1" }));
  const ip = await lab.kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}");
  const fetch = async (): Promise<string> => (await onHost("worker-2", "curl", "-sS", "--max-time", "5", `http://${ip}/`)).stdout.trim();
  await until("the Service", fetch, systemClock, 10_000);
  for (const daemon of ["kubelet@worker-1", "containerd@worker-1", "kube-proxy@worker-1", "kube-proxy@worker-2"]) {
    await restart(daemon);
    t.is(await fetch(), "steady", daemon);
    // The daemon works again: a new pod comes up beside the old one and can be looked into.
    const name = `after-${daemon.replace("@", "-")}`;
    await lab.readyPod(name, [shell("main", SLEEP)], { nodeName: "worker-1" });
    t.is(await lab.sh(name, "hostname"), name);
    t.deepEqual(identity(await lab.client.get(pods, { namespace: lab.namespace, name: "steady" })), before, daemon);
  }
  t.is(await lab.sh("steady", "hostname"), "steady");
  t.regex(await lab.logs("steady"), /^/);
}

/** Files of CNI's host-local plugin, one an address that is taken on the host. */
const takenAddresses = async (host: string): Promise<string[]> => (await onHost(host, "find", "/var/lib/cni/networks", "-name", "10.*", "-printf", "%f\\n")).stdout.split("\n").filter(Boolean);

async function sandboxes(t: ExecutionContext, lab: Lab): Promise<void> {
  const run = async (name: string, restartPolicy: string): Promise<void> => { await lab.readyPod(name, [shell("main", `trap 'exit 7' TERM QUIT; sleep 100000 & wait`)], { nodeName: "worker-2", restartPolicy }); };
  await Promise.all([run("again", "Always"), run("once", "Never")]);
  const addresses: string[] = [];
  for (const name of ["again", "once"]) {
    const pod = await lab.client.get(pods, { namespace: lab.namespace, name });
    addresses.push(pod.status!.podIP!);
    await lab.killSandbox(pod);
  }
  const again = await lab.podUntil("again", "restarted", (p) => isReady(p) && statusOf(p, "main")?.restartCount === 1);
  t.is(statusOf(again, "main")!.lastState!.terminated!.exitCode, 7);
  await lab.event("again", "SandboxChanged", /^Pod sandbox changed, it will be killed and re-created\.$/);
  const once = await lab.podUntil("once", "Failed", (p) => p.status?.phase === "Failed");
  t.is(statusOf(once, "main")!.restartCount, 0);
  // The addresses of the dead are free again.
  const stale = addresses.filter((address) => address !== again.status!.podIP);
  await until("free addresses", async () => { const taken = await takenAddresses("worker-2"); return stale.some((address) => taken.includes(address)) ? undefined : true; }, systemClock, 10_000);
}

/** A node whose object is deleted comes back by itself; its pods have addresses of its range, so it must be the same. */
async function nodeReturns(t: ExecutionContext, lab: Lab): Promise<void> {
  const host = "worker-3", before = await lab.client.get(nodes, { name: host }), pod = await lab.readyPod("steady", [web], { nodeName: host }), identityBefore = identity(pod);
  await lab.client.delete(nodes, { name: host });
  const [after] = await waitForObjects(lab.client, nodes, undefined, (all) => all.some((n) => n.metadata.name === host && n.metadata.uid !== before.metadata.uid && n.spec.podCIDR !== undefined && n.status?.conditions?.find((c) => c.type === "Ready")?.status === "True" && (n.spec.taints ?? []).length === 0) || "the node is not back", systemClock, 60_000).then((all) => all.filter((n) => n.metadata.name === host));
  t.is(after!.spec.podCIDR, before.spec.podCIDR);
  t.is(await until("the pod being reached", async () => (await onHost("worker-1", "curl", "-sS", "--fail", "--max-time", "2", `http://${pod.status!.podIP}/`)).stdout.trim(), systemClock, 20_000), "steady");
  const same = await lab.client.get(pods, { namespace: lab.namespace, name: "steady" });
  t.like(identity(same), { ...(identityBefore as object), readySince: (identity(same) as { readySince: string }).readySince });
  t.true(isReady(same));
}

async function outage(t: ExecutionContext, lab: Lab): Promise<void> {
  const supervisor = (await readDaemonState("supervisor"))!, server = (await readDaemonState("kube-apiserver"))!;
  const labels = { app: "late" };
  process.kill(supervisor.pid, "SIGSTOP"); // Else it would be back at once.
  const startMs = systemClock.monotonicMs();
  let asked: Promise<unknown>;
  try {
    process.kill(server.pid, "SIGKILL");
    const insist = <T>(what: string, attempt: () => Promise<T>): Promise<T> => until(what, attempt, systemClock, 60_000);
    await t.throwsAsync(lab.client.get(pods, { namespace: lab.namespace, name: "x" }), { instanceOf: ConnectionError });
    asked = Promise.all([
      insist("the Service's creation", () => lab.create(services, { apiVersion: "v1", kind: "Service", metadata: lab.meta("late"), spec: { selector: labels, ports: [{ port: 80 }] } })),
      insist("the pod's creation", () => lab.pod("late", [web], { labels })),
    ]);
    await systemClock.sleep(OUTAGE_MS); // The length of the outage is the claim.
  } finally { process.kill(supervisor.pid, "SIGCONT"); }
  await asked;
  const backMs = systemClock.monotonicMs();
  await lab.podUntil("late", "Ready", (p) => p.status?.conditions?.some((c) => c.type === "Ready" && c.status === "True") === true);
  const ip = await lab.kubectl("get", "service", "late", "-o", "jsonpath={.spec.clusterIP}");
  for (const host of ["worker-1", "worker-2", "worker-3"]) t.is(await until(`the Service on ${host}`, async () => (await onHost(host, "curl", "-sS", "--fail", "--max-time", "2", `http://${ip}/`)).stdout.trim(), systemClock, 30_000), "late");
  t.log(`asked ${((backMs - startMs) / 1_000).toFixed(1)} s after the kill, served ${((systemClock.monotonicMs() - backMs) / 1_000).toFixed(1)} s later`);
}

/** Lines of rules on a host, without counters. */
const rules = async (host: string): Promise<string[]> => (await onHost(host, "iptables-save")).stdout.split("\n").filter((line) => /^(:|-A)/.test(line)).map((line) => line.replace(/\[\d+:\d+\]/, "")).sort();

async function constantRules(t: ExecutionContext, lab: Lab): Promise<void> {
  const labels = { app: "flap" }, hosts = ["worker-1", "worker-2"];
  await lab.create(services, { apiVersion: "v1", kind: "Service", metadata: lab.meta("flap"), spec: { type: "NodePort", selector: labels, sessionAffinity: "ClientIP", ports: [{ port: 80 }] } });
  await lab.readyPod("steady", [web], { labels });
  const ip = await lab.kubectl("get", "service", "flap", "-o", "jsonpath={.spec.clusterIP}");
  const settled = (): Promise<unknown> => Promise.all(hosts.map((host) => until("the rules", async () => ((await rules(host)).some((line) => line.includes(`-d ${ip}/32`) && line.includes("KUBE-SVC-")) ? true : undefined), systemClock, 10_000)));
  await settled();
  const before = await Promise.all(hosts.map(rules));
  for (let i = 0; i < RESYNC_EVENTS; i++) {
    const name = `extra-${i}`, created = await lab.create(services, { apiVersion: "v1", kind: "Service", metadata: lab.meta(name), spec: { selector: labels, ports: [{ port: 80 + i }] } });
    await until("the extra rules", async () => ((await rules("worker-1")).some((line) => line.includes(created.spec.clusterIP!)) ? true : undefined), systemClock, 10_000);
    await lab.client.delete(services, { namespace: lab.namespace, name });
  }
  await Promise.all(hosts.map(async (host, i) => until(`the rules of ${host} as before`, async () => (JSON.stringify(await rules(host)) === JSON.stringify(before[i]) ? true : undefined), systemClock, 10_000)));
  t.deepEqual(await Promise.all(hosts.map(rules)), before);
}

export function registerRestarts(test: TestFn): void {
  const serial = (namespace: string, title: string, body: (t: ExecutionContext, lab: Lab) => Promise<void>): void => test.serial(title, async (t) => {
    const lab = await Lab.open(namespace);
    try { await body(t, lab); }
    finally { await lab.close(); }
  });
  serial("wl-rules", "the number of rules is the same after many syncs", constantRules);
  serial("wl-restarts", "restarts of kubelet, containerd and kube-proxy leave containers as they are", daemons);
  serial("wl-sandbox", "a pod whose sandbox dies gets another, unless it must not run again; the old address is given back", sandboxes);
  serial("wl-node", "a node whose object is deleted comes back with its pod range, and its pods are reached as before", nodeReturns);
  serial("wl-outage", "a Service and a pod asked for while the API server is away for 5 s are there after", outage);
}
