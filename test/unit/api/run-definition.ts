/** Runs an object through the hooks of its definition in the server's order, for tests of definitions. */
import type { KubeObject, ResourceDefinition, StrategyContext } from "../../../lib/api/resource-definition.ts";
import type { FieldError } from "../../../lib/api/field-error.ts";

export const NOW = new Date("2026-05-01T12:00:00Z");
export const context: StrategyContext = { now: NOW, user: "alice" };
/** Objects in tests are as users write them: nothing filled in. */
type Written = Record<string, unknown>;

export const texts = (errors: readonly FieldError[]): string[] => errors.map(({ field, detail }) => `${field}: ${detail}`);

/** A new object, filled in and prepared; not validated. */
export function prepared<T extends KubeObject>(definition: ResourceDefinition<T>, written: Written): T {
  const object = { apiVersion: "v1", kind: definition.kind, ...structuredClone(written) } as unknown as T;
  object.metadata = { namespace: "default", uid: "u-1", creationTimestamp: "2026-05-01T11:00:00Z", ...object.metadata };
  definition.defaults?.(object);
  definition.prepareForCreate?.(object, context);
  return object;
}

/** What is wrong with a new object. */
export const faults = <T extends KubeObject>(definition: ResourceDefinition<T>, written: Written): string[] => texts(definition.validate?.(prepared(definition, written)) ?? []);

/** What is wrong with changing an object that was created before. */
export function updateFaults<T extends KubeObject>(definition: ResourceDefinition<T>, written: Written, change: (object: T) => void): string[] {
  const old = prepared(definition, written), object = structuredClone(old);
  change(object);
  definition.defaults?.(object);
  definition.prepareForUpdate?.(object, old, context);
  return texts(definition.validateUpdate?.(object, old) ?? definition.validate?.(object) ?? []);
}

/** What is wrong with a new status. */
export function statusFaults<T extends KubeObject>(definition: ResourceDefinition<T>, old: T, change: (object: T) => void): string[] {
  const object = structuredClone(old);
  change(object);
  definition.prepareForStatusUpdate?.(object, old, context);
  return texts(definition.validateStatusUpdate?.(object, old) ?? []);
}

/** The row `kubectl get` prints; with `wide` all of it. */
export const row = <T extends KubeObject>(definition: ResourceDefinition<T>, object: T, options: { wide?: boolean } = {}): string =>
  definition.columns.filter(({ priority }) => options.wide === true || priority !== 1).map((column) => String(column.cell(object, NOW))).join(" | ");
