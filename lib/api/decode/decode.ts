/**
 * Decodes a request's body into an object of a model: strict, exact, and quick where nothing is odd.
 *
 * Guarantees: the object has only fields the model has, in Go's order; nulls are absent; quantities, times and base64
 * are in the form upstream stores; integers keep their digits; `__proto__` is a key like any other. What is wrong is said
 * in upstream's words, as a StatusError.
 * How: the bytes are scanned once and parsed by `JSON.parse`; only an odd text takes the exact way (see `exact.ts`).
 * Counterpart: apimachinery's JSON serializer and `transformDecodeError` of the apiserver's handlers.
 */
import { apiVersionOf, type ResourceReference } from "../reference.ts";
import { modelOf, resourceSchemas } from "../schema/schema.ts";
import { badRequest, type StatusError } from "../status-error.ts";
import { ExactWalk, UnmarshalError } from "./exact.ts";
import { plainValue, type JsonNode } from "./json-node.ts";
import { JsonSyntaxError, parseJson } from "./json-parser.ts";
import { countKeys, walkerOf, type QuickState } from "./quick.ts";
import { scanJson } from "./scan.ts";
import { duplicatesError, parseYaml, YamlError } from "./yaml.ts";

/** What becomes of unknown and repeated fields: an error, a warning, nothing. */
export type FieldValidation = "Strict" | "Warn" | "Ignore";
export interface Decoded<T> { readonly object: T; readonly warnings: string[] }
/** The kind the caller serves: what an empty kind or apiVersion means, and what another is refused against. */
export interface ExpectedKind extends Pick<ResourceReference, "group" | "version" | "kind"> { /** Versions of the same shape, read as `version`. */ readonly alike?: readonly string[] }
export interface DecodeOptions { expected?: ExpectedKind; mediaType?: "json" | "yaml" }

type Json = Record<string, unknown>;
const SUMMARY_MAX = 30;

/** The start of a body, as upstream quotes it. */
function summarize(bytes: Buffer): string {
  if (bytes.length === 0) return "<empty>";
  const start = bytes.subarray(0, SUMMARY_MAX), more = bytes.length > SUMMARY_MAX ? " ..." : "";
  return (bytes[0] === 0x7b ? start.toString("utf8") : start.toString("hex")) + more;
}

const unrecognized = (kind: string, why: string, bytes: Buffer): StatusError =>
  badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${summarize(bytes)})`);

const cannotHandle = (found: ExpectedKind, kind: string, why: string): StatusError =>
  badRequest(`${found.kind} in version ${JSON.stringify(found.version)} cannot be handled as a ${kind}: ${why}`);

/** `apps/v1` -> group and version; undefined when there are more slashes. */
function readApiVersion(text: string): { group: string; version: string } | undefined {
  const parts = text.split("/");
  if (parts.length > 2) return undefined;
  return parts.length === 2 ? { group: parts[0]!, version: parts[1]! } : { group: "", version: text };
}

function interpret(node: JsonNode, bytes: Buffer, kind: string): Partial<Record<"kind" | "apiVersion", string>> {
  const found: Partial<Record<"kind" | "apiVersion", string>> = {};
  const fail = (what: string, into: string): never => { throw unrecognized(kind, `couldn't get version/kind; json parse error: json: cannot unmarshal ${what} into ${into}`, bytes); };
  if (node.kind === "null") return found;
  if (node.kind !== "object") return fail(node.kind, `Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`);
  node.keys.forEach((key, i) => {
    if (key !== "kind" && key !== "apiVersion") return;
    const value = node.values[i]!;
    if (value.kind === "string") found[key] = value.text;
    else if (value.kind !== "null") fail(value.kind, `Go struct field .${key} of type string`);
  });
  return found;
}

