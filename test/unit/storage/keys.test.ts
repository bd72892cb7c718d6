import test from "ava";
import fc from "fast-check";
import { compareKeys, prefixEnd } from "../../../lib/storage/keys.ts";

test("compareKeys() orders as the keys' UTF-8 bytes do", (t) => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => Math.sign(compareKeys(a, b)) === Buffer.compare(Buffer.from(a), Buffer.from(b))));
  t.pass();
});

test("prefixEnd() lies after every key with the prefix and before the next prefix", (t) => {
  t.true(compareKeys("/p/\u{10FFFE}zzz", prefixEnd("/p/")) < 0);
  t.true(compareKeys(prefixEnd("/p/"), "/p0") < 0);
});
