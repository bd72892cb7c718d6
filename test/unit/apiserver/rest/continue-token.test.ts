import test from "ava";
import { decodeContinue, encodeContinue } from "../../../../lib/apiserver/rest/continue-token.ts";

const PREFIX = "/registry/pods/";

test("encodeContinue() is upstream's form and decodes again", (t) => {
  const token = encodeContinue(42, "/registry/pods/ns/p\0", PREFIX);
  t.deepEqual(JSON.parse(Buffer.from(token, "base64url").toString()), { v: "meta.k8s.io/v1", rv: 42, start: "ns/p\0" });
  t.deepEqual(decodeContinue(token, PREFIX), { revision: 42, startKey: "/registry/pods/ns/p\0" });
});

test("decodeContinue() refuses what is none, or leads elsewhere, as upstream does", (t) => {
  const make = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url"), v = "meta.k8s.io/v1";
  for (const [text, why] of [
    ["!!!", ": illegal base64 data at input byte 0"], ["abcde", ": illegal base64 data at input byte 4"], ["nonsense", ": invalid character '\\u009e' looking for beginning of value"],
    [make([]), ": json: cannot unmarshal array into Go value of type storage.continueToken"], [make(null), ": server does not recognize this encoded version "],
    [make({ v: "meta.k8s.io/v2", rv: 1, start: "a" }), ": server does not recognize this encoded version meta.k8s.io/v2"],
    [make({ v, rv: 0, start: "a" }), ": incorrect encoded start resourceVersion (version meta.k8s.io/v1)"],
    [make({ v, rv: "1", start: "a" }), ": json: cannot unmarshal string into Go struct field continueToken.rv of type int64"],
    [make({ v, rv: 1 }), ": encoded start key empty (version meta.k8s.io/v1)"], [make({ v, rv: 1, start: "../secrets/x" }), ": ../secrets/x"], [make({ v, rv: 1, start: "a//b" }), ": a//b"],
  ] as const) t.throws(() => decodeContinue(text, PREFIX), { message: `invalid continue token: continue key is not valid${why}` }, text);
});
