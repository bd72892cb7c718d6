/**
 * The annotation client-side apply leaves: kubectl's first server-side apply may take over what it says was applied.
 * Counterpart: apimachinery `managedfields/internal/lastappliedmanager.go`.
 */
import { cloneJson, isMap, type JsonMap } from "../patch/json-value.ts";
import { changedFields, compareObjects } from "./compare.ts";
import { difference, type FieldSet } from "./field-set.ts";
import { ItemError, type StructShape } from "./shape.ts";
import { fieldSetOf } from "./to-field-set.ts";
import { appliedErrors } from "./validate-applied.ts";

export const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

function annotationsOf(object: JsonMap): JsonMap | undefined {
  const metadata = object["metadata"], annotations = isMap(metadata) ? metadata["annotations"] : undefined;
  return isMap(annotations) ? annotations : undefined;
}

/** Fields the annotation names whose live values are still those; undefined without a usable annotation. */
export function allowedByLastApplied(shape: StructShape, live: JsonMap, apiVersion: string): FieldSet | undefined {
  const text = annotationsOf(live)?.[LAST_APPLIED];
  if (typeof text !== "string" || text === "") return undefined;
  try {
    const applied: unknown = JSON.parse(text);
    if (!isMap(applied) || applied["apiVersion"] !== apiVersion || appliedErrors(shape, applied) !== undefined) return undefined;
    return difference(fieldSetOf(shape, applied), changedFields(compareObjects(shape, applied, live)));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof ItemError) return undefined;
    throw error;
  }
}

/** The annotation for a configuration: its JSON, without the annotation itself, and a newline. */
export function lastAppliedText(applied: JsonMap): string {
  const copy = cloneJson(applied), annotations = annotationsOf(copy);
  if (annotations !== undefined) delete annotations[LAST_APPLIED];
  return `${JSON.stringify(copy)}\n`;
}
