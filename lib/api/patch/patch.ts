/**
 * Applies the body of a PATCH to an object: JSON patch, merge patch, strategic merge patch. Pure.
 *
 * The result has the form `decodeObject` gives (defaults are the caller's to set again); the live object is not changed.
 * Errors are StatusErrors with upstream's codes and texts. Server-side apply is `lib/api/managed-fields`.
 * Counterpart: the apiserver's `endpoints/handlers/patch.go`.
 */
import { decodeBare, type Decoded, type ExpectedKind, type FieldValidation } from "../decode/decode.ts";
import { UnmarshalError } from "../decode/exact.ts";
import { NumberRangeError, plainValue, type JsonNode } from "../decode/json-node.ts";
import { JsonSyntaxError, parseJson } from "../decode/json-parser.ts";
import { toWire } from "../encode/encode.ts";
import { apiVersionOf } from "../reference.ts";
import { modelOf } from "../schema/schema.ts";
import { badRequest, StatusError } from "../status-error.ts";
import { convertPatched } from "./convert.ts";
import { applyJsonPatch, JsonPatchError, OPERATIONS_MAX } from "./json-patch.ts";
import { goPrint, type JsonMap } from "./json-value.ts";
import { applyMergePatch } from "./merge-patch.ts";
import { duplicateFields, type StrictFindings } from "./strict-body.ts";
import { StrategicPatchError } from "./strategic-errors.ts";
import { applyStrategicPatch } from "./strategic-patch.ts";

export type PatchType = "json" | "merge" | "strategic";
/** What the Content-Type of a PATCH means; apply patches are not decided here. */
export const PATCH_TYPES: Readonly<Record<string, PatchType>> = {
  "application/json-patch+json": "json", "application/merge-patch+json": "merge", "application/strategic-merge-patch+json": "strategic",
};

export interface PatchRequest {
  readonly type: PatchType;
  readonly body: Buffer;
  /** Model of the object, e.g. "Pod". */
  readonly model: string;
  readonly live: object;
  readonly expected: ExpectedKind;
  readonly mode: FieldValidation;
}

/** The 422 answer for a patched object that cannot be read. */
function invalidPatch(shown: string, why: string): StatusError {
  const detail = `Invalid value: ${JSON.stringify(shown)}: ${why}`;
  return new StatusError("Invalid", ` "" is invalid: patch: ${detail}`, { details: { causes: [{ reason: "FieldValueInvalid", message: detail, field: "patch" }] } });
}

/** The 422 answer whose reason upstream keeps to itself. */
const rejected = (cause: Error): StatusError => new StatusError("Invalid", "the server rejected our request due to an error in our request", { details: {}, cause });

function parseBody(body: Buffer, prefix: string): JsonNode {
  try { return parseJson(body); }
  catch (error) {
    if (error instanceof JsonSyntaxError) throw badRequest(`${prefix}${error.message}`);
    throw error;
  }
}

const wrongShape = (node: JsonNode, prefix: string, goType: string): StatusError =>
  badRequest(`${prefix}json: cannot unmarshal ${node.kind} into Go value of type ${goType}`);

const isStrict = (mode: FieldValidation): boolean => mode !== "Ignore";

function operationsOf(node: JsonNode, prefix: string): JsonMap[] {
  if (node.kind === "null") return [];
  if (node.kind !== "array") throw wrongShape(node, prefix, prefix === "" ? "jsonpatch.Patch" : "[]handlers.jsonPatchOp");
  for (const item of node.items) if (item.kind !== "object") throw wrongShape(item, prefix, prefix === "" ? "jsonpatch.Operation" : "handlers.jsonPatchOp");
  if (node.items.length > OPERATIONS_MAX) {
    throw new StatusError("RequestEntityTooLarge", `Request entity is too large: The allowed maximum operations in a JSON patch is ${OPERATIONS_MAX}, got ${node.items.length}`);
  }
  return node.items.map((item) => plainValue(item) as JsonMap);
}

