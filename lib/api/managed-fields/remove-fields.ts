/** Takes the fields and items of a set out of a value. Counterpart: structured-merge-diff `typed.RemoveItems`. */
import { setOwn } from "../decode/json-node.ts";
import { isList, isMap, type JsonMap } from "../patch/json-value.ts";
import { below, hasElement, isEmptySet, type FieldSet } from "./field-set.ts";
import { fieldElement } from "./path-element.ts";
import { entryShape, itemElement, resolveShape, type Shape, type StructShape } from "./shape.ts";

/** null: nothing is left. */
function removeFrom(shape: Shape, value: unknown, fields: FieldSet): unknown {
  const known = resolveShape(shape, value);
  if (known.kind === "scalar") return value;
  if (known.kind === "list") {
    if (!isList(value) || value.length === 0 || known.relation === "atomic") return null;
    const inner = known.item();
    const items = value.flatMap((item, i) => {
      const element = itemElement(known, item, i), subset = below(fields, element);
      if (hasElement(fields, element)) return [];
      return [isEmptySet(subset) ? (item as unknown) : removeFrom(inner, item, subset)];
    });
    return items.length === 0 ? null : items;
  }
  if (!isMap(value) || known.atomic) return null;
  const kept: JsonMap = {};
  for (const key of Object.keys(value)) {
    const element = fieldElement(key);
    if (hasElement(fields, element)) continue;
    const subset = below(fields, element);
    setOwn(kept, key, isEmptySet(subset) ? value[key] : removeFrom(entryShape(known, key) ?? { kind: "any" }, value[key], subset));
  }
  return Object.keys(kept).length === 0 ? null : kept;
}

/** `object` without `fields`; it is not changed, parts of it live on in the result. */
export const removeFields = (shape: StructShape, object: JsonMap, fields: FieldSet): JsonMap => (isEmptySet(fields) ? object : ((removeFrom(shape, object, fields) ?? {}) as JsonMap));
