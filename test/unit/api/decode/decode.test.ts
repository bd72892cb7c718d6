import test from "ava";
import fc from "fast-check";
import { decodeObject, decodeValue, type FieldValidation } from "../../../../lib/api/decode/decode.ts";
import { encodeObject } from "../../../../lib/api/encode/encode.ts";
import { ExactWalk } from "../../../../lib/api/decode/exact.ts";
import { parseJson } from "../../../../lib/api/decode/json-parser.ts";
import { modelNames, modelOf, type FieldType, type Model } from "../../../../lib/api/schema/schema.ts";

const POD = { group: "", version: "v1", kind: "Pod" };
const decodePod = (body: string, mode: FieldValidation = "Strict"): { object: Record<string, unknown>; warnings: string[] } => decodeObject("Pod", Buffer.from(body), mode, { expected: POD });
const container = (fields: string): string => `{"spec":{"containers":[{"name":"x",${fields}}]}}`;
const refusal = (why: string): { name: string; message: string; code: number } => ({ name: "StatusError", message: `Pod in version "v1" cannot be handled as a Pod: ${why}`, code: 400 }) as never;

test("decodeObject() orders fields as Go, sorts maps, drops nulls and sets kind", (t) => {
  const { object } = decodePod('{"spec":{"nodeName":null,"containers":[]},"metadata":{"labels":{"b":"1","a":"2"},"name":"web"}}');
  t.is(JSON.stringify(object), '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web","labels":{"a":"2","b":"1"}},"spec":{"containers":[]}}');
});

test("decodeObject() brings quantities, times and base64 into stored form", (t) => {
  t.like(decodePod(container('"resources":{"limits":{"cpu":0.5,"memory":"1024Mi"}}')).object, { spec: { containers: [{ resources: { limits: { cpu: "500m", memory: "1Gi" } } }] } });
  t.like(decodePod('{"metadata":{"creationTimestamp":"2020-02-29T01:00:00.5+02:00"}}').object, { metadata: { creationTimestamp: "2020-02-28T23:00:00Z" } });
  t.deepEqual(decodeObject("Secret", Buffer.from('{"data":{"a":"YQ\\n=="}}'), "Strict").object, { data: { a: "YQ==" } });
});

