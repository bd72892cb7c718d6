import test from "ava";
import { ClusterZone } from "../../../lib/dns/cluster-zone.ts";
import { RCODE, TYPE, type ResourceRecord } from "../../../lib/dns/record.ts";
import { makeService, makeSlice, makeView } from "./view.ts";

const VIEW = makeView([
  makeService("web"),
  makeService("dual", { clusterIP: "10.96.0.21", clusterIPs: ["10.96.0.21", "fd00::21"] }),
  makeService("db", { clusterIP: "None" }),
  makeService("empty", { clusterIP: "None" }),
  makeService("outside", { type: "ExternalName", externalName: "Example.COM." }),
], [makeSlice("db", [{ ip: "10.244.1.1", hostname: "db-0" }, { ip: "10.244.1.2" }, { ip: "10.244.1.3", ready: false }]), makeSlice("web", [{ ip: "10.244.1.9" }])]);
const zone = new ClusterZone(VIEW, { domain: "cluster.local", address: "10.96.0.10" });

const short = (record: ResourceRecord): string => `${record.type} ${"address" in record ? record.address : "port" in record ? `${record.weight} ${record.port} ${record.target}` : "target" in record ? record.target : "text" in record ? record.text : ""}`.trim();
/** `A 10.96.0.20`, sorted; "none" for an empty answer, "no such name", "elsewhere". */
function ask(name: string, type: keyof typeof TYPE = "A", in_ = zone): string {
  const result = in_.resolve({ name, type: TYPE[type] });
  if (result.kind === "elsewhere") return "elsewhere";
  if (result.kind === "alias") return `CNAME ${result.target}`;
  if (result.answer.rcode !== RCODE.noError) return result.answer.rcode === RCODE.nameError ? "no such name" : `failed ${result.answer.rcode}`;
  return result.answer.answers.length === 0 ? "none" : result.answer.answers.map(short).sort().join(", ");
}

test("ClusterZone answers a Service with its cluster IPs", (t) => {
  t.is(ask("web.default.svc.cluster.local"), "A 10.96.0.20");
  t.is(ask("web.default.svc.cluster.local", "AAAA"), "none");
  t.is(ask("dual.default.svc.cluster.local", "AAAA"), "AAAA fd00::21");
  t.is(ask("dual.default.svc.cluster.local", "ANY"), "A 10.96.0.21, AAAA fd00::21");
});

test("ClusterZone answers a headless Service with its ready endpoints, and each by its own name", (t) => {
  t.is(ask("db.default.svc.cluster.local"), "A 10.244.1.1, A 10.244.1.2");
  t.is(ask("db-0.db.default.svc.cluster.local"), "A 10.244.1.1");
  t.is(ask("10-244-1-2.db.default.svc.cluster.local"), "A 10.244.1.2");
  t.is(ask("db-0.db.default.svc.cluster.local", "AAAA"), "none");
  t.is(ask("db-9.db.default.svc.cluster.local"), "no such name");
  t.is(ask("10-244-1-9.web.default.svc.cluster.local"), "no such name", "endpoints of other Services have no names");
  t.is(ask("empty.default.svc.cluster.local"), "none");
});

test("ClusterZone answers SRV for named ports, with the addresses along", (t) => {
  t.is(ask("_http._tcp.web.default.svc.cluster.local", "SRV"), "SRV 100 80 web.default.svc.cluster.local");
  t.is(ask("_http._tcp.db.default.svc.cluster.local", "SRV"), "SRV 50 8080 10-244-1-2.db.default.svc.cluster.local, SRV 50 8080 db-0.db.default.svc.cluster.local");
  t.is(ask("_http._udp.web.default.svc.cluster.local", "SRV"), "no such name");
  t.is(ask("_http._tcp.web.default.svc.cluster.local"), "none", "the name exists, but not with an address");
  const result = zone.resolve({ name: "_http._tcp.db.default.svc.cluster.local", type: TYPE.SRV });
  t.deepEqual(result.kind === "answer" ? result.answer.additionals?.map((r) => `${r.name} ${short(r)}`) : [], ["db-0.db.default.svc.cluster.local A 10.244.1.1", "10-244-1-2.db.default.svc.cluster.local A 10.244.1.2"]);
});

