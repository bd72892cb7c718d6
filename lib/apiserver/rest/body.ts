/** Request bodies, and the options of a delete. Counterpart: apiserver `endpoints/handlers/{create,update,delete}.go`. */
import { decodeValue, type DecodeOptions, type Decoded, type ExpectedKind, type FieldValidation } from "../../api/decode/decode.ts";
import type { ResourceReference } from "../../api/reference.ts";
import type { KubeObject } from "../../api/resource-definition.ts";
import type { DeleteOptions } from "../../api/schema/generated/models.ts";
import { badRequest } from "../../api/status-error.ts";
import type { ApiRequest } from "../http/exchange.ts";
import { JSON_TYPE, YAML_TYPE, bodyType, unsupportedMediaType } from "../negotiate.ts";
import { queryFlag } from "../request-info.ts";
import { decodeBody } from "../long-work/long-work.ts";
import type { WriteContext } from "../registry/resource.ts";
import { PROTOBUF_TYPE, readProtobuf } from "./protobuf-body.ts";
import { ProtobufError } from "./protobuf-reader.ts";
import { checkDryRun, fieldValidation, writeContext } from "./write-options.ts";

export type BodyFormat = "json" | "yaml" | "protobuf";
const DECODABLE = `${JSON_TYPE}, ${YAML_TYPE}, ${PROTOBUF_TYPE}`;

/** Format of the body. Throws UnsupportedMediaType. */
export function bodyFormat(request: ApiRequest): BodyFormat {
  const type = bodyType(request);
  if (type === JSON_TYPE) return "json";
  if (type === YAML_TYPE || type === "application/vnd.kubernetes.yaml") return "yaml";
  if (type === PROTOBUF_TYPE) return "protobuf";
  throw unsupportedMediaType(DECODABLE);
}

/** Reads and decodes the body as an object of a model; unknown fields become warnings or an error. Throws StatusError. */
export async function readObject<T = KubeObject>(request: ApiRequest, expected: ResourceReference & ExpectedKind, model: string): Promise<T> {
  const format = bodyFormat(request), mode = fieldValidation(request);
  return decodeBytes<T>(request, await request.source.readBody(), format, mode, expected, model);
}

/** As `readObject`, of a body that was read already. */
export async function decodeBytes<T = KubeObject>(request: ApiRequest, bytes: Buffer, format: BodyFormat, mode: FieldValidation, expected: ResourceReference & ExpectedKind, model: string): Promise<T> {
  const { object, warnings } = await decode<T & { metadata?: object }>(model, bytes, format, mode, { expected });
  for (const text of warnings) request.addWarning(text);
  object.metadata ??= {};
  return object;
}

async function decode<T>(model: string, bytes: Buffer, format: BodyFormat, mode: FieldValidation, options: DecodeOptions): Promise<Decoded<T>> {
  if (format !== "protobuf") return decodeBody<T>(model, bytes, mode, { ...options, mediaType: format });
  let value: unknown;
  try { value = readProtobuf(model, bytes); }
  catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw badRequest(`the object provided is unrecognized (must be of type ${options.expected?.kind ?? model}): ${error.message}`);
  }
  return decodeValue<T>(model, value, mode, options);
}

/** DeleteOptions of the body and the query. The body wins, as upstream decodes the query only without one. */
export async function readDeleteOptions(request: ApiRequest): Promise<{ options: DeleteOptions; context: WriteContext }> {
  const bytes = await request.source.readBody();
  let options: DeleteOptions;
  if (bytes.length > 0) {
    const format = bodyFormat(request);
    // Any group's version of the kind is the same kind.
    const { object } = await decode<DeleteOptions>("DeleteOptions", bytes, format, "Ignore", {});
    if (object.kind !== undefined && object.kind !== "" && object.kind !== "DeleteOptions") throw badRequest(`decoded object cannot be converted to DeleteOptions`);
    options = object;
  } else options = optionsOfQuery(request.query);
  checkDryRun(request, options.dryRun ?? []);
  const context = writeContext(request);
  return { options, context: { ...context, dryRun: context.dryRun || (options.dryRun ?? []).length > 0 } };
}

function optionsOfQuery(query: URLSearchParams): DeleteOptions {
  const options: DeleteOptions = {}, grace = query.get("gracePeriodSeconds"), policy = query.get("propagationPolicy");
  if (grace !== null && grace !== "") {
    if (!/^[-+]?\d+$/.test(grace)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`);
    options.gracePeriodSeconds = Number(grace);
  }
  if (policy !== null && policy !== "") options.propagationPolicy = policy;
  if (query.has("orphanDependents")) options.orphanDependents = queryFlag(query, "orphanDependents");
  return options;
}
