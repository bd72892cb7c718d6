import test from "ava";
import fc from "fast-check";
import { isIP, SocketAddress } from "node:net";
import { cidrContains, formatCidr, formatIp, maskIp, parseCidr, parseIp } from "../../../lib/util/ip.ts";

test("formatIp() writes what parseIp() read in its shortest form", (t) => {
  for (const text of ["0.0.0.0", "255.1.2.3", "::", "fd00::1", "1:0:0:2::3", "2001:db8::1:0:0:1"]) t.is(formatIp(parseIp(text)!), text);
  t.is(formatIp(parseIp("FD00:0:0:0:0:0:0:01")!), "fd00::1");
});

test("parseIp() and formatIp() agree with node on any address", (t) => {
  fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
    const ip = parseIp(text)!, family = isIP(text) === 4 ? "ipv4" : "ipv6", nodes = new SocketAddress({ address: text, family }).address;
    // Where only the last 32 bits are set, C's libraries write them as IPv4, and Go does not.
    if (family === "ipv4" || !nodes.includes(".")) t.is(formatIp(ip), nodes);
  }));
});

test("parseIp() takes nothing that is no address, and tells leading zeroes and mapped addresses", (t) => {
  for (const text of ["", "1.2.3", "1.2.3.256", "1.2.3.4.5", "::1::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "g::", "1.2.3.4/8", " 1.2.3.4"]) t.is(parseIp(text), undefined, text);
  t.true(parseIp("010.0.0.1")!.leadingZeros);
  t.like(parseIp("::ffff:10.0.0.1"), { family: 4, mapped: true, value: 0x0a000001n });
});

test("parseCidr(), maskIp() and cidrContains() count bits from the left", (t) => {
  const cidr = parseCidr("10.89.7.9/20")!;
  t.is(formatCidr(cidr), "10.89.0.0/20");
  t.is(formatIp(maskIp(parseIp("fd00:1:2:3:ffff::1")!, 64)), "fd00:1:2:3::");
  t.true(cidrContains(cidr, parseIp("10.89.15.255")!));
  t.false(cidrContains(cidr, parseIp("10.89.16.0")!));
  t.false(cidrContains(parseCidr("::/0")!, parseIp("10.0.0.1")!), "families are apart");
  for (const text of ["10.0.0.0", "10.0.0.0/33", "fd00::/129", "10.0.0.0/", "10.0.0.0/-1"]) t.is(parseCidr(text), undefined, text);
});
