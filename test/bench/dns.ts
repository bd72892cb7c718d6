/**
 * Cluster DNS on loopback with 10,000 Services: questions a second, latencies, and how many of 100,000 took over a second.
 * Server and clients share this process and its core. The search-list row asks what libc asks for `example.com` from a pod: names
 * that are not there, answered here, and the last one from the cache of an upstream.
 */
import { createSocket, type Socket } from "node:dgram";
import { decode, encode } from "dns-packet";
import type { Service } from "../../lib/api/schema/generated/models.ts";
import { ClusterZone } from "../../lib/dns/cluster-zone.ts";
import type { ClusterView } from "../../lib/dns/cluster-view.ts";
import { DnsServer } from "../../lib/dns/dns-server.ts";
import { Forwarder } from "../../lib/dns/forwarder.ts";
import { Resolver } from "../../lib/dns/resolver.ts";
import { systemClock } from "../../lib/util/clock.ts";
import type { Print } from "./run.ts";

const SERVICES = 10_000, QUESTIONS = 100_000, CLIENTS = 64;

export async function run(print: Print): Promise<void> {
  const services = new Map<string, Service>();
  for (let i = 0; i < SERVICES; i++) services.set(`svc-${i}`, { metadata: { name: `svc-${i}`, namespace: "bench" }, spec: { clusterIP: `10.96.${i >> 8}.${i & 255}`, ports: [] } });
  const view: ClusterView = { ready: true, service: (namespace, name) => (namespace === "bench" ? services.get(name) : undefined), hasNamespace: (namespace) => namespace === "bench", slices: () => [], serviceAt: () => undefined, slicesAt: () => [] };
  const upstream = createSocket("udp4"), stop = new AbortController();
  upstream.on("message", (message, from) => { const { id, questions } = decode(message); upstream.send(encode({ type: "response", id: id!, questions: questions!, answers: [{ type: "A", name: questions![0]!.name, ttl: 60, data: "192.0.2.1" }] }), from.port, from.address); });
  await bound(upstream);
  const forwarder = new Forwarder(systemClock, { port: upstream.address().port });
  forwarder.setUpstreams(["127.0.0.1"]);
  const resolver = new Resolver({ zone: new ClusterZone(view, { domain: "cluster.local", address: "10.96.0.10" }), forwarder, clock: systemClock });
  const probe = createSocket("udp4");
  await bound(probe);
  const { port } = probe.address();
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  const server = new DnsServer(resolver, [{ address: "127.0.0.1", port }]), done = server.run(stop.signal);
  await server.listening;
  try {
    print({ questions: "Services", ...await measure(port, (n) => `svc-${(n * 7_919) % SERVICES}.bench.svc.cluster.local`) });
    const search = ["example.com.bench.svc.cluster.local", "example.com.svc.cluster.local", "example.com.cluster.local", "example.com"];
    print({ questions: "search list", ...await measure(port, (n) => search[n % search.length]!) });
  } finally {
    stop.abort();
    await done;
    upstream.close();
  }
}

const bound = (socket: Socket): Promise<void> => new Promise((resolve) => socket.bind(0, "127.0.0.1", resolve));

async function measure(port: number, name: (n: number) => string): Promise<Record<string, number>> {
  const latencies = new Float64Array(QUESTIONS), startMs = systemClock.monotonicMs();
  let next = 0;
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.connect(port, "127.0.0.1", resolve));
    await new Promise<void>((resolve) => {
      let asked = 0, atMs = 0;
      const ask = (): void => {
        if (next >= QUESTIONS) { socket.close(); return resolve(); }
        asked = next++;
        atMs = systemClock.monotonicMs();
        socket.send(encode({ type: "query", id: asked & 0xffff, flags: 256, questions: [{ type: "A", name: name(asked) }] }));
      };
      socket.on("message", () => { latencies[asked] = systemClock.monotonicMs() - atMs; ask(); });
      ask();
    });
  }));
  const seconds = (systemClock.monotonicMs() - startMs) / 1_000;
  latencies.sort();
  const at = (share: number): number => Math.round(latencies[Math.floor((QUESTIONS - 1) * share)]! * 100) / 100;
  return { perSecond: Math.round(QUESTIONS / seconds), p50Milliseconds: at(0.5), p99Milliseconds: at(0.99), maxMilliseconds: at(1), overOneSecond: latencies.filter((ms) => ms > 1_000).length };
}