test("decodeObject() names a wrong type as Go does", (t) => {
  const cases: [string, string][] = [
    ['{"spec":{"containers":"x"}}', "json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container"],
    [container('"ports":[{"containerPort":"80"}]'), "json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32"],
    [container('"ports":[{"containerPort":80.5}]'), "json: cannot unmarshal number 80.5 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32"],
    [container('"ports":[{"containerPort":4294967296}]'), "json: cannot unmarshal number 4294967296 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32"],
    [container('"env":[{"name":"a","value":true}]'), "json: cannot unmarshal bool into Go struct field EnvVar.spec.containers.env.value of type string"],
    ['{"metadata":{"labels":{"a":1}}}', "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string"],
    ['{"metadata":{"labels":[]}}', "json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string"],
    ['{"spec":[]}', "json: cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec"],
    ['{"spec":{"restartPolicy":1}}', "json: cannot unmarshal number into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy"],
    [container('"resources":{"limits":"x"}'), "json: cannot unmarshal string into Go struct field ResourceRequirements.spec.containers.resources.limits of type v1.ResourceList"],
    [container('"resources":{"limits":{"cpu":"1x"}}'), "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
    [container('"resources":{"limits":{"cpu":"1mm"}}'), "unable to parse quantity's suffix"],
    ['{"metadata":{"creationTimestamp":"abc"}}', 'parsing time "abc" as "2006-01-02T15:04:05Z07:00": cannot parse "abc" as "2006"'],
    ['{"metadata":{"creationTimestamp":"2020-02-30T00:00:00Z"}}', 'parsing time "2020-02-30T00:00:00Z": day out of range'],
    ['{"metadata":{"creationTimestamp":1}}', "json: cannot unmarshal number into Go value of type string"],
    [container('"livenessProbe":{"httpGet":{"port":1.5}}'), "json: cannot unmarshal number 1.5 into Go value of type int32"],
  ];
  for (const [body, why] of cases) for (const mode of ["Strict", "Warn", "Ignore"] as const) t.throws(() => decodePod(body, mode), refusal(why), body);
});

test("decodeObject() reports the first wrong type in the order of the text", (t) => {
  t.throws(() => decodePod('{"spec":{"nodeName":1,"containers":"x"}}'), refusal("json: cannot unmarshal number into Go struct field PodSpec.spec.nodeName of type string"));
});

test("decodeObject() treats unknown and repeated fields by mode, and always drops them", (t) => {
  const body = '{"spec":{"foo":1,"containers":[{"name":"x","bar":2}]},"spec":{"nodeName":"n"},"Metadata":{}}';
  const errors = ['unknown field "spec.foo"', 'unknown field "spec.containers[0].bar"', 'duplicate field "spec"', 'unknown field "Metadata"'];
  t.throws(() => decodePod(body), refusal(`strict decoding error: ${errors.join(", ")}`));
  const object = { kind: "Pod", apiVersion: "v1", spec: { containers: [{ name: "x" }], nodeName: "n" } };
  t.deepEqual(decodePod(body, "Warn"), { object, warnings: errors });
  t.deepEqual(decodePod(body, "Ignore"), { object, warnings: [] });
  t.throws(() => decodePod('{"metadata":{"annotations":{"a.b/c":"1","a.b/c":"2"}}}'), refusal('strict decoding error: duplicate field "metadata.annotations.a.b/c"'));
});

test("decodeObject() refuses what is no object of the kind", (t) => {
  const cases: [string, string][] = [
    ["", "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)"],
    ['{"a":}', `the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: invalid character '}' looking for beginning of value ({"a":})`],
    ["nope", "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: invalid character 'o' in literal null (expecting 'u') (6e6f7065)"],
    ["[]", `the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" } (5b5d)`],
    ['{"kind":"Service","apiVersion":"v1"}', 'Service in version "v1" cannot be handled as a Pod: converting (v1.Service) to (core.Pod): unknown conversion'],
    ['{"kind":"Foo","apiVersion":"a/v2"}', 'Foo in version "v2" cannot be handled as a Pod: no kind "Foo" is registered for version "a/v2" in scheme "pkg/api/legacyscheme/scheme.go:30"'],
    ['{"kind":"Pod","apiVersion":"v2"}', "the API version in the data (v2) does not match the expected API version (v1)"],
  ];
  for (const [body, message] of cases) t.throws(() => decodePod(body), { name: "StatusError", message }, body);
});

test("decodeObject() keeps integers exact and __proto__ a plain key", (t) => {
  const { object } = decodeObject("ControllerRevision", Buffer.from('{"data":{"n":9007199254740993,"__proto__":{"x":1}},"revision":1}'), "Strict");
  t.is(JSON.stringify(object), '{"data":{"n":9007199254740993,"__proto__":{"x":1}},"revision":1}');
  const pod = decodePod('{"metadata":{"annotations":{"__proto__":"x","a":"b"}}}').object;
  t.is(JSON.stringify(pod["metadata"]), '{"annotations":{"__proto__":"x","a":"b"}}');
  t.is(({} as Record<string, unknown>)["x"], undefined);
});

test("decodeObject() reads bad UTF-8 as the replacement character", (t) => {
  const body = Buffer.concat([Buffer.from('{"metadata":{"annotations":{"a":"'), Buffer.from([0xff]), Buffer.from('"}}}')]);
  t.like(decodeObject("Pod", body, "Strict").object, { metadata: { annotations: { a: "\ufffd" } } });
});

test("decodeObject() refuses nesting no stack can follow, and what it takes can be written again", (t) => {
  const nested = (depth: number, open: string, close: string): Buffer => Buffer.from(`{"data":${open.repeat(depth)}1${close.repeat(depth)}}`);
  for (const [open, close] of [["[", "]"], ['{"a":', "}"]] as const) {
    for (const depth of [1_000, 9_000, 200_000]) t.throws(() => decodeObject("ControllerRevision", nested(depth, open, close), "Strict"), { name: "StatusError", message: /exceeded max depth/ }, `${depth} ${open}`);
    const { object } = decodeObject("ControllerRevision", nested(999, open, close), "Strict");
    t.deepEqual(decodeValue("ControllerRevision", JSON.parse(encodeObject("ControllerRevision", object)), "Strict").object["data"], object["data"]);
  }
  t.throws(() => decodeObject("Pod", Buffer.from(`a: ${"[".repeat(100_000)}`), "Strict", { mediaType: "yaml" }), { name: "StatusError" });
});

test("decodeObject() reads YAML as upstream's converter", (t) => {
  const body = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, annotations: {a: 'yes'}}\nspec:\n  hostNetwork: yes\n  terminationGracePeriodSeconds: 0o17\n  containers:\n  - &c {name: a, image: b}\n  - {<<: *c, name: d}\n";
  const { object } = decodeObject("Pod", Buffer.from(body), "Strict", { expected: POD, mediaType: "yaml" });
  t.like(object, { metadata: { annotations: { a: "yes" } }, spec: { hostNetwork: true, terminationGracePeriodSeconds: 15, containers: [{ name: "a", image: "b" }, { name: "d", image: "b" }] } });
  const twice = "metadata:\n  name: a\n  name: b\n";
  t.throws(() => decodeObject("Pod", Buffer.from(twice), "Strict", { expected: POD, mediaType: "yaml" }), refusal('strict decoding error: yaml: unmarshal errors:\n  line 3: key "name" already set in map'));
  t.like(decodeObject("Pod", Buffer.from(twice), "Ignore", { mediaType: "yaml" }).object, { metadata: { name: "b" } });
  t.throws(() => decodeObject("Pod", Buffer.from("a: [b"), "Strict", { expected: POD, mediaType: "yaml" }), { message: /must be of type Pod\): yaml: line/ });
});

