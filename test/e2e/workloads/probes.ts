/** Probes: liveness of every kind restarts, readiness governs endpoints, startup holds the others back. */
import type { ExecutionContext, TestFn } from "ava";
import type { Container } from "../../../lib/api/schema/generated/models.ts";
import { endpointslices, pods, services } from "../../../lib/api/schema/generated/references.ts";
import { waitForObjects } from "../../../lib/install/wait.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { isReady, readyAddresses } from "../cluster/workload.ts";
import { type Lab, labTest, shell, SLEEP, statusOf } from "./lab.ts";

const EVERY_SECOND = { periodSeconds: 1, failureThreshold: 1 };

async function liveness(t: ExecutionContext, lab: Lab): Promise<void> {
  const container = (name: string, script: string, probe: Container["livenessProbe"]): Container => shell(name, script, { livenessProbe: { ...EVERY_SECOND, ...probe } });
  await lab.readyPod("live", [
    container("exec", `touch /tmp/ok; ${SLEEP}`, { exec: { command: ["cat", "/tmp/ok"] } }),
    container("http", `mkdir /www; echo ok > /www/health; busybox httpd -p 8081 -h /www; ${SLEEP}`, { httpGet: { path: "/health", port: 8081 }, initialDelaySeconds: 1 }),
    container("tcp", `busybox httpd -f -p 8082 -h / & echo $! > /tmp/pid; ${SLEEP}`, { tcpSocket: { port: 8082 }, initialDelaySeconds: 1 }),
  ]);
  await lab.sh("live", "rm /tmp/ok", "exec");
  await lab.sh("live", "rm /www/health", "http");
  await lab.sh("live", "kill $(cat /tmp/pid)", "tcp");
  const pod = await lab.podUntil("live", "restarted in all containers", (p) => isReady(p) && ["exec", "http", "tcp"].every((name) => statusOf(p, name)?.restartCount === 1));
  await lab.event("live", "Unhealthy", /^Liveness probe failed: cat: can't open '\/tmp\/ok': No such file or directory/);
  await lab.event("live", "Unhealthy", /^Liveness probe failed: HTTP probe failed with statuscode: 404$/);
  await lab.event("live", "Unhealthy", new RegExp(`^Liveness probe failed: dial tcp ${pod.status!.podIP}:8082: connect: connection refused$`));
  for (const name of ["exec", "http", "tcp"]) t.is((await lab.event("live", "Killing", new RegExp(`^Container ${name} failed liveness probe, will be restarted$`))).involvedObject.fieldPath, `spec.containers{${name}}`);
}

async function startup(t: ExecutionContext, lab: Lab): Promise<void> {
  // Liveness would fail from the first second on; the startup probe holds it back.
  const slow = shell("main", `sleep 3; touch /tmp/up; ${SLEEP}`, { startupProbe: { exec: { command: ["cat", "/tmp/up"] }, periodSeconds: 1, failureThreshold: 20 }, livenessProbe: { ...EVERY_SECOND, exec: { command: ["cat", "/tmp/up"] } }, readinessProbe: { exec: { command: ["true"] }, periodSeconds: 1 } });
  const pod = await lab.readyPod("slow", [slow]), status = statusOf(pod, "main")!;
  t.is(status.restartCount, 0);
  t.true(Date.parse(pod.status!.conditions!.find((c) => c.type === "Ready")!.lastTransitionTime!) - Date.parse(status.state!.running!.startedAt!) >= 2_000);
}

async function readiness(t: ExecutionContext, lab: Lab): Promise<void> {
  const labels = { app: "ready" };
  const web = shell("main", `touch /tmp/ready; hostname > /usr/share/nginx/html/index.html; exec nginx -g "daemon off;"`, { readinessProbe: { exec: { command: ["cat", "/tmp/ready"] }, ...EVERY_SECOND } });
  await lab.create(services, { apiVersion: "v1", kind: "Service", metadata: lab.meta("ready"), spec: { selector: labels, ports: [{ port: 80 }] } });
  const [one, two] = await Promise.all(["one", "two"].map((name) => lab.readyPod(name, [web], { labels })));
  const addresses = (wanted: string[]) => waitForObjects(lab.client, endpointslices, lab.namespace, (slices) => readyAddresses(slices).sort().join() === wanted.sort().join() || `ready endpoints are ${readyAddresses(slices).join()}, expected ${wanted.join()}`, systemClock, 30_000);
  await addresses([one!.status!.podIP!, two!.status!.podIP!]);
  await lab.sh("one", "rm /tmp/ready");
  const slices = await addresses([two!.status!.podIP!]);
  t.like(slices.flatMap((s) => s.endpoints ?? []).find((e) => e.addresses[0] === one!.status!.podIP)?.conditions, { ready: false, serving: false, terminating: false });
  const unready = await lab.client.get(pods, { namespace: lab.namespace, name: "one" });
  t.is(unready.status!.conditions!.find((c) => c.type === "Ready")!.message, "containers with unready status: [main]");
  t.is(unready.status!.phase, "Running");
  await lab.event("one", "Unhealthy", /^Readiness probe failed:/);
  await lab.sh("one", "touch /tmp/ready");
  await addresses([one!.status!.podIP!, two!.status!.podIP!]);
  t.is(statusOf(await lab.client.get(pods, { namespace: lab.namespace, name: "one" }), "main")!.restartCount, 0);
}

export function registerProbes(test: TestFn): void {
  labTest(test, "wl-liveness", "a failed liveness probe restarts its container: exec, HTTP and TCP", liveness);
  labTest(test, "wl-startup", "a startup probe holds the others back until it succeeds", startup);
  labTest(test, "wl-readiness", "a pod that is not ready leaves its Service's endpoints, and comes back", readiness);
}
