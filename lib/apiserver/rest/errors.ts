/** Failures as answers: Status objects, in the client's format. Counterpart: apiserver `handlers/responsewriters/errors.go`. */
import { StatusError, type Status } from "../../api/status-error.ts";
import type { Logger } from "../../util/logger.ts";
import type { ApiRequest, ApiResponse } from "../http/exchange.ts";
import { JSON_TYPE, YAML_TYPE, type Negotiated } from "../negotiate.ts";
import { valueResponse } from "./encode.ts";

const PLAIN: Negotiated = { format: "json", as: undefined, version: "", contentType: JSON_TYPE, pretty: false };

/** Any error as a StatusError; our own bugs become InternalError and a log line. */
export function toStatusError(error: unknown, request: ApiRequest, log: Logger): StatusError {
  if (error instanceof StatusError) return error;
  log.error({ error, method: request.method, path: request.path }, "request failed");
  return new StatusError("InternalError", `Internal error occurred: ${error instanceof Error ? error.message : String(error)}`, {
    details: { causes: [{ message: error instanceof Error ? error.message : String(error) }] }, cause: error,
  });
}

export function errorResponse(request: ApiRequest, error: StatusError): ApiResponse {
  const status: Status = error.toStatus(), seconds = error.details?.retryAfterSeconds;
  const wantsYaml = request.headers.accept?.startsWith(YAML_TYPE) === true;
  const response = valueResponse(status, wantsYaml ? { ...PLAIN, format: "yaml", contentType: YAML_TYPE } : PLAIN, error.code);
  return seconds === undefined || seconds <= 0 ? response : { ...response, headers: { "retry-after": String(seconds) } };
}
