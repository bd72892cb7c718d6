import test from "ava";
import { definitionOf } from "../../../../lib/api/resources.ts";
import { configmaps, pods, roles } from "../../../../lib/api/schema/generated/references.ts";
import { Codec } from "../../../../lib/apiserver/registry/codec.ts";
import type { KubeObject } from "../../../../lib/api/resource-definition.ts";

const codec = new Codec(definitionOf(configmaps));
const object = (): KubeObject => ({ apiVersion: "v1", kind: "ConfigMap", data: { k: "ä" }, metadata: { creationTimestamp: "2026-01-01T00:00:00Z", labels: { b: "2", a: "1" }, namespace: "ns", name: "n", uid: "u-1", resourceVersion: "77" } } as unknown as KubeObject);

test("Codec.encode() writes one canonical order without a resourceVersion", (t) => {
  const { value } = codec.encode(object());
  t.is(value.toString(), '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"n","namespace":"ns","uid":"u-1","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"a":"1","b":"2"}},"data":{"k":"ä"}}');
});

test("Entry.toBuffer() puts the resourceVersion behind the uid, and its size is known beforehand", (t) => {
  for (const revision of [1, 9, 10, 99_999, 100_000]) {
    const entry = codec.entry("/k", codec.encode(object()), revision, object()), bytes = entry.toBuffer();
    t.is(bytes.length, entry.sizeBytes());
    t.true(bytes.toString().includes(`"uid":"u-1","resourceVersion":"${revision}","creationTimestamp"`));
    t.is((JSON.parse(bytes.toString()) as KubeObject).metadata.resourceVersion, String(revision));
  }
});

test("Entry.writeTo() leaves out kind and apiVersion for lists", (t) => {
  const entry = codec.entry("/k", codec.encode(object()), 5, object()), skip = codec.head.length, target = Buffer.alloc(entry.sizeBytes(skip));
  t.is(entry.writeTo(target, 0, skip), target.length);
  t.true(target.toString().startsWith('{"metadata":{"name":"n","namespace":"ns","uid":"u-1","resourceVersion":"5",'));
});

test("an object that is not stored has no resourceVersion", (t) => {
  const entry = codec.entry("/k", codec.encode(object()), 0, object());
  t.is(entry.toBuffer().toString(), entry.value.toString());
  t.is(entry.sizeBytes(), entry.value.length);
});

test("Codec.load() finds the place again in stored bytes, and mends another order", (t) => {
  const { value } = codec.encode(object()), loaded = codec.load("/k", value, 12);
  t.is(loaded.value, value);
  t.is(codec.decode(loaded).metadata.resourceVersion, "12");
  t.deepEqual([loaded.name, loaded.namespace, loaded.labels], ["n", "ns", { a: "1", b: "2" }]);
  const foreign = codec.load("/k", Buffer.from('{"apiVersion":"v1","metadata":{"uid":"u","name":"n","creationTimestamp":null},"kind":"ConfigMap"}'), 3);
  t.is(foreign.toBuffer().toString(), '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"n","uid":"u","resourceVersion":"3","creationTimestamp":null}}');
});

test("a name made to look like a uid does not move the resourceVersion", (t) => {
  const role = new Codec(definitionOf(roles));
  const { value, splice } = role.encode({ metadata: { name: 'x"uid":"y', namespace: "ns", uid: "u-2", creationTimestamp: "2026-01-01T00:00:00Z" } } as unknown as KubeObject);
  t.is(role.load("/k", value, 1).splice, splice);
});

test("Codec keeps selectable fields beside the bytes, and decodes null lists as absent", (t) => {
  const pod = new Codec(definitionOf(pods));
  const entry = pod.load("/k", pod.encode({ metadata: { name: "p", namespace: "ns", uid: "u", creationTimestamp: "2026-01-01T00:00:00Z" }, spec: { nodeName: "n1" }, status: { phase: "Running" } } as unknown as KubeObject).value, 1);
  t.like(entry.fields, { "spec.nodeName": "n1", "status.phase": "Running" });
  t.true(entry.value.includes('"containers":null'));
  t.false("containers" in (pod.decode(entry) as unknown as { spec: object }).spec);
});
