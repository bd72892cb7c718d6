/** The resolver and server with a real upstream on loopback. */
import test, { type ExecutionContext } from "ava";
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { decode, encode, streamDecode, streamEncode, type DecodedPacket, type Packet } from "dns-packet";
import { AnswerCache, ANSWERS_MAX, readTimes } from "../../../lib/dns/answer-cache.ts";
import { ClusterZone } from "../../../lib/dns/cluster-zone.ts";
import { DnsServer } from "../../../lib/dns/dns-server.ts";
import { Forwarder } from "../../../lib/dns/forwarder.ts";
import { parseResolvConf, readUpstreams } from "../../../lib/dns/resolv-conf.ts";
import { RCODE } from "../../../lib/dns/record.ts";
import { Resolver, type Source } from "../../../lib/dns/resolver.ts";
import { type Clock, ManualClock, systemClock } from "../../../lib/util/clock.ts";
import { freePort } from "../../free-port.ts";
import { makeService, makeView } from "./view.ts";

const VIEW = makeView([makeService("web"), makeService("outside", { type: "ExternalName", externalName: "example.com" })]);
const ask = (name: string, id = 9): Buffer => encode({ type: "query", id, flags: 256, questions: [{ type: "A", name }] });

/** An upstream that counts what it is asked; `answer` may keep silent. */
async function upstream(t: ExecutionContext, answer: (packet: DecodedPacket) => Packet | undefined): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [], socket = createSocket("udp4");
  socket.on("message", (message, from) => {
    const packet = decode(message), name = packet.questions![0]!.name;
    asked.push(name);
    const reply = answer(packet);
    if (reply !== undefined) socket.send(encode({ type: "response", id: packet.id!, questions: packet.questions!, ...reply }), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  t.teardown(() => socket.close());
  return { port: socket.address().port, asked };
}

const address = (name: string, ttl = 60): Packet => ({ answers: [{ type: "A", name, ttl, data: "192.0.2.1" }] });
function resolverOf(port: number, { sources = [], timeoutMs = 30_000, clock = systemClock }: { sources?: Source[]; timeoutMs?: number; clock?: Clock } = {}): Resolver {
  const forwarder = new Forwarder(clock, { port, timeoutMs });
  if (port !== 0) forwarder.setUpstreams(["127.0.0.1"]);
  return new Resolver({ zone: new ClusterZone(VIEW, { domain: "cluster.local", address: "10.96.0.10" }), forwarder, clock, onAnswer: (source) => sources.push(source) });
}
const rcodeOf = (bytes: Buffer | undefined): number => bytes!.readUInt16BE(2) & 0xf;
const answersOf = (bytes: Buffer | undefined): unknown[] => decode(bytes!).answers!.map((record) => ("data" in record ? record.data : ""));

test("Resolver asks upstream once for many at the same time, then answers from its cache with each one's id and spelling", async (t) => {
  const { port, asked } = await upstream(t, (p) => address(p.questions![0]!.name)), sources: Source[] = [], resolver = resolverOf(port, { sources });
  const answers = await Promise.all([1, 2, 3].map((id) => resolver.handle(ask("example.com", id), "udp")));
  t.deepEqual(answers.map((bytes) => decode(bytes!).id), [1, 2, 3]);
  const kept = decode((await resolver.handle(ask("EXAMPLE.com", 4), "udp"))!);
  t.deepEqual([kept.id, kept.questions![0]!.name, kept.answers!.length], [4, "EXAMPLE.com", 1]);
  t.is(asked.length, 1);
  t.deepEqual(sources, ["upstream", "upstream", "upstream", "cache"]);
});

test("Resolver never asks upstream for names of the cluster", async (t) => {
  const { port, asked } = await upstream(t, () => undefined), resolver = resolverOf(port);
  t.deepEqual(answersOf(await resolver.handle(ask("web.default.svc.cluster.local"), "udp")), ["10.96.0.20"]);
  for (const name of ["example.com.default.svc.cluster.local", "example.com.svc.cluster.local", "example.com.cluster.local"]) t.is(rcodeOf((await resolver.handle(ask(name), "udp"))), RCODE.nameError);
  t.deepEqual(asked, []);
});

test("Resolver follows an alias out of the cluster, and gives the alias alone when nobody answers", async (t) => {
  const { port } = await upstream(t, (p) => address(p.questions![0]!.name));
  t.deepEqual(answersOf(await resolverOf(port).handle(ask("outside.default.svc.cluster.local"), "udp")), ["example.com", "192.0.2.1"]);
  t.deepEqual(answersOf(await resolverOf(0).handle(ask("outside.default.svc.cluster.local"), "udp")), ["example.com"]);
});

test("Resolver fails at once without upstreams, and fast again after one was silent", async (t) => {
  t.is(rcodeOf((await resolverOf(0).handle(ask("example.com"), "udp"))), RCODE.serverFailure);
  let heard!: () => void;
  const wasAsked = new Promise<void>((resolve) => { heard = resolve; }), clock = new ManualClock();
  const { port, asked } = await upstream(t, () => { heard(); return undefined; }), resolver = resolverOf(port, { timeoutMs: 300, clock });
  const first = resolver.handle(ask("a.example.com"), "udp");
  await wasAsked;
  await clock.advance(300);
  t.is(rcodeOf(await first), RCODE.serverFailure);
  // At once: whoever waited here would wait for ever, since the clock stands still.
  for (const name of ["b", "c", "d"]) t.is(rcodeOf((await resolver.handle(ask(`${name}.example.com`), "udp"))), RCODE.serverFailure);
  t.is(asked.length, 1);
});

test("Resolver refuses an answer with another question or id", async (t) => {
  const { port } = await upstream(t, (p) => ({ ...address("evil.example.com"), questions: [{ type: "A", name: "evil.example.com" }], id: p.id! }));
  t.is(rcodeOf((await resolverOf(port, { timeoutMs: 300 }).handle(ask("good.example.com"), "udp"))), RCODE.serverFailure);
  const wrongId = await upstream(t, (p) => ({ ...address("good.example.com"), id: (p.id! + 1) % 65_536 }));
  t.is(rcodeOf((await resolverOf(wrongId.port, { timeoutMs: 300 }).handle(ask("good.example.com"), "udp"))), RCODE.serverFailure);
});

test("Resolver answers broken questions with an error and scraps with nothing", async (t) => {
  const resolver = resolverOf(0);
  t.is(await resolver.handle(Buffer.from([1, 2, 3]), "udp"), undefined);
  t.is((await resolver.handle(encode({ type: "query", id: 5, questions: [] }), "udp"))!.readUInt16BE(2) & 0xf, 1);
  t.is(rcodeOf((await resolver.handle(encode({ type: "query", id: 5, questions: [{ type: "A", name: "example.com" }] }), "udp"))), RCODE.refused, "recursion was not asked for");
});

test("AnswerCache counts times to live down and lets answers go", async (t) => {
  const clock = new ManualClock(), cache = new AnswerCache(clock), packet: Packet = { type: "response", id: 1, questions: [{ type: "A", name: "example.com" }], ...address("example.com", 20) };
  const bytes = encode(packet), question = bytes.subarray(12, 12 + 17);
  cache.set("k", bytes);
  await clock.advance(5_500);
  const kept = decode(cache.get("k", 77, question)!), record = kept.answers![0]!;
  t.deepEqual([kept.id, "ttl" in record ? record.ttl : 0], [77, 15]);
  await clock.advance(15_000);
  t.is(cache.get("k", 1, question), undefined);
  for (let i = 0; i < ANSWERS_MAX + 10; i++) cache.set(`k${i}`, bytes);
  t.is(cache.size, ANSWERS_MAX);
});

test("readTimes() keeps negative answers as their SOA says, failures a moment, and what is cut short never", (t) => {
  const soa = (minimum: number): Packet => ({ authorities: [{ type: "SOA", name: "example.com", ttl: 900, data: { mname: "a", rname: "b", serial: 1, refresh: 1, retry: 1, expire: 1, minimum } }] });
  const seconds = (packet: Packet, rcode = 0): number | undefined => readTimes(encode({ type: "response", id: 1, flags: rcode, questions: [{ type: "A", name: "x.example.com" }], ...packet }))?.seconds;
  t.is(seconds(soa(7), 3), 7);
  t.is(seconds(soa(900), 3), 10);
  t.is(seconds({}, 3), 0);
  t.is(seconds({}, 2), 1);
  t.is(seconds(address("x.example.com", 5)), 5);
  t.is(seconds(address("x.example.com", 86_400)), 30);
  t.is(seconds(address("x.example.com"), 0x200), undefined);
  t.is(readTimes(Buffer.alloc(5)), undefined);
});

test("readUpstreams() takes what is behind systemd-resolved's stub and never itself", async (t) => {
  const files: Record<string, string> = { "/etc/resolv.conf": "nameserver 127.0.0.53\noptions edns0\n", "/run/systemd/resolve/resolv.conf": "# real ones\nnameserver 192.0.2.53\nnameserver 10.96.0.10\n" };
  const read = async (file: string): Promise<string> => { const text = files[file]; if (text === undefined) throw new Error("no such file"); return text; };
  t.deepEqual(await readUpstreams("/etc/resolv.conf", new Set(["10.96.0.10"]), read), ["192.0.2.53"]);
  t.deepEqual(await readUpstreams("/nowhere", new Set(), read), []);
  files["/etc/resolv.conf"] = "nameserver 192.0.2.1\nnameserver 127.0.0.1\nnameserver 192.0.2.1\nnameserver 192.0.2.2 # second\nnameserver fe80::1%eth0\n";
  t.deepEqual(await readUpstreams("/etc/resolv.conf", new Set(["10.96.0.10"]), read), ["192.0.2.1", "192.0.2.2", "fe80::1"]);
  t.deepEqual(parseResolvConf("nameserver\nsearch x\nnameserver bogus\n"), []);
});

test("DnsServer answers over UDP and over TCP, several questions on one connection", async (t) => {
  // An address of loopback that no other test listens on: a port that is free for UDP may be another's for TCP on 127.0.0.1.
  const own = "127.53.53.53", port = await freePort(own), server = new DnsServer(resolverOf(0), [{ address: own, port }]), stop = new AbortController(), done = server.run(stop.signal);
  await server.listening;
  const udp = createSocket("udp4");
  udp.send(ask("web.default.svc.cluster.local"), port, own);
  const message = await new Promise<Buffer>((resolve) => udp.once("message", resolve));
  udp.close();
  t.deepEqual(answersOf(message), ["10.96.0.20"]);
  const client = connect({ host: own, port }), received: Buffer[] = [];
  const both = Buffer.concat([1, 2].map((id) => streamEncode({ type: "query", id, flags: 256, questions: [{ type: "A", name: "web.default.svc.cluster.local" }] })));
  client.write(both.subarray(0, 5));
  await systemClock.sleep(20);
  client.write(both.subarray(5));
  await new Promise<void>((resolve) => client.on("data", (chunk) => { received.push(Buffer.from(chunk)); if (Buffer.concat(received).length >= 2 * (2 + message.length)) resolve(); }));
  t.is(streamDecode(Buffer.concat(received))!.id, 1);
  stop.abort();
  await done;
  t.pass("closed with an open connection");
  client.destroy();
});
