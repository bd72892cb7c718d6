/** Services beyond the plain one: named ports, hand-made endpoints, traffic policies, health of load balancers' hosts, and updates under load. */
import type { ExecutionContext, TestFn } from "ava";
import type { Service, ServiceSpec } from "../../../lib/api/schema/generated/models.ts";
import { deployments, endpointslices, pods, services } from "../../../lib/api/schema/generated/references.ts";
import { until, waitForObjects } from "../../../lib/install/wait.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { exec } from "../../../lib/util/exec.ts";
import { isReady, onHost } from "../cluster/workload.ts";
import { type Lab, labTest, shell } from "./lab.ts";

const CURL = ["-sS", "--fail", "--max-time", "5", "-H", "Connection: close"];
const page = shell("main", `hostname > /usr/share/nginx/html/index.html; exec nginx -g "daemon off;"`, { ports: [{ name: "http", containerPort: 80 }], readinessProbe: { httpGet: { path: "/", port: "http" }, periodSeconds: 1 } });
const service = (lab: Lab, name: string, spec: Partial<ServiceSpec>): Promise<Service> => lab.create(services, { apiVersion: "v1", kind: "Service", metadata: lab.meta(name), spec: { ports: [{ port: 80 }], ...spec } });
const fetchOn = async (host: string, url: string): Promise<string> => (await onHost(host, "curl", ...CURL, `http://${url}/`)).stdout.trim();
const soon = <T>(what: string, attempt: () => Promise<T | undefined>): Promise<T> => until(what, attempt, systemClock, 10_000);

async function shapes(t: ExecutionContext, lab: Lab): Promise<void> {
  const labels = { app: "web" };
  const web = await lab.readyPod("web", [page], { labels, nodeName: "worker-1" });
  const named = await service(lab, "named", { selector: labels, ports: [{ name: "a", port: 8080, targetPort: "http" }, { name: "b", port: 8081, targetPort: 80 }] });
  for (const port of [8080, 8081]) t.is(await soon(`port ${port}`, () => fetchOn("worker-2", `${named.spec.clusterIP}:${port}`)), "web");
  // Endpoints somebody wrote by hand, for a Service that selects nothing.
  const manual = await service(lab, "manual", {});
  await lab.create(endpointslices, { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata: lab.meta("manual-1", { labels: { "kubernetes.io/service-name": "manual" } }), addressType: "IPv4", endpoints: [{ addresses: [web.status!.podIP!], conditions: { ready: true } }], ports: [{ name: "", port: 80, protocol: "TCP" }] });
  t.is(await soon("hand-made endpoints", () => fetchOn("worker-3", manual.spec.clusterIP!)), "web");
  // Inside the cluster with Local: only hosts that have the pod.
  const inside = await service(lab, "inside", { selector: labels, internalTrafficPolicy: "Local" });
  t.is(await soon("the local Service", () => fetchOn("worker-1", inside.spec.clusterIP!)), "web");
  await t.throwsAsync(onHost("worker-2", "curl", "-sS", "--max-time", "2", `http://${inside.spec.clusterIP}/`), { message: /exit code (7|28):/ });
  // An address from outside that leads here; hosts without a way out have no route to it, pods do.
  await service(lab, "external", { selector: labels, externalIPs: ["198.51.100.7"] });
  await lab.withTools("asker", { nodeName: "worker-2" });
  t.is(await soon("the external address", () => lab.sh("asker", "/machine/bin/curl -sS --fail --max-time 5 http://198.51.100.7/")), "web");
  // Who knocked before there was a Service gets in with the next try: the kernel would send that where the first one went.
  const early = "10.96.233.233", knocking = lab.sh("asker", `/machine/bin/curl -sS --fail --max-time 20 http://${early}/`);
  await soon("the first try", async () => ((await onHost("worker-2", "conntrack", "-L", "-p", "tcp", "--orig-dst", early)).stdout.includes("SYN_SENT") ? true : undefined));
  await service(lab, "early", { selector: labels, clusterIP: early });
  t.is(await knocking, "web");
  // Moving a Service to other pods moves its traffic.
  await lab.readyPod("other", [page], { labels: { app: "other" } });
  await lab.client.patch(services, { namespace: lab.namespace, name: "named" }, "merge", { spec: { selector: { app: "other" } } });
  t.is(await soon("the other pod", async () => ((await fetchOn("worker-2", `${named.spec.clusterIP}:8080`)) === "other" ? "other" : undefined)), "other");
}

