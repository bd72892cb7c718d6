/**
 * One thing that several API versions show: each manager's fields are compared in the version the manager spoke.
 * Counterpart: apimachinery `managedfields/internal/versionconverter.go`.
 */
import { compareObjects, type Comparison } from "./compare.ts";
import { mapFields, type Managers } from "./managers.ts";
import { shapeOf } from "./shape.ts";
import type { FieldSet } from "./field-set.ts";

export interface Versions {
  /** The model of a version; undefined when nobody serves it: what was managed in it is forgotten. */
  modelOf(apiVersion: string): string | undefined;
  /** A decoded object of version `from` as a decoded object of version `to`; the input is not changed. */
  convert(object: object, from: string, to: string): object;
}

/** What changed, by version; undefined for a version nobody serves. */
export type Changes = (apiVersion: string) => Comparison | undefined;

interface Spoken { readonly apiVersion: string; readonly versions?: Versions | undefined; readonly wire: (model: string, object: object) => object }

/** What changed from `left` to `right`, decoded objects of the version spoken, in which `comparison` is known. */
export function changesOf({ apiVersion, versions, wire }: Spoken, comparison: Comparison, left: () => object, right: () => object): Changes {
  const known = new Map<string, Comparison | undefined>([[apiVersion, comparison]]);
  return (asked) => {
    if (known.has(asked)) return known.get(asked);
    const model = versions?.modelOf(asked), shown = (object: object): object => wire(model!, versions!.convert(object, apiVersion, asked));
    const found = model === undefined ? undefined : compareObjects(shapeOf(model), shown(left()), shown(right()));
    known.set(asked, found);
    return found;
  };
}

/** Takes from every manager but `spared` what `lost` names in its version; those with nothing left, or of a version nobody serves, are dropped. */
export function takeFrom(managers: Managers, changes: Changes, lost: (fields: FieldSet, comparison: Comparison) => FieldSet, spared?: string): Managers {
  return mapFields(managers, (fields, identity, { apiVersion }) => {
    if (identity === spared) return fields;
    const comparison = changes(apiVersion);
    return comparison === undefined ? {} : lost(fields, comparison);
  });
}
