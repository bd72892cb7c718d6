/** Objects of the right types but with anything missing or odd in them get answers, not exceptions: those would be 500s. */
import test from "ava";
import fc from "fast-check";
import type { KubeObject, ResourceDefinition } from "../../../lib/api/resource-definition.ts";
import { resources } from "../../../lib/api/resources.ts";
import { randomFrom, randomObject, type Random } from "./random-object.ts";
import { context } from "./run-definition.ts";

function written(random: Random, definition: ResourceDefinition): KubeObject {
  const metadata = { name: "x", namespace: "d", uid: "u", ...(random() < 0.3 ? { labels: { a: "b" } } : {}), ...(random() < 0.3 ? { annotations: { a: "b" } } : {}) };
  return { ...randomObject(random, definition.model), apiVersion: "x", kind: definition.kind, metadata } as unknown as KubeObject;
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

test("hooks answer whatever an object holds", (t) => {
  for (const definition of resources) {
    t.notThrows(() => fc.assert(fc.property(fc.integer(), (seed) => runHooks(randomFrom(seed), definition)), { numRuns: 60 }), `${definition.group}/${definition.version} ${definition.plural}`);
  }
});