function patchWithJson(live: JsonMap, node: JsonNode, mode: FieldValidation): { patched: unknown; findings: StrictFindings } {
  const prefix = isStrict(mode) ? "error decoding patch: " : "", operations = operationsOf(node, prefix);
  const findings = duplicateFields(node, ["op", "path", "from", "value"]).map((text) => `json patch ${text}`);
  try { return { patched: applyJsonPatch(live, operations), findings }; }
  catch (error) {
    if (error instanceof JsonPatchError) throw rejected(error);
    throw error;
  }
}

function patchWithMerge(live: JsonMap, node: JsonNode, mode: FieldValidation): { patched: unknown; findings: StrictFindings } {
  if (node.kind === "null") throw badRequest("Invalid JSON Patch");
  if (node.kind !== "object") throw isStrict(mode) ? wrongShape(node, "error decoding patch: ", "map[string]interface {}") : badRequest("Invalid JSON Patch");
  return { patched: applyMergePatch(live, plainValue(node)), findings: duplicateFields(node) };
}

/** Decodes a patched object; strict findings of the patch itself come first, then those of the result, in order of the alphabet: upstream's library sorts keys. */
function decodePatched(request: PatchRequest, patched: unknown, findings: StrictFindings): Decoded<JsonMap> {
  const { model, mode } = request, text = (): string => JSON.stringify(patched);
  let bare: ReturnType<typeof decodeBare>;
  try { bare = decodeBare(model, patched); }
  catch (error) {
    if (error instanceof UnmarshalError) throw invalidPatch(text(), error.message);
    throw error;
  }
  return withFindings(bare.object, [...findings, ...bare.strictErrors.toSorted()], mode, text);
}

function withFindings(object: JsonMap, errors: StrictFindings, mode: FieldValidation, shown: () => string): Decoded<JsonMap> {
  if (errors.length > 0 && mode === "Strict") throw invalidPatch(shown(), `strict decoding error: ${errors.join(", ")}`);
  return { object, warnings: mode === "Warn" ? [...errors] : [] };
}

function patchStrategically(request: PatchRequest, live: JsonMap, node: JsonNode): Decoded<JsonMap> {
  if (node.kind !== "object" && node.kind !== "null") throw wrongShape(node, "", "map[string]interface {}");
  const patch = (plainValue(node) ?? {}) as JsonMap;
  let patched: JsonMap;
  try { patched = applyStrategicPatch(modelOf(request.model), live, patch); }
  catch (error) {
    if (!(error instanceof StrategicPatchError)) throw error;
    if (error.answer === 400) throw badRequest(error.message);
    throw error.answer === 422 ? rejected(error) : new StatusError("", error.message, { code: 500, cause: error });
  }
  const converted = convertPatched(request.model, patched), shown = (): string => goPrint(patch);
  if ("error" in converted) throw invalidPatch(shown(), converted.error);
  return withFindings(converted.object, [...duplicateFields(node), ...converted.strictErrors], request.mode, shown);
}

function applyByType(request: PatchRequest): Decoded<JsonMap> {
  const live = { kind: request.expected.kind, apiVersion: apiVersionOf(request.expected), ...toWire(request.model, request.live) };
  const node = parseBody(request.body, isStrict(request.mode) && request.type !== "strategic" ? "error decoding patch: " : "");
  if (request.type === "strategic") return patchStrategically(request, live, node);
  const { patched, findings } = request.type === "json" ? patchWithJson(live, node, request.mode) : patchWithMerge(live, node, request.mode);
  return decodePatched(request, patched, findings);
}

/** A patch can nest a value into itself until no stack can follow. */
function applyBounded(request: PatchRequest): Decoded<JsonMap> {
  try { return applyByType(request); }
  catch (error) {
    if (error instanceof NumberRangeError) throw badRequest(`error decoding patch: ${error.message}`);
    if (error instanceof RangeError) throw rejected(error);
    throw error;
  }
}

/** Applies the patch. Throws StatusError. */
export function applyPatch<T = JsonMap>(request: PatchRequest): Decoded<T> {
  const { object, warnings } = applyBounded(request);
  return { object: { ...object, kind: request.expected.kind, apiVersion: apiVersionOf(request.expected) } as T, warnings };
}