async function loadBalancer(t: ExecutionContext, lab: Lab): Promise<void> {
  const labels = { app: "web" };
  await lab.readyPod("web", [page], { labels, nodeName: "worker-1" });
  const balanced = await service(lab, "balanced", { type: "LoadBalancer", selector: labels, externalTrafficPolicy: "Local" });
  const health = (host: string): Promise<string> => exec("curl", ["-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "2", `http://${host}:${balanced.spec.healthCheckNodePort}/`]).then((r) => r.stdout);
  for (const [host, wanted] of [["10.89.0.11", "200"], ["10.89.0.12", "503"]] as const) t.is(await soon(`health of ${host}`, async () => ((await health(host)) === wanted ? wanted : undefined)), wanted);
  t.regex(await lab.kubectl("get", "service", "balanced"), /balanced\s+LoadBalancer\s+10\.96\.\S+\s+<pending>\s+80:\d+\/TCP/);
  await lab.client.patch(services, { namespace: lab.namespace, name: "balanced" }, "merge", { status: { loadBalancer: { ingress: [{ ip: "198.51.100.8" }] } } }, { subresource: "status" });
  await lab.withTools("asker", { nodeName: "worker-2" });
  t.is(await soon("the balancer's address", () => lab.sh("asker", "/machine/bin/curl -sS --fail --max-time 5 http://198.51.100.8/")), "web");
}

async function gates(t: ExecutionContext, lab: Lab): Promise<void> {
  await lab.pod("gated", [page], { labels: { app: "gated" }, readinessGates: [{ conditionType: "example.com/warm" }] });
  const waiting = await lab.podUntil("gated", "ContainersReady", (p) => p.status?.conditions?.some((c) => c.type === "ContainersReady" && c.status === "True") === true);
  t.is(waiting.status!.conditions!.find((c) => c.type === "Ready")!.message, 'corresponding condition of pod readiness gate "example.com/warm" does not exist.');
  await lab.client.patch(pods, { namespace: lab.namespace, name: "gated" }, "strategic", { status: { conditions: [{ type: "example.com/warm", status: "True" }] } }, { subresource: "status" });
  const ready = await lab.podUntil("gated", "Ready", isReady);
  t.true(ready.status!.conditions!.some((c) => c.type === "example.com/warm"));
}

async function rollouts(t: ExecutionContext, lab: Lab): Promise<void> {
  const labels = { app: "web" };
  const careful = { ...page, lifecycle: { preStop: { sleep: { seconds: 1 } } } };
  await lab.create(deployments, { apiVersion: "apps/v1", kind: "Deployment", metadata: lab.meta("web"), spec: { replicas: 3, selector: { matchLabels: labels }, template: { metadata: { name: "", labels }, spec: { terminationGracePeriodSeconds: 5, containers: [careful] } } } });
  const web = await service(lab, "web", { selector: labels });
  await waitForObjects(lab.client, pods, lab.namespace, (all) => all.filter(isReady).length === 3 || "not all Ready", systemClock, 60_000);
  await soon("the Service", () => fetchOn("worker-1", web.spec.clusterIP!));
  let going = true, ok = 0;
  const failures: string[] = [];
  const load = ["worker-1", "worker-2"].map(async (host) => {
    while (going) {
      const { stdout } = await onHost(host, "curl", "-s", "--max-time", "5", "-H", "Connection: close", "-o", "/dev/null", "-w", "%{http_code} %{exitcode}\\n", `http://${web.spec.clusterIP}/?[1-50]`).catch((error: { stdout: string }) => error);
      for (const line of stdout.split("\n").filter((l) => /^\d{3} \d+$/.test(l))) if (line === "200 0") ok++; else failures.push(line);
    }
  });
  for (let i = 0; i < 2; i++) {
    await lab.kubectl("rollout", "restart", "deployment/web");
    await lab.kubectl("rollout", "status", "deployment/web", "--timeout=90s");
  }
  await waitForObjects(lab.client, pods, lab.namespace, (all) => all.length === 3 || "old pods are left", systemClock, 60_000);
  going = false;
  await Promise.all(load);
  t.log(`${ok} answers during two rollouts, ${failures.length} failures`);
  t.deepEqual(failures, []);
  t.true(ok > 100);
}

export function registerTraffic(test: TestFn): void {
  labTest(test, "wl-shapes", "named ports, hand-made endpoints and internal Local traffic lead where they say", shapes);
  labTest(test, "wl-balancer", "a load balancer's health port tells which hosts have a pod", loadBalancer);
  labTest(test, "wl-gates", "a readiness gate holds Ready back until its condition is true", gates);
  labTest(test, "wl-rollout", "a rolling update under load loses no request when pods pause before they stop", rollouts);
}
