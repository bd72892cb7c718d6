import test from "ava";
import { CidrSet, readRange } from "../../../../lib/controllers/nodeipam/plan-cidr.ts";
import { formatCidr } from "../../../../lib/util/ip.ts";

const set = (cidr: string, bits: number): CidrSet => new CidrSet(readRange(cidr), bits);

test("readRange() and formatCidr() agree, host bits dropped, in the short form of IPv6", (t) => {
  for (const [text, shown] of [["10.244.0.0/16", "10.244.0.0/16"], ["10.244.7.9/24", "10.244.7.0/24"], ["0.0.0.0/0", "0.0.0.0/0"], ["fd00:10:244::/56", "fd00:10:244::/56"], ["2001:db8:0:0:1:0:0:1/128", "2001:db8::1:0:0:1/128"], ["::/0", "::/0"]] as const) t.is(formatCidr(readRange(text)), shown);
  for (const bad of ["10.244.0.0", "10.244.0/16", "300.0.0.0/8", "10.0.0.0/33", "fd00::1::/64", "fd00:/64", "x/8"]) t.throws(() => readRange(bad), { instanceOf: RangeError }, bad);
});

test("CidrSet.take() hands pieces out in turn and none twice", (t) => {
  const pieces = set("10.244.0.0/22", 24), taken = [pieces.take(), pieces.take(), pieces.take(), pieces.take(), pieces.take()];
  t.deepEqual(taken, ["10.244.0.0/24", "10.244.1.0/24", "10.244.2.0/24", "10.244.3.0/24", undefined]);
  pieces.release("10.244.1.0/24");
  t.is(pieces.take(), "10.244.1.0/24");
});

test("CidrSet.occupy() keeps away from what straddles several pieces or covers the whole", (t) => {
  const pieces = set("10.244.0.0/16", 24);
  t.true(pieces.occupy("10.244.0.0/23"));
  t.is(pieces.take(), "10.244.2.0/24");
  t.true(pieces.occupy("10.0.0.0/8"));
  t.is(pieces.take(), undefined);
  t.false(pieces.occupy("192.168.0.0/24"));
});

test("CidrSet.takeAgain() gives a former piece back only while it is free", (t) => {
  const pieces = set("10.244.0.0/16", 24), former = pieces.take()!;
  t.is(pieces.takeAgain(former), undefined);
  pieces.release(former);
  t.is(pieces.takeAgain(former), former);
  t.is(pieces.takeAgain(former), undefined);
  t.is(pieces.takeAgain(undefined), undefined);
  t.is(pieces.takeAgain("192.168.0.0/24"), undefined);
});

test("CidrSet cuts IPv6 and refuses a piece larger than the whole", (t) => {
  const pieces = set("fd00:10:244::/48", 64);
  t.deepEqual([pieces.take(), pieces.take()], ["fd00:10:244::/64", "fd00:10:244:1::/64"]);
  t.throws(() => set("10.0.0.0/24", 16), { instanceOf: RangeError, message: /mask size/ });
});
