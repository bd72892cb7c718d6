/** ConfigMap: settings as keys and texts. Counterpart: kubernetes `registry/core/configmap`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { forbiddenField, invalid, tooLong, type FieldError } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { ConfigMap } from "../schema/generated/models.ts";
import { configmaps } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { checkText } from "../validation/checks.ts";
import { byteLength, isConfigMapKey } from "../validation/names.ts";

/** Of all values together, in ConfigMaps and Secrets. */
export const DATA_BYTES_MAX = 1024 * 1024;
const DATA = FieldPath.of("data");
const BINARY_DATA = FieldPath.of("binaryData");

/** Bytes that a base64 text stands for. */
export const decodedLength = (base64: string): number => Math.floor((base64.replace(/[\r\n]/g, "").length * 3) / 4) - (base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0);

function validate({ data = {}, binaryData = {} }: ConfigMap): FieldError[] {
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(data)) {
    checkText(errors, DATA.key(key), key, isConfigMapKey);
    if (Object.hasOwn(binaryData, key)) errors.push(invalid(DATA.key(key), key, "duplicate of key present in binaryData"));
    bytes += byteLength(value);
  }
  for (const [key, value] of Object.entries(binaryData)) {
    checkText(errors, BINARY_DATA.key(key), key, isConfigMapKey);
    bytes += decodedLength(value);
  }
  if (bytes > DATA_BYTES_MAX) errors.push(tooLong("[]", DATA_BYTES_MAX)); // As upstream shows a path without a name.
  return errors;
}

/** Also of Secrets: what was sealed stays sealed. */
export function immutableFaults<T extends { immutable?: boolean | undefined }>(object: T, old: T, fields: readonly (keyof T & string)[]): FieldError[] {
  if (old.immutable !== true) return [];
  const why = "field is immutable when `immutable` is set";
  const changed = fields.filter((field) => !semanticEqual(object[field] ?? {}, old[field] ?? {}));
  return [...(object.immutable === true ? [] : ["immutable"]), ...changed].map((field) => forbiddenField(field, why));
}

export const configMapDefinition = defineResource<ConfigMap>({
  reference: configmaps,
  shortNames: ["cm"],
  validate,
  validateUpdate: (configMap, old) => [...immutableFaults(configMap, old, ["data", "binaryData"]), ...validate(configMap)],
  columns: [
    nameColumn,
    column("Data", ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length, { description: "How many keys it has." }),
    ageColumn,
  ],
});
