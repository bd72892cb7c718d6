import test from "ava";
import fc from "fast-check";
import { createdFields, fieldsText } from "../../../../lib/api/managed-fields/created-fields.ts";
import { difference, union } from "../../../../lib/api/managed-fields/field-set.ts";
import { UNTRACKED } from "../../../../lib/api/managed-fields/reset-fields.ts";
import { changesBetween, trackUpdate, type UpdateWrite } from "../../../../lib/api/managed-fields/track-update.ts";

const NOW = new Date("2026-01-02T03:04:05Z");
const write = (model: string, apiVersion: string, object: object): UpdateWrite => ({ model, apiVersion, subresource: "", hasStatus: true, manager: "m", now: NOW, live: undefined, object });

/** Values of which many look alike: absent, empty and zero ones among them. */
const text = fc.constantFrom("", "0", "a", "b"), texts = fc.dictionary(fc.constantFrom("x", "y", "x:1", ""), text, { maxKeys: 2 }), maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const container = fc.record({
  name: fc.constantFrom("a", "b"), image: text, command: maybe(fc.array(text, { maxLength: 2 })), tty: maybe(fc.boolean()),
  env: maybe(fc.uniqueArray(fc.record({ name: fc.constantFrom("E", "F"), value: maybe(text) }), { maxLength: 2, selector: (one) => one.name })),
  ports: maybe(fc.uniqueArray(fc.record({ containerPort: fc.constantFrom(80, 81), protocol: fc.constantFrom("TCP", "UDP") }), { maxLength: 2, selector: (one) => `${one.containerPort}${one.protocol}` })),
  resources: maybe(fc.record({ limits: maybe(fc.dictionary(fc.constantFrom("cpu", "memory"), fc.constantFrom("0", "1"))) }, { requiredKeys: [] })), securityContext: maybe(fc.record({ runAsUser: maybe(fc.constantFrom(0, 1)) })),
});
const pod = fc.record({
  metadata: fc.record({ name: text, labels: maybe(texts), annotations: maybe(texts), finalizers: maybe(fc.uniqueArray(fc.constantFrom("f/a", "f/b"), { maxLength: 2 })) }),
  spec: maybe(fc.record({ containers: fc.uniqueArray(container, { maxLength: 2, selector: (one) => one.name }), hostNetwork: maybe(fc.boolean()), priority: maybe(fc.constantFrom(0, 1)), nodeSelector: maybe(texts), securityContext: maybe(fc.constant({})) })),
  status: maybe(fc.record({ phase: text })),
});
const configMap = fc.record({ metadata: fc.record({ name: text }), data: maybe(texts), immutable: maybe(fc.boolean()) });

for (const [model, apiVersion, objects] of [["Pod", "v1", pod], ["ConfigMap", "v1", configMap]] as const) {
  test(`createdFields() are those of a comparison with nothing, whatever ${model}s were made before`, (t) => {
    fc.assert(fc.property(objects, (object) => {
      const asked = write(model, apiVersion, object), { added, modified } = changesBetween(asked, undefined, object)(apiVersion)!, wanted = difference(union(added, modified), UNTRACKED);
      const entries = trackUpdate(asked);
      t.deepEqual(entries?.[0]?.fieldsV1 ?? {}, wanted);
      if (entries !== undefined) t.is(fieldsText(entries[0]!.fieldsV1!), JSON.stringify(wanted));
    }), { numRuns: 3_000 });
  });
}

test("createdFields() finds out once for objects of one outline, and again for another part of a resource", (t) => {
  let found = 0;
  const ask = (object: object, subresource = ""): unknown => createdFields({ model: "ConfigMap", apiVersion: "v1", subresource, hasStatus: false }, object, () => { found++; return { "f:data": {} }; });
  const first = ask({ metadata: { name: "n" }, data: { once: "1" } });
  t.is(ask({ metadata: { name: "other" }, data: { once: "2" } }), first);
  t.is(found, 1);
  t.true(Object.isFrozen(first));
  ask({ metadata: { name: "n" }, data: { once: "1" } }, "status");
  ask({ metadata: { name: "n" }, data: { twice: "1" } });
  t.is(found, 3);
});

test("createdFields() tells apart keys that run into each other, and where a map ends", (t) => {
  let found = 0;
  const ask = (model: string, object: object): unknown => createdFields({ model, apiVersion: "v1", subresource: "", hasStatus: false }, object, () => ({ [`f:${found++}`]: {} }));
  const all = [{ "a": "x", "1:b": "" }, { "a1;1:b": "x" }, { a: "" }, { a: "x" }, { a: "set" }].map((data) => ask("ConfigMap", { data }));
  t.is(all[3], all[4]);
  t.is(new Set(all).size, 4);
  t.not(ask("ConfigMap", { data: { a: "x" }, binaryData: { b: "x" } }), ask("ConfigMap", { data: { a: "x", binaryData: "{", b: "x" } }));
});

test("createdFields() remembers no outline that is too long, and goes on when its memory is full", (t) => {
  let found = 0;
  const ask = (data: object): unknown => createdFields({ model: "ConfigMap", apiVersion: "v1", subresource: "", hasStatus: false }, { data }, () => ({ [`f:${found++}`]: {} }));
  const long = Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`key-${i}`, "x"]));
  t.not(ask(long), ask(long));
  const first = ask({ first: "x" });
  for (let i = 0; i < 400; i++) ask(Object.fromEntries(Array.from({ length: 100 }, (_, k) => [`${i}-${k}`, "x"])));
  const again = ask({ first: "x" });
  t.not(again, first);
  t.is(ask({ first: "y" }), again);
});
