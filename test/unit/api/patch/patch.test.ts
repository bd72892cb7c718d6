import test from "ava";
import fc from "fast-check";
import { applyPatch, type PatchType } from "../../../../lib/api/patch/patch.ts";
import { applyMergePatch } from "../../../../lib/api/patch/merge-patch.ts";
import { applyJsonPatch } from "../../../../lib/api/patch/json-patch.ts";
import { encodeObject } from "../../../../lib/api/encode/encode.ts";
import type { FieldValidation } from "../../../../lib/api/decode/decode.ts";

const DEPLOYMENT = { group: "apps", version: "v1", kind: "Deployment" };
const POD = { group: "", version: "v1", kind: "Pod" };
type Any = Record<string, unknown>;

const patchOf = (type: PatchType, live: object, patch: unknown, mode: FieldValidation = "Strict", model = "Pod"): { object: Any; warnings: string[] } =>
  applyPatch({ type, model, live, body: Buffer.from(typeof patch === "string" ? patch : JSON.stringify(patch)), mode, expected: model === "Pod" ? POD : DEPLOYMENT });
const podOf = (spec: object): object => ({ kind: "Pod", apiVersion: "v1", metadata: { name: "web" }, spec });
/** The spec after a patch, without the empty `resources` that Go always writes. */
const specAfter = (type: PatchType, spec: object, patch: object): unknown =>
  JSON.parse(JSON.stringify(patchOf(type, podOf(spec), { spec: patch }).object["spec"]).replaceAll(',"resources":{}', ""));

test("applyPatch() merges strategic lists by their key, patched items first in their own order", (t) => {
  const containers = [{ name: "a", image: "1" }, { name: "b", image: "2" }, { name: "c", image: "3" }];
  t.deepEqual(specAfter("strategic", { containers }, { containers: [{ name: "b", image: "9" }] }), { containers: [containers[0], { name: "b", image: "9" }, containers[2]] });
  t.deepEqual(specAfter("strategic", { containers }, { containers: [{ name: "d", image: "4" }] }), { containers: [{ name: "d", image: "4" }, ...containers] });
  t.deepEqual(specAfter("strategic", { containers }, { containers: [{ name: "b", $patch: "delete" }] }), { containers: [containers[0], containers[2]] });
  t.deepEqual(specAfter("strategic", { containers }, { containers: [{ $patch: "replace" }, { name: "z", image: "0" }] }), { containers: [{ name: "z", image: "0" }] });
  t.deepEqual(specAfter("strategic", { containers: [{ name: "a", env: [{ name: "x", value: "1" }, { name: "y", value: "2" }] }] }, { containers: [{ name: "a", env: [{ name: "x", value: "3" }] }] }),
    { containers: [{ name: "a", env: [{ name: "x", value: "3" }, { name: "y", value: "2" }] }] });
});

test("applyPatch() orders by $setElementOrder and keeps server-only items in place", (t) => {
  const containers = [{ name: "a" }, { name: "injected" }, { name: "b" }];
  t.deepEqual(specAfter("strategic", { containers }, { "$setElementOrder/containers": [{ name: "b" }, { name: "a" }], containers: [{ name: "a", image: "1" }] }),
    { containers: [{ name: "injected" }, { name: "b" }, { name: "a", image: "1" }] });
});

test("applyPatch() merges and deletes plain lists with a merge strategy", (t) => {
  const live = { metadata: { name: "web", finalizers: ["a/1", "b/2", "c/3"] } };
  t.like(patchOf("strategic", live, { metadata: { finalizers: ["d/4"] } }).object, { metadata: { finalizers: ["d/4", "a/1", "b/2", "c/3"] } });
  t.like(patchOf("strategic", live, { metadata: { "$deleteFromPrimitiveList/finalizers": ["b/2"] } }).object, { metadata: { finalizers: ["a/1", "c/3"] } });
  t.like(patchOf("strategic", live, { metadata: { "$deleteFromPrimitiveList/finalizers": ["b/2"], "$setElementOrder/finalizers": ["c/3", "a/1"] } }).object, { metadata: { finalizers: ["c/3", "a/1"] } });
});

test("applyPatch() replaces lists without a merge strategy, deletes by null, and obeys $patch in objects", (t) => {
  t.deepEqual(specAfter("strategic", { containers: [{ name: "a", args: ["1", "2"] }] }, { containers: [{ name: "a", args: ["3"] }] }), { containers: [{ name: "a", args: ["3"] }] });
  t.deepEqual(specAfter("strategic", { nodeName: "n", nodeSelector: { a: "1", b: "2" } }, { nodeName: null, nodeSelector: { a: null, c: "3" } }), { nodeSelector: { b: "2", c: "3" } });
  t.deepEqual(specAfter("strategic", { nodeSelector: { a: "1" } }, { nodeSelector: { $patch: "replace", b: "2" } }), { nodeSelector: { b: "2" } });
  t.deepEqual(specAfter("strategic", { nodeSelector: { a: "1" } }, { nodeSelector: { $patch: "delete" } }), { nodeSelector: {} });
});

