/**
 * The proxy with 1,000 and 10,000 Services of four endpoints each, in a network namespace of its own, with both backends of iptables:
 * first sync, one changed endpoint until the kernel has it (median and worst of 21), one new Service, a restart that finds all as it was.
 * `BENCH_PROXY_SERVICES` chooses other sizes, e.g. `1000,5000`. Needs root.
 */
import { execFileSync } from "node:child_process";
import type { EndpointSlice, Service } from "../../lib/api/schema/generated/models.ts";
import { type Requirement, REQUIREMENTS } from "../../lib/install/packages.ts";
import { Iptables } from "../../lib/node-iptables/index.ts";
import { Conntrack } from "../../lib/proxy/conntrack.ts";
import { Proxier } from "../../lib/proxy/proxier.ts";
import { localTraffic } from "../../lib/proxy/render-options.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { createLogger } from "../../lib/util/logger.ts";
import { MemorySource } from "../e2e/proxy/memory-source.ts";
import type { Print } from "./run.ts";

export const requirements: readonly Requirement[] = REQUIREMENTS.filter(({ program }) => ["iptables-restore", "conntrack", "ip", "nsenter"].includes(program));

const ROUNDS = 21, ENDPOINTS = 4, IDLE_MS = 500;

const address = (base: number, i: number): string => `10.${base + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`;
const service = (i: number): Service => ({ metadata: { name: `svc-${i}`, namespace: "bench" }, spec: { clusterIP: address(96, i + 1), ports: [{ name: "http", port: 80, protocol: "TCP" }] } });
const slice = (i: number, count = ENDPOINTS, shift = 0): EndpointSlice => ({
  metadata: { name: `svc-${i}-1`, namespace: "bench", labels: { "kubernetes.io/service-name": `svc-${i}` } }, addressType: "IPv4", ports: [{ name: "http", port: 8080, protocol: "TCP" }],
  endpoints: Array.from({ length: count }, (_, e) => ({ addresses: [address(128 + e * 8, i + shift)], conditions: { ready: true } })),
});

export async function run(print: Print): Promise<void> {
  const sizes = (process.env["BENCH_PROXY_SERVICES"] ?? "1000,10000").split(",").map(Number);
  for (const backend of ["nft", "legacy"] as const) for (const size of sizes) await measure(print, backend, size);
}

async function measure(print: Print, backend: "nft" | "legacy", size: number): Promise<void> {
  const space = `bench-proxy-${process.pid}`, prefix = ["nsenter", `--net=/run/netns/${space}`];
  execFileSync("ip", ["netns", "add", space]);
  try {
    const source = new MemorySource();
    for (let i = 0; i < size; i++) source.set(service(i), slice(i));
    const figures: Record<string, unknown> = { backend, services: size, endpoints: size * ENDPOINTS };
    const first = await start(source, backend, prefix);
    figures["firstSyncSeconds"] = round(first.seconds);
    const changes: number[] = [];
    await new Promise((resolve) => setTimeout(resolve, 2 * IDLE_MS)); // The pause after the long first sync.
    for (let n = 0; n < ROUNDS; n++) {
      const i = (n * 7_919) % size;
      changes.push(await timed(first.proxier, () => source.set(service(i), slice(i, ENDPOINTS, 20_000 + n))));
    }
    changes.sort((a, b) => a - b);
    figures["changedEndpointSecondsMedian"] = round(changes[ROUNDS >> 1]!);
    figures["changedEndpointSecondsMax"] = round(changes.at(-1)!);
    figures["newServiceSeconds"] = round(await timed(first.proxier, () => source.set(service(size), slice(size))));
    figures["deletedServiceSeconds"] = round(await timed(first.proxier, () => source.delete(`bench/svc-${size}`)));
    await first.stop();
    const again = await start(source, backend, prefix);
    figures["restartSeconds"] = round(again.seconds);
    await again.stop();
    figures["residentMegabytes"] = Math.round(process.memoryUsage.rss() / 1e6);
    print(figures);
  } finally { execFileSync("ip", ["netns", "del", space]); }
}

const round = (seconds: number): number => Math.round(seconds * 1_000) / 1_000;

interface Watched { proxier: Proxier; seconds: number; stop: () => Promise<void> }
const synced = new WeakMap<Proxier, { next: () => void }>();

async function start(source: MemorySource, backend: "nft" | "legacy", prefix: readonly string[]): Promise<Watched> {
  const hook = { next: (): void => {} }, startMs = systemClock.monotonicMs();
  const proxier = new Proxier({
    iptables: new Iptables({ prefix, backend }), conntrack: new Conntrack(4, prefix), source, clock: systemClock, log: createLogger("bench", "error"),
    localAddresses: () => new Set(), onSynced: () => hook.next(),
  }, {
    family: 4, nodeName: "bench", zone: "", nodeIp: undefined, masqueradeAll: false, masqueradeBit: 14, localTraffic: localTraffic("ClusterCIDR", "10.244.0.0/16"),
    localhostNodePorts: true, nodePortAddresses: "all", randomFully: true, conntrackTcpLiberal: false, omitEndpointComments: false,
  }, { syncPeriodMs: 3_600_000, minSyncPeriodMs: 0 });
  synced.set(proxier, hook);
  const stop = new AbortController(), first = new Promise<void>((resolve) => { hook.next = resolve; }), done = proxier.run(stop.signal);
  await Promise.race([first, done]);
  return { proxier, seconds: (systemClock.monotonicMs() - startMs) / 1_000, stop: async () => { stop.abort(); await done; } };
}

/** Seconds from a change until the kernel has it: `iptables-restore` has ended. */
async function timed(proxier: Proxier, change: () => void): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS)); // Idle, as a node mostly is.
  const done = new Promise<void>((resolve) => { synced.get(proxier)!.next = resolve; }), startMs = systemClock.monotonicMs();
  change();
  await done;
  return (systemClock.monotonicMs() - startMs) / 1_000;
}
