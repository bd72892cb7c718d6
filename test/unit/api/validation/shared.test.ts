import test from "ava";
import { FieldPath } from "../../../../lib/api/field-path.ts";
import { humanDuration } from "../../../../lib/api/helpers/human-duration.ts";
import { describeDifference, semanticEqual } from "../../../../lib/api/semantic-equal.ts";
import { collect } from "../../../../lib/api/validation/collect.ts";
import { checkCanonicalIp, checkCidr, checkIp } from "../../../../lib/api/validation/ip.ts";
import { isConfigMapKey, isDns1035Label, isDns1123Label, isDns1123Subdomain, isEnvVarName, isLabelKey, isLabelValue, isPathSegmentName, isValidPortName, nameIsDnsLabel } from "../../../../lib/api/validation/names.ts";
import { validateObjectMeta, validateObjectMetaUpdate } from "../../../../lib/api/validation/object-meta.ts";
import type { ObjectMeta } from "../../../../lib/api/schema/generated/models.ts";
import { texts } from "../run-definition.ts";

test("names", (t) => {
  t.deepEqual(isDns1123Label("web-1"), []);
  t.deepEqual(isDns1123Label("a.b"), ["must not contain dots"]);
  t.deepEqual(isDns1123Label("a".repeat(64)), ["must be no more than 63 characters"]);
  t.deepEqual(isDns1123Subdomain("a.b-c.d"), []);
  t.deepEqual(isDns1123Subdomain("a".repeat(254)), ["must be no more than 253 characters"]);
  t.deepEqual(isLabelKey(`${"a".repeat(254)}/b`), ["prefix part must be no more than 253 bytes"]);
  t.is(isDns1123Subdomain("A").length, 1);
  t.is(isDns1035Label("1a").length, 1);
  t.deepEqual(isLabelKey("example.com/name"), []);
  t.deepEqual(isLabelKey("/name"), ["prefix part must be non-empty"]);
  t.deepEqual(isLabelValue(""), []);
  t.is(isLabelValue("-a").length, 1);
  t.deepEqual(isValidPortName("http"), []);
  t.deepEqual(isValidPortName("80"), ["must contain at least one letter (a-z)"]);
  t.deepEqual(isConfigMapKey(".."), ["must not be '..'"]);
  t.deepEqual(isEnvVarName("A B"), []);
  t.is(isEnvVarName("A=B").length, 1);
  t.deepEqual(isPathSegmentName("a/b"), ["may not contain '/'"]);
  t.deepEqual(nameIsDnsLabel("web-", true), []);
});

const meta = (more: object = {}): ObjectMeta => ({ name: "x", namespace: "default", ...more }) as ObjectMeta;
const rules = { namespaced: true, validateName: nameIsDnsLabel };

test("metadata of new objects", (t) => {
  t.deepEqual(validateObjectMeta(meta(), rules), []);
  t.deepEqual(texts(validateObjectMeta({ namespace: "default" } as ObjectMeta, rules)), ["metadata.name: Required value: name or generateName is required"]);
  t.deepEqual(texts(validateObjectMeta(meta(), { ...rules, namespaced: false })), ["metadata.namespace: Forbidden: not allowed on this type"]);
  t.deepEqual(texts(validateObjectMeta(meta({ annotations: { a: "x".repeat(256 * 1024) } }), rules)), ["metadata.annotations: Too long: may not be more than 262144 bytes"]);
  t.deepEqual(texts(validateObjectMeta(meta({ labels: { "a b": "c" } }), rules)).length, 1);
});

test("metadata of changed objects", (t) => {
  const old = meta({ uid: "1", resourceVersion: "5", creationTimestamp: "2026-05-01T11:00:00Z" });
  t.deepEqual(validateObjectMetaUpdate({ ...old }, old), []);
  t.deepEqual(texts(validateObjectMetaUpdate({ ...old, name: "y" }, old)), ['metadata.name: Invalid value: "y": field is immutable']);
  const dying = { ...old, deletionTimestamp: "2026-05-01T11:30:00Z" };
  t.deepEqual(texts(validateObjectMetaUpdate({ ...dying, finalizers: ["a.b/c"] }, dying)), [
    'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a.b/c"}',
  ]);
});

test("addresses are strict, and canonical where the field is new", (t) => {
  const path = FieldPath.of("ip"), wrong = (check: typeof checkIp | typeof checkCanonicalIp | typeof checkCidr, text: string): string[] => texts(collect((errors) => void check(errors, path, text)));
  t.deepEqual(wrong(checkIp, "10.0.0.1"), []);
  t.deepEqual(wrong(checkIp, "10.0.0"), ['ip: Invalid value: "10.0.0": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']);
  t.deepEqual(wrong(checkIp, "10.0.0.01"), ['ip: Invalid value: "10.0.0.01": must not have leading 0s']);
  t.deepEqual(wrong(checkIp, "::ffff:10.0.0.1"), ['ip: Invalid value: "::ffff:10.0.0.1": must not be an IPv4-mapped IPv6 address']);
  t.deepEqual(wrong(checkCanonicalIp, "fd00:0::1"), ['ip: Invalid value: "fd00:0::1": must be in canonical form ("fd00::1")']);
  t.deepEqual(wrong(checkCidr, "10.0.0.1/8"), ['ip: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length']);
});

test("what Go reads alike is equal", (t) => {
  t.true(semanticEqual({ a: [] }, {}));
  t.true(semanticEqual({ requests: { cpu: "1000m" } }, { requests: { cpu: "1" } }));
  t.true(semanticEqual({ hostNetwork: false }, {}));
  t.false(semanticEqual({ storageClassName: "" }, {}));
  t.false(semanticEqual({ a: { b: 1 } }, { a: { b: 2 } }));
  t.regex(describeDifference({ a: { b: 1 } }, { a: { b: 2 } }, "spec"), /spec\.a\.b/);
});

test("durations for people", (t) => {
  const cases: [number, string][] = [[-3, "<invalid>"], [-1, "0s"], [0, "0s"], [119, "119s"], [120, "2m"], [200, "3m20s"], [3600, "60m"], [3 * 3600, "3h"], [5 * 3600 + 120, "5h2m"], [47 * 3600, "47h"], [50 * 3600, "2d2h"], [30 * 86400, "30d"], [800 * 86400, "2y70d"]];
  for (const [seconds, text] of cases) t.is(humanDuration(seconds * 1000), text, String(seconds));
});