test("decodeValue() finds what decodeObject() finds", (t) => {
  t.throws(() => decodeValue("Pod", { spec: { containers: [{ name: "x", bar: 1 }] } }, "Strict", { expected: POD }), refusal('strict decoding error: unknown field "spec.containers[0].bar"'));
  t.deepEqual(decodeValue("Pod", { spec: { containers: [{ image: "y", name: "x" }] } }, "Strict").object, { spec: { containers: [{ name: "x", image: "y" }] } });
});

const scalars: Record<string, fc.Arbitrary<unknown>> = {
  string: fc.string(), boolean: fc.boolean(), int32: fc.integer(), int64: fc.maxSafeInteger(), double: fc.integer(), bytes: fc.uint8Array({ maxLength: 5 }).map((b) => Buffer.from(b).toString("base64")),
  Time: fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }).map((d) => d.toISOString()), MicroTime: fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }).map((d) => d.toISOString().replace("Z", "123Z")),
  Quantity: fc.constantFrom("1", "100m", "0.5", "1024Mi", "1e3", 5), IntOrString: fc.oneof(fc.integer(), fc.string()), RawExtension: fc.jsonValue({ maxDepth: 2 }), FieldsV1: fc.constant({}), JSON: fc.jsonValue({ maxDepth: 1 }),
  Empty: fc.constant({}), JSONSchemaPropsOrBool: fc.boolean(), JSONSchemaPropsOrArray: fc.constant([]), JSONSchemaPropsOrStringArray: fc.constant(["a"]),
};
const valueOf = (type: FieldType, depth: number): fc.Arbitrary<unknown> => {
  if (type.kind === "model") return depth > 4 ? fc.constant({}) : objectOf(modelOf(type.model), depth + 1);
  if (type.kind === "list") return fc.array(valueOf(type.item, depth), { maxLength: 2 });
  if (type.kind === "map") return fc.dictionary(fc.string(), valueOf(type.value, depth), { maxKeys: 2 });
  return scalars[type.scalar]!;
};
const objectOf = (model: Model, depth: number): fc.Arbitrary<unknown> => fc.shuffledSubarray([...model.fields], { maxLength: Math.min(4, model.fields.length) }).chain((fields) =>
  fc.tuple(...fields.map((field) => fc.option(valueOf(field.type, depth), { freq: 5 }))).map((values) => Object.fromEntries(fields.map((field, i) => [field.name, values[i]]))));

test("decodeObject() gives the same by the quick and by the exact way, for any object of any model", (t) => {
  fc.assert(fc.property(fc.constantFrom(...modelNames()).chain((name) => fc.tuple(fc.constant(name), objectOf(modelOf(name), 0))), ([name, object]) => {
    const text = JSON.stringify(object), bytes = Buffer.from(text);
    let exact: unknown;
    try { exact = ExactWalk.decode(modelOf(name), parseJson(bytes)).object; } catch { return; }
    t.deepEqual(decodeObject(name, bytes, "Strict").object as unknown, exact, `${name} ${text}`);
  }), { numRuns: 500 });
});

test("parseJson() and JSON.parse() agree on what is JSON", (t) => {
  const text = fc.oneof(fc.json(), fc.array(fc.constantFrom("{", "}", "[", "]", ",", ":", '"a"', "1", "-", "0", ".", "e", "true", "nul", " ", '"\\u12"', '"\\x"', '"')).map((parts) => parts.join("")));
  fc.assert(fc.property(text, (one) => {
    let ours = true, theirs = true;
    try { parseJson(Buffer.from(one)); } catch { ours = false; }
    try { JSON.parse(one); } catch { theirs = false; }
    t.is(ours, theirs, one);
  }));
});
