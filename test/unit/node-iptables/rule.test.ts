import test from "ava";
import { addressType, connectionState, dnat, formatRule, jumpTarget, mark, masquerade, oneIn, orMark, recentCheck, recentSet, reject, sameRule, xorMark } from "../../../lib/node-iptables/rule.ts";

test("formatRule() writes options in the order iptables-save prints them", (t) => {
  t.is(formatRule({ jump: "X", destinationPort: 80, comment: "ns/svc:p cluster IP", protocol: "tcp", destination: "10.0.0.1/32", source: { not: "10.244.0.0/16" } }),
    '! -s 10.244.0.0/16 -d 10.0.0.1/32 -p tcp -m comment --comment "ns/svc:p cluster IP" -m tcp --dport 80 -j X');
  t.is(formatRule({ in: "cni0", out: { not: "eth+" }, matches: [addressType("dst", "LOCAL"), connectionState("NEW")], jump: "ACCEPT" }),
    "-i cni0 ! -o eth+ -m addrtype --dst-type LOCAL -m conntrack --ctstate NEW -j ACCEPT");
  t.is(formatRule({ protocol: "udp", protocolMatch: true, jump: dnat("[fd00::1]:53") }), "-p udp -m udp -j DNAT --to-destination [fd00::1]:53");
  t.is(formatRule({ comment: "only" }), "-m comment --comment only");
  t.throws(() => formatRule({ destinationPort: 80 }), { message: /needs a protocol/ });
});

test("matches and targets are written in the kernel's own form", (t) => {
  t.is(String(mark(0x4000, 0x4000, true)), "-m mark ! --mark 0x4000/0x4000");
  t.is(String(orMark(0x4000)), "MARK --set-xmark 0x4000/0x4000");
  t.is(String(xorMark(0x4000)), "MARK --set-xmark 0x4000/0x0");
  t.is(String(masquerade(true)), "MASQUERADE --random-fully");
  t.is(String(reject(4)), "REJECT --reject-with icmp-port-unreachable");
  t.is(String(oneIn(3)), "-m statistic --mode random --probability 0.3333333333");
  t.is(String(recentSet("A", 4)), "-m recent --set --name A --mask 255.255.255.255 --rsource");
  t.is(String(recentCheck("A", 60, 6)), "-m recent --rcheck --seconds 60 --reap --name A --mask ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff --rsource");
});

test("sameRule() sees through the kernel's rounding of probabilities, and nothing else", (t) => {
  t.true(sameRule("-m statistic --mode random --probability 0.3333333333 -j A", "-m statistic --mode random --probability 0.33333333349 -j A"));
  t.false(sameRule("-m statistic --mode random --probability 0.5000000000 -j A", "-m statistic --mode random --probability 0.33333333349 -j A"));
  t.false(sameRule("-j A", "-j B"));
});

test("jumpTarget() finds the chain a rule jumps to", (t) => {
  t.is(jumpTarget("-d 10.0.0.1/32 -j KUBE-X"), "KUBE-X");
  t.is(jumpTarget("-j DNAT --to-destination 1.2.3.4"), "DNAT");
  t.is(jumpTarget("-m comment --comment only"), undefined);
});