test("applyPatch() clears what $retainKeys does not name", (t) => {
  const live = { spec: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } } } };
  t.like(patchOf("strategic", live, { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } }, "Strict", "Deployment").object, { spec: { strategy: { type: "Recreate" } } });
  t.like((patchOf("strategic", live, { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } }, "Strict", "Deployment").object as { spec: { strategy: Any } }).spec.strategy, { rollingUpdate: undefined });
  t.throws(() => patchOf("strategic", live, { spec: { strategy: { $retainKeys: ["type"], rollingUpdate: {} } } }, "Strict", "Deployment"), { message: "invalid patch format of retainKeys" });
  const volumes = [{ name: "v", emptyDir: {} }];
  t.deepEqual(specAfter("strategic", { volumes }, { volumes: [{ name: "v", $retainKeys: ["name", "hostPath"], hostPath: { path: "/x" } }] }), { volumes: [{ name: "v", hostPath: { path: "/x" } }] });
});

test("applyPatch() answers a strategic patch that cannot be as upstream", (t) => {
  const live = podOf({ containers: [{ name: "a" }], nodeSelector: { a: "1" } });
  const cases: [unknown, string, number][] = [
    [{ spec: { containers: [{ image: "1" }] } }, "map: map[image:1] does not contain declared merge key: name", 500],
    [{ spec: { nodeSelector: { $patch: "x" } } }, "unknown patch type: x in map: map[$patch:x]", 500],
    [{ spec: { containers: "x" } }, ' "" is invalid: patch: Invalid value: "map[spec:map[containers:x]]": cannot restore slice from string', 422],
    [{ spec: { hostNetwork: "yes" } }, ' "" is invalid: patch: Invalid value: "map[spec:map[hostNetwork:yes]]": unrecognized type: bool', 422],
    [{ metadata: { labels: { a: 1 } } }, ' "" is invalid: patch: Invalid value: "map[metadata:map[labels:map[a:1]]]": cannot convert int64 to string', 422],
    [{ spec: { foo: 1 } }, ' "" is invalid: patch: Invalid value: "map[spec:map[foo:1]]": strict decoding error: unknown field "spec.foo"', 422],
    ['{"spec":{"nodeName":"a","nodeName":"b"}}', ' "" is invalid: patch: Invalid value: "map[spec:map[nodeName:b]]": strict decoding error: duplicate field "spec.nodeName"', 422],
    ["{", "unexpected end of JSON input", 400],
    ["[]", "json: cannot unmarshal array into Go value of type map[string]interface {}", 400],
  ];
  for (const [patch, message, code] of cases) {
    const error = t.throws(() => patchOf("strategic", live, patch), { name: "StatusError", message }) as unknown as { code: number };
    t.is(error.code, code, message);
  }
  t.deepEqual(patchOf("strategic", live, { spec: { foo: 1 } }, "Warn").warnings, ['unknown field "spec.foo"']);
});

test("applyPatch() applies JSON patches and hides why one does not apply, as upstream", (t) => {
  const live = podOf({ containers: [{ name: "a" }, { name: "b" }] });
  t.like(patchOf("json", live, [{ op: "test", path: "/spec/containers/0/name", value: "a" }, { op: "add", path: "/spec/containers/-", value: { name: "c" } }, { op: "add", path: "/metadata/labels", value: { "x/y": "1" } }, { op: "replace", path: "/metadata/labels/x~1y", value: "2" }, { op: "remove", path: "/spec/containers/0" }]).object,
    { metadata: { name: "web", labels: { "x/y": "2" } }, spec: { containers: [{ name: "b" }, { name: "c" }] } });
  const error = t.throws(() => patchOf("json", live, [{ op: "remove", path: "/spec/nope" }]), { message: "the server rejected our request due to an error in our request" }) as Error & { code: number };
  t.is(error.code, 422);
  t.is((error.cause as Error).message, "error in remove for path: '/spec/nope': Unable to remove nonexistent key: nope: missing value");
  t.throws(() => patchOf("json", live, {}), { message: "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp" });
  t.throws(() => patchOf("json", live, [{ op: "add", path: "/spec/nodeName", value: 1 }]), { message: /^ "" is invalid: patch: Invalid value: ".*": json: cannot unmarshal number into Go struct field PodSpec.spec.nodeName of type string$/s });
  t.throws(() => patchOf("json", live, [{ op: "test", path: "", value: {}, extra: 1 }]), { message: "the server rejected our request due to an error in our request" });
  t.throws(() => patchOf("json", live, [{ op: "add", path: "/spec/nodeName", value: "n", extra: 1 }]), { message: /strict decoding error: json patch unknown field "\[0\].extra"$/ });
  t.throws(() => patchOf("json", live, Array.from({ length: 10_001 }, () => ({ op: "test", path: "/kind", value: "Pod" }))), { message: "Request entity is too large: The allowed maximum operations in a JSON patch is 10000, got 10001" });
});

