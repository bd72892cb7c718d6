import test from "ava";
import { decodeContinue, encodeContinue } from "../../../../lib/apiserver/rest/continue-token.ts";

const PREFIX = "/registry/pods/";

test("encodeContinue() is upstream's form and decodes again", (t) => {
  const token = encodeContinue(42, "/registry/pods/ns/p\0", PREFIX);
  t.deepEqual(JSON.parse(Buffer.from(token, "base64url").toString()), { v: "meta.k8s.io/v1", rv: 42, start: "ns/p\0" });
  t.deepEqual(decodeContinue(token, PREFIX), { revision: 42, startKey: "/registry/pods/ns/p\0" });
});

test("decodeContinue() refuses what is none, or leads elsewhere", (t) => {
  const make = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  for (const text of ["!!!", make(null), make({ v: "meta.k8s.io/v2", rv: 1, start: "a" }), make({ v: "meta.k8s.io/v1", rv: 0, start: "a" }), make({ v: "meta.k8s.io/v1", rv: "1", start: "a" }), make({ v: "meta.k8s.io/v1", rv: 1 }), make({ v: "meta.k8s.io/v1", rv: 1, start: "../secrets/x" })]) {
    t.throws(() => decodeContinue(text, PREFIX), { message: /^continue key is not valid/ }, text);
  }
});
