/** Objects of the right types but with anything missing or odd in them get answers, not exceptions: those would be 500s. */
import test from "ava";
import fc from "fast-check";
import type { KubeObject, ResourceDefinition } from "../../../lib/api/resource-definition.ts";
import { resources } from "../../../lib/api/resources.ts";
import { modelOf, type FieldType, type Scalar } from "../../../lib/api/schema/schema.ts";
import { context } from "./run-definition.ts";

const TEXTS = ["", "a", "Always", "True", "http://x", "a/b", "10.0.0.1", "Running", "x.example.com"];
const VALUES: Partial<Record<Scalar, readonly unknown[]>> = {
  string: TEXTS, boolean: [true, false], int32: [0, 1, -1, 80, 100_000], int64: [0, 1, -1, 600], double: [0.5], bytes: ["", "AAAA"], Time: ["2026-05-01T11:00:00Z"], MicroTime: ["2026-05-01T11:00:00.000000Z"],
  Quantity: ["0", "1", "1Gi", "100m"], IntOrString: [0, 80, "50%", "http"],
};
type Random = () => number;
const pick = <T>(random: Random, values: readonly T[]): T => values[Math.floor(random() * values.length)]!;

function valueOf(random: Random, type: FieldType, depth: number): unknown {
  switch (type.kind) {
    case "scalar": return pick<unknown>(random, VALUES[type.scalar] ?? [{}]);
    case "list": return random() < 0.3 ? [] : [valueOf(random, type.item, depth + 1), ...(random() < 0.5 ? [valueOf(random, type.item, depth + 1)] : [])];
    case "map": return random() < 0.3 ? {} : { [pick(random, ["a", "cpu", "x.io/y"])]: valueOf(random, type.value, depth + 1) };
    case "model": return objectOf(random, type.model, depth + 1);
  }
}

function objectOf(random: Random, model: string, depth: number): Record<string, unknown> {
  if (depth > 9) return {};
  const present = modelOf(model).fields.filter(() => random() > (depth < 3 ? 0.15 : 0.45));
  return Object.fromEntries(present.map((field) => [field.name, field.enum !== undefined && field.type.kind === "scalar" && random() < 0.8 ? pick(random, field.enum) : valueOf(random, field.type, depth)]));
}

function written(random: Random, definition: ResourceDefinition): KubeObject {
  const metadata = { name: "x", namespace: "d", uid: "u", ...(random() < 0.3 ? { labels: { a: "b" } } : {}), ...(random() < 0.3 ? { annotations: { a: "b" } } : {}) };
  return { ...objectOf(random, definition.model, 0), apiVersion: "x", kind: definition.kind, metadata } as unknown as KubeObject;
}

function runHooks(random: Random, definition: ResourceDefinition): void {
  const old = written(random, definition), object = { ...structuredClone(old), ...written(random, definition) } as KubeObject & { status?: unknown };
  for (const one of [old, object]) {
    definition.defaults?.(one);
    definition.prepareForCreate?.(one, context);
    definition.validate?.(one);
    definition.warnings?.(one, undefined);
    definition.selectableFields?.(one);
    definition.storage?.fromStorage(definition.storage.toStorage(one));
  }
  if ((definition.validate?.(old) ?? []).length > 0) return; // Only what is valid was ever stored.
  const status = { ...structuredClone(old), status: (written(random, definition) as { status?: unknown }).status } as KubeObject;
  definition.prepareForUpdate?.(object, old, context);
  definition.validateUpdate?.(object, old);
  definition.warnings?.(object, old);
  definition.generationChanged?.(object, old);
  definition.prepareForStatusUpdate?.(status, old, context);
  definition.validateStatusUpdate?.(status, old);
  for (const update of Object.values(definition.subresourceUpdates ?? {})) {
    const changed = structuredClone(object);
    update.prepare(changed, old, context);
    update.validate(changed, old);
  }
  for (const column of definition.columns) column.cell(old, context.now);
}

/** A small generator whose whole run one number decides. */
function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

test("hooks answer whatever an object holds", (t) => {
  for (const definition of resources) {
    t.notThrows(() => fc.assert(fc.property(fc.integer(), (seed) => runHooks(randomFrom(seed), definition)), { numRuns: 60 }), `${definition.group}/${definition.version} ${definition.plural}`);
  }
});