function kindOf(found: Partial<Record<"kind" | "apiVersion", string>>, expected: ExpectedKind, bytes: Buffer): ExpectedKind {
  const groupVersion = readApiVersion(found.apiVersion ?? "");
  if (groupVersion === undefined) throw unrecognized(expected.kind, `unexpected GroupVersion string: ${found.apiVersion!}`, bytes);
  const kind = found.kind === undefined || found.kind === "" ? expected.kind : found.kind;
  return groupVersion.version === "" && (groupVersion.group === "" || groupVersion.group === expected.group)
    ? { group: expected.group, version: expected.version, kind } : { ...groupVersion, kind };
}

/** Refuses a body of another kind or version, as upstream's conversion would. */
function checkKind(found: ExpectedKind, expected: ExpectedKind): void {
  if (found.kind === expected.kind && found.group === expected.group && found.version !== expected.version && expected.alike?.includes(found.version) !== true) {
    throw badRequest(`the API version in the data (${apiVersionOf(found)}) does not match the expected API version (${apiVersionOf(expected)})`);
  }
  if (found.kind === expected.kind && found.group === expected.group) return;
  const known = resourceSchemas().some((r) => r.kind === found.kind && r.group === found.group && r.version === found.version);
  const internal = (group: string): string => (group === "" ? "core" : group.split(".")[0]!);
  if (known) throw cannotHandle(found, expected.kind, `converting (${found.version}.${found.kind}) to (${internal(expected.group)}.${expected.kind}): unknown conversion`);
  throw cannotHandle(found, expected.kind, `no kind ${JSON.stringify(found.kind)} is registered for version ${JSON.stringify(apiVersionOf(found))} in scheme "pkg/api/legacyscheme/scheme.go:30"`);
}

function parseNode(bytes: Buffer, mediaType: "json" | "yaml", kind: string): { node: JsonNode; yamlErrors: string[] } {
  try {
    if (mediaType === "json") return { node: parseJson(bytes), yamlErrors: [] };
    const { node, duplicates } = parseYaml(bytes.toString("utf8"));
    return { node, yamlErrors: duplicates };
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw unrecognized(kind, `couldn't get version/kind; json parse error: ${error.message}`, bytes);
    if (error instanceof YamlError) throw unrecognized(kind, error.message, bytes);
    throw error;
  }
}

function decodeExactly(model: string, bytes: Buffer, mode: FieldValidation, options: DecodeOptions): Decoded<Json> {
  const goName = modelOf(model).goName, must = options.expected?.kind ?? goName;
  const { node, yamlErrors } = parseNode(bytes, options.mediaType ?? "json", must);
  const header = interpret(node, bytes, must);
  const found = kindOf(header, options.expected ?? { group: "", version: "", kind: goName }, bytes);
  if (options.expected !== undefined && found.kind !== options.expected.kind) checkKind(found, options.expected);
  try {
    const { object, strictErrors } = ExactWalk.decode(modelOf(model), node);
    const errors = [...yamlErrors, ...strictErrors], told = yamlErrors.length === 0 ? errors : [duplicatesError(yamlErrors), ...strictErrors];
    if (errors.length > 0 && mode === "Strict") throw cannotHandle(found, must, `strict decoding error: ${told.join(", ")}`);
    if (options.expected !== undefined) checkKind(found, options.expected);
    return { object, warnings: mode === "Warn" ? errors : [] };
  } catch (error) {
    if (error instanceof UnmarshalError) throw cannotHandle(found, must, error.message);
    throw error;
  }
}

const state: QuickState & { colons: number } = { keys: 0, odd: false, colons: 0 };

/** What `walk` makes of the parsed text, counting its keys in `state`; undefined where the exact way has to look at the text, keys given twice included. */
function walkQuickly(bytes: Buffer, walk: (parsed: unknown) => unknown): unknown {
  scanJson(bytes, state);
  if (state.odd) return undefined;
  let parsed: unknown;
  try { parsed = JSON.parse(bytes.toString("utf8")); }
  catch { return undefined; }
  state.keys = 0;
  const result = walk(parsed);
  return state.odd || state.keys !== state.colons ? undefined : result;
}

/** The object, or undefined when the exact way has to look at the text. */
const decodeQuickly = (model: string, bytes: Buffer): Json | undefined => walkQuickly(bytes, (parsed) => walkerOf(model)(parsed, state)) as Json | undefined;

