/**
 * `/openapi/v2` and `/openapi/v3`: documents by ETag, so that clients fetch them once.
 * Counterpart: kube-openapi `handler` and `handler3`.
 */
import { OpenapiDocuments, type OpenapiDocument } from "../../api/openapi/documents.ts";
import { OPENAPI_V2_PROTOBUF } from "../../api/openapi/v2-protobuf.ts";
import type { ResourceDefinition } from "../../api/resource-definition.ts";
import type { ApiRequest, ApiResponse } from "../http/exchange.ts";
import { JSON_TYPE, notAcceptable, parseAccept } from "../negotiate.ts";

const V3_PROTOBUF = /^application\/com\.github\.proto-openapi\.spec\.v3[.@]v1\.0\+protobuf$/, V2_PROTOBUF = /^application\/com\.github\.proto-openapi\.spec\.v2[.@]v1\.0\+protobuf$/;

function wanted(request: ApiRequest, protobuf: RegExp | undefined): "json" | "protobuf" {
  const { accept } = request.headers;
  if (accept === undefined || accept === "") return "json";
  for (const { type } of parseAccept(accept)) {
    if (type === JSON_TYPE || type === "application/*" || type === "*/*") return "json";
    if (protobuf?.test(type) === true) return "protobuf";
  }
  throw notAcceptable(`${JSON_TYPE}${protobuf === undefined ? "" : `, ${OPENAPI_V2_PROTOBUF}`}`);
}

function answer(request: ApiRequest, document: OpenapiDocument, contentType: string, named: boolean): ApiResponse {
  const etag = `"${document.hash}"`;
  // A path with the document's hash may be kept for ever.
  const headers = { etag, vary: "Accept", ...(named ? { "cache-control": "public, immutable" } : {}) };
  if (request.headers["if-none-match"] === etag) return { status: 304, contentType, headers, body: "" };
  return { status: 200, contentType, headers, body: document.bytes };
}

/** Answers below `/openapi/`; undefined for a path that is none of ours. */
export function openapiHandler(definitions: readonly ResourceDefinition[], version: string): (request: ApiRequest) => Promise<ApiResponse> | undefined {
  const documents = new OpenapiDocuments(definitions, version);
  return (request) => {
    const path = request.path.replace(/\/$/, "");
    if (path === "/openapi/v2") {
      const form = wanted(request, V2_PROTOBUF);
      return documents.v2(form).then((document) => answer(request, document, form === "json" ? JSON_TYPE : OPENAPI_V2_PROTOBUF, false));
    }
    if (path === "/openapi/v3") return documents.index().then((document) => answer(request, document, JSON_TYPE, false));
    const document = path.startsWith("/openapi/v3/") ? documents.v3(path.slice("/openapi/v3/".length)) : undefined;
    if (document === undefined) return undefined;
    // Clients that like protobuf better name JSON as well.
    if (!V3_PROTOBUF.test(request.headers.accept ?? "")) wanted(request, undefined);
    return document.then((found) => answer(request, found, JSON_TYPE, request.query.has("hash")));
  };
}
