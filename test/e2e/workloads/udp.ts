/** UDP Services: a sender that never stops finds the new pod at once when the old one is replaced, or gone for a while. */
import type { ExecutionContext, TestFn } from "ava";
import { spawn } from "node:child_process";
import path from "node:path";
import { deployments, endpointslices, services } from "../../../lib/api/schema/generated/references.ts";
import { enterHost } from "../../../lib/install/hosts.ts";
import { waitForObjects } from "../../../lib/install/wait.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { readyAddresses } from "../cluster/workload.ts";
import { type Lab, labTest, MACHINE_ENV, MACHINE_MOUNT, MACHINE_VOLUME, shell } from "./lab.ts";

const RECOVERY_MAX_MS = 1_000;

/** Sends from `host` until stopped; tells when somebody answers. */
function sender(host: string, address: string, port: number): { answerOf: (name: RegExp) => Promise<number>; stop: () => Promise<void> } {
  const child = spawn("nsenter", [...enterHost(host), process.execPath, path.join(import.meta.dirname, "udp-sender.ts"), address, String(port)], { stdio: ["ignore", "pipe", "ignore"] });
  const ended = new Promise<void>((resolve) => { child.once("exit", () => resolve()); });
  const waiting = new Set<(line: string) => void>();
  child.stdout.on("data", (chunk: Buffer) => { for (const line of chunk.toString().split("\n").filter(Boolean)) for (const tell of waiting) tell(line); });
  return {
    answerOf: (name) => new Promise((resolve, reject) => {
      const cancel = systemClock.after(60_000, () => { waiting.delete(tell); reject(new Error(`no answer of ${name} within 60 s`)); });
      const tell = (line: string): void => { if (name.test(line)) { cancel(); waiting.delete(tell); resolve(systemClock.monotonicMs()); } };
      waiting.add(tell);
    }),
    stop: async () => { child.kill("SIGTERM"); await ended; },
  };
}

async function recovers(t: ExecutionContext, lab: Lab): Promise<void> {
  const labels = { app: "udp" };
  const echo = shell("main", `trap 'exit 0' TERM QUIT; /machine/bin/socat UDP4-RECVFROM:5000,fork,reuseaddr EXEC:hostname & wait`, { env: [MACHINE_ENV], volumeMounts: [MACHINE_MOUNT] });
  const service = await lab.create(services, { apiVersion: "v1", kind: "Service", metadata: lab.meta("udp"), spec: { selector: labels, ports: [{ port: 5000, protocol: "UDP" }] } });
  await lab.create(deployments, { apiVersion: "apps/v1", kind: "Deployment", metadata: lab.meta("udp"), spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { name: "", labels }, spec: { terminationGracePeriodSeconds: 1, volumes: [MACHINE_VOLUME], containers: [echo] } } } });
  let known = "";
  /** Waits for a ready endpoint that is not the last one; returns its pod and when it was seen. */
  const nextEndpoint = async (): Promise<{ pod: string; atMs: number }> => {
    const before = known;
    const slices = await waitForObjects(lab.client, endpointslices, lab.namespace, (all) => readyAddresses(all).some((address) => address !== before) || "no new ready endpoint", systemClock, 60_000);
    const atMs = systemClock.monotonicMs(), endpoint = slices.flatMap((s) => s.endpoints ?? []).find((e) => e.conditions?.ready !== false && e.addresses[0] !== before)!;
    known = endpoint.addresses[0]!;
    return { pod: endpoint.targetRef!.name!, atMs };
  };
  const recovery = async (what: string, sending: ReturnType<typeof sender>): Promise<void> => {
    const { pod, atMs } = await nextEndpoint(), answeredMs = await sending.answerOf(new RegExp(`^${pod}$`));
    t.log(`${what}: answered ${Math.max(0, answeredMs - atMs).toFixed(0)} ms after the endpoint was ready`);
    t.true(answeredMs - atMs < RECOVERY_MAX_MS, what);
  };
  const sending = sender("worker-3", service.spec.clusterIP!, 5_000); // Sends before anybody listens: the worst case.
  try {
    await recovery("first pod", sending);
    await lab.kubectl("delete", "pod", "-l", "app=udp", "--wait=false");
    await recovery("replaced pod", sending);
    await lab.kubectl("scale", "deployment", "udp", "--replicas=0");
    await waitForObjects(lab.client, endpointslices, lab.namespace, (all) => readyAddresses(all).length === 0 || "endpoints stay", systemClock, 30_000);
    await lab.kubectl("scale", "deployment", "udp", "--replicas=1");
    await recovery("from none to one", sending);
  } finally { await sending.stop(); }
}

export function registerUdp(test: TestFn): void {
  labTest(test, "wl-udp", "a UDP sender reaches the new pod within a second, also after there was none", recovers);
}
