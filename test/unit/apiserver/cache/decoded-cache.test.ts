import test from "ava";
import type { KubeObject } from "../../../../lib/api/resource-definition.ts";
import { DecodedCache } from "../../../../lib/apiserver/cache/decoded-cache.ts";
import { Entry } from "../../../../lib/apiserver/cache/entry.ts";

const entry = (name: string, sizeBytes: number): Entry => new Entry(`/registry/configmaps/n/${name}`, "n", name, 1, Buffer.alloc(sizeBytes), 0, undefined, undefined);
const object = (name: string): KubeObject => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } });
const held = (cache: DecodedCache, entries: readonly Entry[]): string[] => entries.filter((each) => cache.get(each) !== undefined).map(({ name }) => name);

test("what is written goes in order of coming, and drives out nothing that was read", (t) => {
  const cache = new DecodedCache({ writtenBytesMax: 800, readBytesMax: 1_000 }), read = entry("read", 900), written = Array.from("abcdefghij", (name) => entry(name, 100));
  cache.addRead(read, object("read"));
  for (const each of written) cache.addWritten(each, object(each.name));
  t.deepEqual(held(cache, [read, ...written]), ["read", ...Array.from("cdefghij")]);
});

test("what is read goes in order of coming, and drives out nothing that was written", (t) => {
  const cache = new DecodedCache({ writtenBytesMax: 800, readBytesMax: 1_000 }), written = entry("written", 100), read = ["a", "b", "c"].map((name) => entry(name, 400));
  cache.addWritten(written, object("written"));
  for (const each of read) cache.addRead(each, object(each.name));
  t.deepEqual(held(cache, [written, ...read]), ["written", "b", "c"]);
});

test("a large object that is written takes no place from the small ones", (t) => {
  const cache = new DecodedCache({ writtenBytesMax: 800, readBytesMax: 1_000 }), small = entry("small", 100), large = entry("large", 900), later = entry("later", 600);
  cache.addWritten(small, object("small"));
  cache.addWritten(large, object("large"));
  t.deepEqual(held(cache, [small, large]), ["small", "large"]);
  cache.addRead(later, object("later"));
  t.deepEqual(held(cache, [small, large, later]), ["small", "later"]);
});

test("the newest stays, however large it is, until the next one comes", (t) => {
  const cache = new DecodedCache({ writtenBytesMax: 800, readBytesMax: 300 }), large = entry("large", 5_000), next = entry("next", 1);
  cache.addRead(large, object("large"));
  t.deepEqual(held(cache, [large]), ["large"]);
  cache.addRead(next, object("next"));
  t.deepEqual(held(cache, [large, next]), ["next"]);
});

test("an object that is there is not counted again, whichever way it comes", (t) => {
  const cache = new DecodedCache({ writtenBytesMax: 800, readBytesMax: 800 }), one = entry("one", 100), other = entry("other", 100), first = object("one");
  cache.addWritten(one, first);
  cache.addRead(one, object("one"));
  cache.addWritten(one, object("one"));
  cache.addWritten(other, object("other"));
  t.is(cache.get(one), first);
  t.deepEqual(held(cache, [one, other]), ["one", "other"]);
});