/**
 * A JSON text as a plain value, keys given twice taken for the last; integers keep their digits. Throws JsonSyntaxError, NumberRangeError.
 */
export function parsePlain(bytes: Buffer): unknown {
  scanJson(bytes, state);
  if (!state.odd) {
    try { return JSON.parse(bytes.toString("utf8")); }
    catch { /* The exact parser says what is wrong. */ }
  }
  return plainValue(parseJson(bytes));
}

/** How many keys a JSON text has, repeated ones too. */
export function keysIn(bytes: Buffer): number {
  scanJson(bytes, state);
  return state.colons;
}

/** As `parsePlain`, for texts with nothing odd in them, keys given twice included; undefined for others. */
export const parseQuickly = (bytes: Buffer): unknown => walkQuickly(bytes, (parsed) => { countKeys(parsed, state); return parsed; });

/** The object with kind and apiVersion set, or undefined when they are not the expected ones. */
function asExpected(object: Json, expected: ExpectedKind | undefined): Json | undefined {
  if (expected === undefined) return object;
  const kind = object["kind"], apiVersion = object["apiVersion"], wanted = apiVersionOf(expected);
  if (kind === expected.kind && apiVersion === wanted) return object;
  if ((kind ?? expected.kind) !== expected.kind || (apiVersion ?? wanted) !== wanted) return undefined;
  return { kind: expected.kind, apiVersion: wanted, ...object };
}

/** What `decodeObject` gives, where the text has nothing odd and is of the expected kind; undefined where it has to be read with care. */
export function decodeQuick<T = Json>(model: string, bytes: Buffer, { expected }: Pick<DecodeOptions, "expected"> = {}): Decoded<T> | undefined {
  const quick = decodeQuickly(model, bytes), object = quick === undefined ? undefined : asExpected(quick, expected);
  return object === undefined ? undefined : { object: object as T, warnings: [] };
}

/**
 * Decodes `bytes` into an object of `model`. With `expected`, a body of another kind or version is refused and kind and
 * apiVersion are always set. Throws StatusError (400) with upstream's message.
 */
export function decodeObject<T = Json>(model: string, bytes: Buffer, mode: FieldValidation, options: DecodeOptions = {}): Decoded<T> {
  const { expected } = options, quick = options.mediaType === "yaml" ? undefined : decodeQuick<T>(model, bytes, options);
  if (quick !== undefined) return quick;
  const exact = decodeExactly(model, bytes, mode, options);
  if (expected === undefined) return { object: exact.object as T, warnings: exact.warnings };
  const kind = { kind: expected.kind, apiVersion: apiVersionOf(expected) }; // Twice: first in order, and over empty ones.
  return { object: { ...kind, ...exact.object, ...kind } as T, warnings: exact.warnings };
}

/**
 * Brings a plain JSON value (a patched object, say) into the form `decodeObject` gives, with the same errors.
 * Parts of the value live on in the result.
 */
export function decodeValue<T = Json>(model: string, value: unknown, mode: FieldValidation, options: DecodeOptions = {}): Decoded<T> {
  const quick = walkValue(model, value), object = quick === undefined ? undefined : asExpected(quick, options.expected);
  return object !== undefined ? { object: object as T, warnings: [] } : decodeObject<T>(model, Buffer.from(JSON.stringify(value)), mode, options);
}

function walkValue(model: string, value: unknown): Json | undefined {
  state.odd = false;
  state.keys = 0;
  const object = walkerOf(model)(value, state) as Json | undefined;
  return state.odd ? undefined : object;
}

/** As `decodeValue`, for callers with answers of their own: what strict mode finds is returned, a wrong value is an UnmarshalError. */
export function decodeBare(model: string, value: unknown): { object: Json; strictErrors: readonly string[] } {
  const quick = walkValue(model, value);
  return quick === undefined ? ExactWalk.decode(modelOf(model), parseJson(Buffer.from(JSON.stringify(value)))) : { object: quick, strictErrors: [] };
}
