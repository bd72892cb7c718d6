/** Our bytes against an independent reader and writer: the package dns-packet. */
import test from "ava";
import { decode, encode, type DecodedPacket, type Packet } from "dns-packet";
import fc from "fast-check";
import { UDP_BYTES_MAX, encodeAnswer, parseQuery, sizeLimit, truncate, type Query } from "../../../lib/dns/message.ts";
import type { ResourceRecord } from "../../../lib/dns/record.ts";

const RECURSION_DESIRED = 256;
function query(name: string, packet: Partial<Packet> = {}): Query {
  const parsed = parseQuery(encode({ type: "query", id: 7, flags: RECURSION_DESIRED, questions: [{ type: "A", name }], ...packet }));
  if (parsed.kind !== "query") throw new Error(parsed.kind);
  return parsed.query;
}
const withEdns = (bytes: number): Partial<Packet> => ({ additionals: [{ type: "OPT", name: ".", udpPayloadSize: bytes, flags: 0, options: [], extendedRcode: 0, ednsVersion: 0, flag_do: false }] });
const read = (bytes: Buffer): DecodedPacket => decode(bytes);

test("parseQuery() reads a question in lower case and what the client can take", (t) => {
  const plain = query("Web.Default.svc.Cluster.Local");
  t.like(plain, { id: 7, name: "web.default.svc.cluster.local", type: 1, class: 1, recursionDesired: true, edns: undefined });
  t.is(sizeLimit(plain, "udp"), 512);
  t.is(sizeLimit(query("a", withEdns(4_096)), "udp"), UDP_BYTES_MAX);
  t.is(sizeLimit(query("a", withEdns(100)), "udp"), 512);
  t.is(sizeLimit(plain, "tcp"), 65_535);
});

test("parseQuery() ignores answers and scraps, and names what is wrong with the rest", (t) => {
  t.is(parseQuery(Buffer.from("short")).kind, "ignore");
  t.is(parseQuery(encode({ type: "response", id: 1, questions: [{ type: "A", name: "a" }] })).kind, "ignore");
  t.deepEqual(parseQuery(encode({ type: "query", id: 1, questions: [] })), { kind: "error", rcode: 1 });
  t.deepEqual(parseQuery(Buffer.concat([Buffer.from([0, 1, 0x28, 0, 0, 1, 0, 0, 0, 0, 0, 0])])), { kind: "error", rcode: 4 });
});

test("parseQuery() never throws, whatever the bytes", (t) => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => { t.truthy(parseQuery(Buffer.from(bytes)).kind); }), { numRuns: 2_000 });
});

test("encodeAnswer() writes every kind of record so that another reader finds the same", (t) => {
  const name = "web.default.svc.cluster.local", ttl = 5;
  const answers: ResourceRecord[] = [
    { name, ttl, type: "A", address: "10.96.0.20" }, { name, ttl, type: "AAAA", address: "fd00::20" }, { name, ttl, type: "CNAME", target: "x.example.com" }, { name, ttl, type: "PTR", target: name },
    { name: `_http._tcp.${name}`, ttl, type: "SRV", priority: 0, weight: 50, port: 8080, target: `db-0.${name}` }, { name: "dns-version.cluster.local", ttl, type: "TXT", text: "1.1.0" },
  ];
  const soa: ResourceRecord = { name: "cluster.local", ttl, type: "SOA", mname: "ns.dns.cluster.local", rname: "hostmaster.cluster.local", serial: 1, refresh: 7_200, retry: 1_800, expire: 86_400, minimum: 5 };
  const packet = read(encodeAnswer(query(name, withEdns(4_096)), { rcode: 0, authoritative: true, answers, authorities: [soa] }, 65_535));
  t.is(packet.id, 7);
  t.is(packet.questions?.[0]?.name, name);
  t.deepEqual(packet.answers?.map((record) => [record.name, record.type, "data" in record ? record.data : undefined]), [
    [name, "A", "10.96.0.20"], [name, "AAAA", "fd00::20"], [name, "CNAME", "x.example.com"], [name, "PTR", name],
    [`_http._tcp.${name}`, "SRV", { priority: 0, weight: 50, port: 8080, target: `db-0.${name}` }], ["dns-version.cluster.local", "TXT", [Buffer.from("1.1.0")]],
  ]);
  t.like(packet.authorities?.[0], { name: "cluster.local", type: "SOA" });
  t.is(packet.additionals?.at(-1)?.type, "OPT");
});

test("encodeAnswer() gives the question back as it was written", (t) => {
  const asked = query("wEb.DEFAULT.svc.cluster.local"), bytes = encodeAnswer(asked, { rcode: 3, authoritative: true, answers: [] }, 512);
  t.true(bytes.includes(asked.question));
  t.is(bytes.readUInt16BE(2) & 0xf, 3);
});

test("encodeAnswer() fits fifty addresses in a datagram and cuts what does not fit to as many as do", (t) => {
  const name = "db.default.svc.cluster.local", addresses = (n: number): ResourceRecord[] => Array.from({ length: n }, (_, i) => ({ name, ttl: 5, type: "A", address: `10.244.1.${i}` }));
  const edns = query(name, withEdns(1_232)), fifty = encodeAnswer(edns, { rcode: 0, authoritative: true, answers: addresses(50) }, sizeLimit(edns, "udp"));
  t.is(read(fifty).answers?.length, 50);
  const plain = query(name), cut = encodeAnswer(plain, { rcode: 0, authoritative: true, answers: addresses(50) }, sizeLimit(plain, "udp"));
  t.true(cut.length <= 512 && cut.length > 512 - 16, `${cut.length} bytes`); // One more address would not fit.
  t.deepEqual([read(cut).flag_tc, read(cut).answers?.length, read(cut).questions?.length], [true, 29, 1]);
  t.is(read(encodeAnswer(plain, { rcode: 0, authoritative: true, answers: addresses(200) }, 65_535)).answers?.length, 200);
});

test("encodeAnswer() compresses names so that any of them is read back", (t) => {
  const label = fc.constantFrom("a", "bb", "ccc", "web", "svc", "cluster"), name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join("."));
  fc.assert(fc.property(name, fc.array(fc.tuple(name, name), { maxLength: 12 }), (asked, pairs) => {
    const answers: ResourceRecord[] = pairs.map(([owner, target]) => ({ name: owner, ttl: 1, type: "CNAME", target }));
    t.deepEqual(read(encodeAnswer(query(asked), { rcode: 0, authoritative: false, answers }, 65_535)).answers?.map((r) => [r.name, "data" in r ? r.data : ""]), pairs);
  }));
});

test("truncate() leaves the question and the bit", (t) => {
  const asked = query("example.com"), answer = encode({ type: "response", id: 7, questions: [{ type: "A", name: "example.com" }], answers: [{ type: "A", name: "example.com", data: "1.2.3.4" }] });
  const cut = read(truncate(answer, asked));
  t.deepEqual([cut.flag_tc, cut.answers?.length, cut.questions?.[0]?.name], [true, 0, "example.com"]);
});
