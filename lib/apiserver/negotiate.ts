/**
 * Content negotiation: which form of an answer the client wants, and what form a body is in.
 * Counterpart: apiserver `endpoints/handlers/negotiation`. Protobuf is not served: clients that prefer it name JSON as well.
 */
import { StatusError } from "../api/status-error.ts";
import type { ApiRequest } from "./http/exchange.ts";

export type Transform = "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList";
export interface Negotiated {
  readonly format: "json" | "yaml";
  readonly as: Transform | undefined;
  /** Of the transform: v1 or v1beta1. */
  readonly version: string;
  readonly contentType: string;
  readonly pretty: boolean;
}

export const JSON_TYPE = "application/json", YAML_TYPE = "application/yaml";
const ACCEPTED = `${JSON_TYPE}, ${YAML_TYPE}`;
const PLAIN: Negotiated = { format: "json", as: undefined, version: "", contentType: JSON_TYPE, pretty: false };
const PRETTY: Negotiated = { ...PLAIN, pretty: true };

export interface AcceptClause { readonly type: string; readonly parameters: Readonly<Record<string, string>>; readonly q: number }

/** The clauses of an Accept header, most wanted first. */
export function parseAccept(text: string): AcceptClause[] {
  const clauses = text.split(",").map((part) => {
    const [type = "", ...rest] = part.split(";").map((piece) => piece.trim());
    const parameters: Record<string, string> = {};
    for (const piece of rest) {
      const equals = piece.indexOf("=");
      if (equals > 0) parameters[piece.slice(0, equals).trim().toLowerCase()] = piece.slice(equals + 1).trim().replace(/^"(.*)"$/, "$1");
    }
    const q = parameters["q"] === undefined ? 1 : Number(parameters["q"]);
    return { type: type.toLowerCase(), parameters, q: Number.isFinite(q) ? q : 0 };
  });
  // A stable sort: clauses of one weight stay in the client's order, wildcards behind what they cover.
  return clauses.filter((clause) => clause.type !== "" && clause.q > 0).sort((a, b) => b.q - a.q || wildness(a) - wildness(b));
}

const wildness = (clause: AcceptClause): number => (clause.type === "*/*" || clause.type === "*" ? 2 : clause.type.endsWith("/*") ? 1 : 0);

const acceptCache = new Map<string, readonly AcceptClause[]>();
const ACCEPT_CACHE_MAX = 200;

function clausesOf(header: string): readonly AcceptClause[] {
  let clauses = acceptCache.get(header);
  if (clauses === undefined) {
    clauses = parseAccept(header);
    if (acceptCache.size >= ACCEPT_CACHE_MAX) acceptCache.clear();
    acceptCache.set(header, clauses);
  }
  return clauses;
}

export const notAcceptable = (accepted: string): StatusError => new StatusError("NotAcceptable", `only the following media types are accepted: ${accepted}`);

/** Browsers and curl get indented answers, unless they say otherwise. */
function isPretty(request: ApiRequest): boolean {
  const asked = request.query.get("pretty");
  if (asked !== null) return asked !== "false" && asked !== "0";
  return /^(?:curl|Wget|Mozilla\/5\.0)/.test(request.headers["user-agent"] ?? "");
}

function formatOf(type: string): "json" | "yaml" | undefined {
  switch (type) {
    case JSON_TYPE: case "*/*": case "application/*": case "*": return "json";
    case YAML_TYPE: case "application/vnd.kubernetes.yaml": return "yaml";
    default: return undefined;
  }
}

/** What to answer with, of the transforms this place knows. Throws NotAcceptable. */
export function negotiate(request: ApiRequest, transforms: readonly Transform[]): Negotiated {
  const { accept } = request.headers, pretty = isPretty(request);
  if (accept === undefined || accept === "" || accept === "*/*" || accept === JSON_TYPE) return pretty ? PRETTY : PLAIN;
  for (const { type, parameters } of clausesOf(accept)) {
    const format = formatOf(type), as = parameters["as"];
    if (format === undefined) continue;
    if (as === undefined) return { format, as: undefined, version: "", contentType: format === "json" ? JSON_TYPE : YAML_TYPE, pretty };
    const version = parameters["v"] ?? "v1";
    if (parameters["g"] !== "meta.k8s.io" || (version !== "v1" && version !== "v1beta1") || !(transforms as readonly string[]).includes(as)) continue;
    return { format, as: as as Transform, version, contentType: format === "json" ? JSON_TYPE : YAML_TYPE, pretty };
  }
  throw notAcceptable(ACCEPTED);
}

/** The media type of a request body, without parameters, lower case; JSON when none is named. */
export function bodyType(request: ApiRequest): string {
  const header = request.headers["content-type"];
  if (header === undefined || header === "") return JSON_TYPE;
  const semicolon = header.indexOf(";");
  return (semicolon < 0 ? header : header.slice(0, semicolon)).trim().toLowerCase();
}

export const unsupportedMediaType = (accepted: string): StatusError =>
  new StatusError("UnsupportedMediaType", `the body of the request was in an unknown format - accepted media types include: ${accepted}`);
