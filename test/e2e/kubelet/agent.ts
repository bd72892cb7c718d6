/**
 * A kubelet with an API server in memory, run inside a test host; the test talks to it over the parent's IPC channel.
 * Started by `kubelet-agent.ts`; not a test by itself.
 */
import { isDeepStrictEqual } from "node:util";
import * as references from "../../../lib/api/schema/generated/references.ts";
import type { ResourceReference } from "../../../lib/api/reference.ts";
import { BoundedCri } from "../../../lib/cri/bounded-cri.ts";
import { CriClient } from "../../../lib/cri/client.ts";
import { GarbageCollector } from "../../../lib/kubelet/housekeeping/garbage-collector.ts";
import { LogRotator } from "../../../lib/kubelet/housekeeping/log-rotator.ts";
import { Kubelet, type KubeletParts } from "../../../lib/kubelet/kubelet.ts";
import { KubeletServer } from "../../../lib/kubelet/server/kubelet-server.ts";
import { StatsCollector } from "../../../lib/kubelet/server/stats-collector.ts";
import { createAuthority, issue } from "../../../lib/pki/certificate.ts";
import { privateKeyPem } from "../../../lib/pki/keys.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { createLogger } from "../../../lib/util/logger.ts";
import { parseCgroupRoot } from "../../../lib/host/cgroup-name.ts";
import { FakeApi } from "./fake-api.ts";

export interface ToldEvent { name: string; type: string; reason: string; message: string; fieldPath: string | undefined; atMs: number }

const [endpoint, cgroupRoot, rootDirectory] = process.argv.slice(2) as [string, string, string];
const api = new FakeApi(), events: ToldEvent[] = [], log = createLogger("kubelet", (process.env["KUBELET_LOG"] ?? "warn") as "warn");
const sink = {
  event(about: { metadata?: { name: string }; name?: string | undefined }, type: string, reason: string, message: string, options: { fieldPath?: string | undefined } = {}): void {
    events.push({ name: about.metadata?.name ?? about.name ?? "", type, reason, message, fieldPath: options.fieldPath, atMs: performance.now() });
  },
};
let parts: KubeletParts | undefined;
/** The kubelet's server, open to all: who may use it is tested elsewhere. */
function makeServer(running: KubeletParts): KubeletServer {
  const now = new Date(), authority = createAuthority({ commonName: "test-ca", now }), pair = issue(authority, { subject: { commonName: "test-node" }, usages: ["server"], names: ["127.0.0.1"], now });
  parts = running;
  return new KubeletServer(running, new StatsCollector(running.context, running.manager, rootDirectory), {
    address: "127.0.0.1", port: 10_250, tls: () => ({ cert: pair.certificatePem, key: privateKeyPem(pair.key) }), tlsFiles: [], authorize: async (request) => (request.headers["x-nobody"] === undefined ? "allowed" : "forbidden"), metrics: async () => "", configz: () => ({}),
  });
}
const makeKubelet = (): Kubelet => new Kubelet({ client: api, cri: new BoundedCri(new CriClient(endpoint), Number(process.env["CRI_LIMIT"] ?? 4), systemClock), clock: systemClock, log, events: sink }, {
  nodeName: "test-node", hostname: "test-node", nodeIPs: ["10.244.77.1"], labels: {}, taints: [], rootDirectory, podLogDirectory: "/var/log/pods", containerLogDirectory: "/var/log/containers",
  clusterDns: ["10.96.0.10"], clusterDomain: "cluster.local", resolvConf: "", cgroupDriver: "cgroupfs", cgroupRoot: parseCgroupRoot(cgroupRoot), maxPods: 110, port: 10_250,
  reserved: { cpuMilli: 0, memoryBytes: 0, ephemeralStorageBytes: 0, pods: 0 }, evictionMemoryBytes: 104_857_600, leaseDurationSeconds: 12, statusCheckMs: 10_000, statusReportMs: 300_000,
  allowedUnsafeSysctls: [], pressure: () => ({ memory: false, disk: false, pids: false }),
}, (running) => [makeServer(running)]);

let stop = new AbortController(), running: Promise<void> = Promise.resolve();
const start = (): void => { stop = new AbortController(); running = makeKubelet().run(stop.signal).catch((error: unknown) => { log.error({ error }, "kubelet ended"); }); };

type Request = { id: number; op: string; resource?: string; namespace?: string; name?: string; object?: { metadata: { name: string } }; parameters?: object; path?: string; equals?: unknown; timeoutMs?: number; reachable?: boolean };
const referenceOf = (plural: string): ResourceReference<{ metadata: { name: string } }> => (references as unknown as Record<string, ResourceReference<{ metadata: { name: string } }>>)[plural]!;
const at = (object: unknown, path: string): unknown => path.split(".").reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], object);

async function handle(request: Request): Promise<unknown> {
  const { op, resource = "pods", namespace, name = "" } = request, key = { namespace, name };
  switch (op) {
    case "start": return start();
    case "stop": stop.abort(); return running;
    case "create": return api.create(referenceOf(resource), request.object as never);
    case "update": return api.update(referenceOf(resource), request.object as never);
    case "get": return api.get(referenceOf(resource), key).catch(() => null);
    case "delete": return api.delete(referenceOf(resource), key, request.parameters);
    case "patch": return api.patch(referenceOf(resource), key, "merge", request.object);
    case "events": return events;
    case "writes": return api.writes;
    case "rotate": return new LogRotator(parts!.context, { maxBytes: 1, maxFiles: 3 }).rotateAll();
    case "collect": return new GarbageCollector(parts!.context, parts!.manager, sink, { highPercent: 85, lowPercent: 80, minimumAgeMs: 0 }).collectContainers();
    case "now": return performance.now();
    case "reachable": api.reachable = request.reachable ?? true; return undefined;
    case "until": {
      const end = performance.now() + (request.timeoutMs ?? 20_000);
      for (;;) {
        const object = await api.get(referenceOf(resource), key).catch(() => null);
        if (isDeepStrictEqual(request.path === undefined ? object : at(object, request.path) ?? null, request.equals)) return object;
        if (performance.now() > end) throw new Error(`Timed out: ${resource} ${name} ${request.path ?? ""} is ${JSON.stringify(request.path === undefined ? object : at(object, request.path))}, wanted ${JSON.stringify(request.equals)}; status ${JSON.stringify(at(object, "status"))}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    default: throw new Error(`unknown op ${op}`);
  }
}

process.on("message", (request: Request) => {
  handle(request).then(
    (value) => process.send!({ id: request.id, value: value ?? null }), (error: unknown) => process.send!({ id: request.id, error: (error as Error).message }));
});
process.on("disconnect", () => process.exit(0));
process.send!({ id: 0, value: "ready" });