test("applyJsonPatch() speaks as the library upstream uses", (t) => {
  const cases: [Any, string][] = [
    [{ op: "add", path: "/a/b", value: 1 }, 'add operation does not apply: doc is missing path: "/a/b": missing value'],
    [{ op: "add", path: "/list/9", value: 1 }, "error in add for path: '/list/9': Unable to access invalid index: 9: invalid index referenced"],
    [{ op: "replace", path: "/list/x", value: 1 }, "replace operation does not apply: doc is missing key: /list/x: missing value"],
    [{ op: "test", path: "/x", value: 2 }, "testing value /x failed: test failed"],
    [{ op: "move", path: "/y" }, "move operation failed to decode from: operation, missing from field: missing value"],
    [{ op: "jump" }, "Unexpected kind: jump"],
    [{ op: "add", value: 1 }, "add operation failed to decode path: missing value"],
  ];
  for (const [operation, message] of cases) t.throws(() => applyJsonPatch({ x: 1, list: [1] }, [operation]), { name: "JsonPatchError", message });
  t.deepEqual(applyJsonPatch({ a: { b: 1 }, list: [1, 2, 3] }, [{ op: "move", from: "/a/b", path: "/c" }, { op: "copy", from: "/c", path: "/list/0" }, { op: "remove", path: "/list/-1" }]), { a: {}, c: 1, list: [1, 1, 2] });
  t.deepEqual(applyJsonPatch({}, [{ op: "add", path: "/__proto__", value: { polluted: 1 } }]), JSON.parse('{"__proto__":{"polluted":1}}'));
  t.is(({} as Any)["polluted"], undefined);
});

test("applyMergePatch() follows the examples of RFC 7386", (t) => {
  const cases: [unknown, unknown, unknown][] = [
    [{ a: "b" }, { a: "c" }, { a: "c" }], [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }], [{ a: "b" }, { a: null }, {}], [{ a: "b", b: "c" }, { a: null }, { b: "c" }], [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }], [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }], [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }], [["a", "b"], ["c", "d"], ["c", "d"]], [{ a: "b" }, ["c"], ["c"]],
    [{ a: "foo" }, null, null], [{ a: "foo" }, "bar", "bar"], [{ e: null }, { a: 1 }, { e: null, a: 1 }], [[1, 2], { a: "b", c: null }, { a: "b" }], [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [target, patch, result] of cases) t.deepEqual(applyMergePatch(target, patch), result);
});

test("applyPatch() by merge replaces lists and refuses what is no object", (t) => {
  t.deepEqual(specAfter("merge", { containers: [{ name: "a" }, { name: "b" }] }, { containers: [{ name: "c" }] }), { containers: [{ name: "c" }] });
  t.throws(() => patchOf("merge", podOf({}), "[]"), { message: "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}" });
  t.throws(() => patchOf("merge", podOf({}), "null"), { message: "Invalid JSON Patch" });
});

test("applyPatch() twice with one strategic patch is the same as once, and keeps the live object", (t) => {
  const name = fc.constantFrom("a", "b", "c", "d"), container = fc.record({ name, image: fc.constantFrom("1", "2"), args: fc.array(fc.constantFrom("x", "y"), { maxLength: 2 }) }, { requiredKeys: ["name"] });
  const containers = fc.uniqueArray(container, { selector: (c) => c.name, maxLength: 4 });
  const change = fc.uniqueArray(fc.oneof(container, fc.record({ name, $patch: fc.constant("delete") })), { selector: (c) => c.name, maxLength: 3 });
  fc.assert(fc.property(containers, change, fc.dictionary(name, fc.option(fc.constantFrom("1", "2"))), (before, items, nodeSelector) => {
    const live = podOf({ containers: before, nodeSelector: { a: "0" } }), text = JSON.stringify(live), patch = { spec: { containers: items, nodeSelector } };
    const once = patchOf("strategic", live, patch).object;
    t.is(encodeObject("Pod", patchOf("strategic", once, patch).object), encodeObject("Pod", once));
    t.is(JSON.stringify(live), text);
    const names = ((once["spec"] as Any)["containers"] as { name: string }[]).map((c) => c.name);
    const deleted = items.filter((i) => "$patch" in i).map((i) => i.name);
    t.deepEqual(names.toSorted(), [...new Set([...before, ...items].map((c) => c.name))].filter((n) => !deleted.includes(n)).sort());
  }));
});

test("applyPatch() survives a patch that nests a value into itself", (t) => {
  const grow = Array.from({ length: 9_000 }, () => ({ op: "copy", from: "/data", path: "/data/a" }));
  const live = { data: { a: {} }, revision: 1 }, expected = { group: "apps", version: "v1", kind: "ControllerRevision" };
  t.throws(() => applyPatch({ type: "json", model: "ControllerRevision", live, body: Buffer.from(JSON.stringify(grow)), mode: "Strict", expected }), { name: "StatusError" });
});
