/** Secret: settings that are nobody else's business. Counterpart: kubernetes `registry/core/secret`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { invalid, required, tooLong, type FieldError } from "../field-error.ts";
import { FieldPath, METADATA } from "../field-path.ts";
import { ACCOUNT_NAME_ANNOTATION, TOKEN_SECRET_TYPE } from "../helpers/service-account-token.ts";
import type { Secret } from "../schema/generated/models.ts";
import { secrets } from "../schema/generated/references.ts";
import { checkImmutable, checkText } from "../validation/checks.ts";
import { isConfigMapKey } from "../validation/names.ts";
import { DATA_BYTES_MAX, decodedLength, immutableFaults } from "./config-map.ts";

const DATA = FieldPath.of("data");
/** Keys each type must have; of basic-auth one is enough. */
const REQUIRED_KEYS: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/dockercfg": [".dockercfg"], "kubernetes.io/dockerconfigjson": [".dockerconfigjson"], "kubernetes.io/ssh-auth": ["ssh-privatekey"], "kubernetes.io/tls": ["tls.crt", "tls.key"],
};

/** Texts given for convenience become data like the rest. */
function defaults(secret: Secret): void {
  secret.type ||= "Opaque";
  if (secret.stringData === undefined) return;
  const data = (secret.data ??= {});
  for (const [key, text] of Object.entries(secret.stringData)) data[key] = Buffer.from(text).toString("base64");
  delete secret.stringData;
}

function jsonFault(base64: string): string | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(base64, "base64").toString());
    if (typeof value === "object" && !Array.isArray(value)) return undefined;
    return `json: cannot unmarshal ${Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value} into Go value of type map[string]interface {}`;
  } catch (error) {
    return (error as Error).message;
  }
}

function validate(secret: Secret): FieldError[] {
  const errors: FieldError[] = [], data = secret.data ?? {}, type = secret.type ?? "";
  let bytes = 0;
  for (const [key, value] of Object.entries(data)) {
    checkText(errors, DATA.key(key), key, isConfigMapKey);
    bytes += decodedLength(value);
  }
  if (bytes > DATA_BYTES_MAX) errors.push(tooLong(DATA, DATA_BYTES_MAX));
  if (type === TOKEN_SECRET_TYPE && (secret.metadata.annotations?.[ACCOUNT_NAME_ANNOTATION] ?? "") === "") errors.push(required(METADATA.child("annotations").key(ACCOUNT_NAME_ANNOTATION)));
  if (type === "kubernetes.io/basic-auth" && data["username"] === undefined && data["password"] === undefined) errors.push(required(DATA.key("username")), required(DATA.key("password")));
  for (const key of REQUIRED_KEYS[type] ?? []) {
    const value = data[key];
    if (value === undefined || (type.endsWith("/ssh-auth") && value === "")) errors.push(required(DATA.key(key)));
    else if (type.startsWith("kubernetes.io/docker")) {
      const fault = jsonFault(value);
      if (fault !== undefined) errors.push(invalid(DATA.key(key), "<secret contents redacted>", fault));
    }
  }
  return errors;
}

function validateUpdate(secret: Secret, old: Secret): FieldError[] {
  const errors: FieldError[] = [];
  checkImmutable(errors, FieldPath.of("type"), secret.type, old.type);
  return [...errors, ...immutableFaults(secret, old, ["data"]), ...validate(secret)];
}

export const secretDefinition = defineResource<Secret>({
  reference: secrets,
  defaults,
  // An update that names no type keeps the one it has.
  prepareForUpdate: (secret, old) => void (secret.type === "Opaque" && old.type !== undefined && (secret.type = old.type)),
  validate,
  validateUpdate,
  columns: [
    nameColumn,
    column("Type", (secret) => secret.type ?? "", { description: "What the data is for." }),
    column("Data", (secret) => Object.keys(secret.data ?? {}).length, { description: "How many keys it has." }),
    ageColumn,
  ],
  selectableFields: (secret) => ({ type: secret.type ?? "" }),
});