test("ClusterZone answers ExternalName with an alias", (t) => {
  t.is(ask("outside.default.svc.cluster.local"), "CNAME example.com");
  t.is(ask("a.outside.default.svc.cluster.local"), "no such name");
});

test("ClusterZone answers a pod's name with the address it says", (t) => {
  t.is(ask("10-244-1-7.default.pod.cluster.local"), "A 10.244.1.7");
  t.is(ask("fd00--7.default.pod.cluster.local", "AAAA"), "AAAA fd00::7");
  t.is(ask("300-1-1-1.default.pod.cluster.local"), "no such name");
  t.is(ask("a.10-244-1-7.default.pod.cluster.local"), "no such name");
});

test("ClusterZone answers the zone's own names", (t) => {
  t.is(ask("dns-version.cluster.local", "TXT"), "TXT 1.1.0");
  t.is(ask("cluster.local", "SOA"), "SOA");
  t.is(ask("cluster.local", "NS"), "NS ns.dns.cluster.local");
  t.is(ask("ns.dns.cluster.local"), "A 10.96.0.10");
});

test("ClusterZone tells an empty answer from a name that is not there, both with the SOA", (t) => {
  for (const name of ["cluster.local", "svc.cluster.local", "default.svc.cluster.local", "pod.cluster.local", "default.pod.cluster.local"]) t.is(ask(name), "none", name);
  for (const name of ["x.cluster.local", "nowhere.svc.cluster.local", "x.default.svc.cluster.local", "web.nowhere.svc.cluster.local", "a.b.c.web.default.svc.cluster.local"]) t.is(ask(name), "no such name", name);
  for (const name of ["default.svc.cluster.local", "x.cluster.local"]) {
    const result = zone.resolve({ name, type: TYPE.A });
    t.is(result.kind === "answer" ? result.answer.authorities?.[0]?.type : "", "SOA");
  }
});

test("ClusterZone answers reverse names of cluster IPs and headless endpoints, and leaves others", (t) => {
  t.is(ask("20.0.96.10.in-addr.arpa", "PTR"), "PTR web.default.svc.cluster.local");
  t.is(ask("1.1.244.10.in-addr.arpa", "PTR"), "PTR db-0.db.default.svc.cluster.local");
  t.is(ask(`1.2.${"0.".repeat(28)}d.f.ip6.arpa`, "PTR"), "PTR dual.default.svc.cluster.local");
  t.is(ask("9.1.244.10.in-addr.arpa", "PTR"), "elsewhere");
  t.is(ask("244.10.in-addr.arpa", "PTR"), "elsewhere");
});

test("ClusterZone leaves other domains alone, also those that only end alike", (t) => {
  t.is(ask("example.com"), "elsewhere");
  t.is(ask("mycluster.local"), "elsewhere");
  t.is(ask(""), "elsewhere");
});

test("ClusterZone says that it failed, not that there is no such name, before it knows the cluster", (t) => {
  const early = new ClusterZone(makeView([], [], false), { domain: "cluster.local", address: "10.96.0.10" });
  t.is(ask("web.default.svc.cluster.local", "A", early), "failed 2");
  t.is(ask("20.0.96.10.in-addr.arpa", "PTR", early), "elsewhere");
});

test("ClusterZone lets the endpoints of a headless Service take turns at being first", (t) => {
  const first = new Set(Array.from({ length: 4 }, () => { const r = zone.resolve({ name: "db.default.svc.cluster.local", type: TYPE.A }); return r.kind === "answer" ? short(r.answer.answers[0]!) : ""; }));
  t.is(first.size, 2);
});
