import test from "ava";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { FACTS_SCRIPT, parseFacts } from "../../../../lib/install/remote/host-facts.ts";

test("FACTS_SCRIPT is plain POSIX shell that tells what this machine is, and parseFacts() reads it", (t) => {
  const askedMs = Date.now(), output = execFileSync("sh", ["-s"], { input: FACTS_SCRIPT, encoding: "utf8" }), facts = parseFacts(output, askedMs, Date.now());
  t.is(facts.hostname, hostname());
  t.is(facts.architecture, process.arch as "x64");
  t.is(facts.machineId, readFileSync("/etc/machine-id", "utf8").trim());
  t.is(facts.clockOffsetMs, 0);
  t.true(facts.freeMib > 0);
  t.is(facts.root, process.getuid!() === 0);
});

test("FACTS_SCRIPT writes nothing, and nothing from outside goes into it", (t) => {
  t.notRegex(FACTS_SCRIPT, />(?!\/dev\/null|&1)|\b(rm|mv|cp|mkdir|touch|tee|install|apt-get install|dpkg|systemctl (re)?start)\b(?!=)/);
});

const told = (more: string): string => `time=1000000\nmachine=aarch64\nhostname=n1\nuid=0\n${more}`;
test("parseFacts() reads units, the node, and what the master tells of its cluster", (t) => {
  const report = { version: 1, pin: "sha256:0", members: {}, nodes: [] };
  const facts = parseFacts(told(`unit=kubelet stale\nunit=kube-proxy current\nunit=containerd stopped\nunit=odd what\nnodeName=n1\nmaster=yes\ncluster=${JSON.stringify(report)}\naddress=10.0.0.1\naddress=10.0.2.15\nfree=2097152\n`), 1_000_000, 1_000_100);
  t.deepEqual(facts.units, { kubelet: "stale", "kube-proxy": "current", containerd: "stopped" });
  t.deepEqual([facts.architecture, facts.nodeName, facts.isMaster, facts.addresses, facts.freeMib], ["arm64", "n1", true, ["10.0.0.1", "10.0.2.15"], 2_048]);
  t.deepEqual(facts.cluster as unknown, report);
});

test("parseFacts() counts as clock offset only what lies outside the time it took to ask", (t) => {
  t.is(parseFacts(told(""), 900_000, 1_100_000).clockOffsetMs, 0);
  t.is(parseFacts(told(""), 1_060_000, 1_061_000).clockOffsetMs, -60_000);
  t.is(parseFacts(told(""), 900_000, 940_000).clockOffsetMs, 60_000);
});

test("parseFacts() takes an answer it cannot read for none, and refuses what is no host's", (t) => {
  t.is(parseFacts(told("master=yes\ncluster={broken\n"), 0, 0).cluster, undefined);
  t.is(parseFacts(told('cluster={"version":2}\n'), 0, 0).cluster, undefined);
  t.throws(() => parseFacts("Welcome!\n", 0, 0), { message: /no POSIX system/ });
});
