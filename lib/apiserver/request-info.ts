/**
 * What a request asks for, read from its method and path alone.
 * Counterpart: apiserver `endpoints/request/requestinfo.go`.
 */
import { badRequest } from "../api/status-error.ts";

export interface RequestInfo {
  /** False: a path such as /healthz or /api. */
  readonly isResourceRequest: boolean;
  /** get list watch create update patch delete deletecollection; for other paths the lower-case method. */
  readonly verb: string;
  readonly apiGroup: string;
  readonly apiVersion: string;
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** Path segments after a subresource (`proxy/a/b` gives `["a", "b"]`), and after nothing else. */
  readonly rest: readonly string[];
}

const VERBS: Record<string, string> = { POST: "create", GET: "get", HEAD: "get", PUT: "update", PATCH: "patch", DELETE: "delete" };
const NAMESPACE_SUBRESOURCES = new Set(["status", "finalize"]);

const nonResource = (method: string): RequestInfo =>
  ({ isResourceRequest: false, verb: method.toLowerCase(), apiGroup: "", apiVersion: "", namespace: "", resource: "", subresource: "", name: "", rest: [] });

function decodeSegment(segment: string): string {
  if (!segment.includes("%")) return segment;
  try { return decodeURIComponent(segment); }
  catch { throw badRequest(`invalid URL escape ${JSON.stringify(segment)}`); }
}

/** `metadata.name=x` in a field selector names the one object a list or watch is about. */
function nameFromFieldSelector(query: URLSearchParams): string {
  const match = /(?:^|,)metadata\.name=?=([^,=!\\]+)(?:,|$)/.exec(query.get("fieldSelector") ?? "");
  return match?.[1] ?? "";
}

/** A boolean of a query as upstream reads it: present and neither "false" nor "0". */
export const queryFlag = (query: URLSearchParams, key: string): boolean => {
  const value = query.get(key);
  return value !== null && value !== "0" && value.toLowerCase() !== "false";
};

/** Reads the request info. Throws StatusError BadRequest for a path that cannot be decoded. */
export function requestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const isCore = path.startsWith("/api/");
  if (!isCore && !path.startsWith("/apis/")) return nonResource(method);
  const parts = path.split("/").filter((part) => part !== "").map(decodeSegment);
  // /api/VERSION/… and /apis/GROUP/VERSION/…: less than one more segment is discovery.
  const head = isCore ? 2 : 3;
  if (parts.length <= head) return nonResource(method);
  const apiGroup = isCore ? "" : parts[1]!, apiVersion = parts[head - 1]!;
  let segments = parts.slice(head), verb = VERBS[method] ?? "";
  if (segments[0] === "watch" || segments[0] === "proxy") {
    if (segments.length < 2) throw badRequest(`unable to determine kind and namespace from url: ${path}`);
    verb = segments[0]!;
    segments = segments.slice(1);
  }
  let namespace = "";
  if (segments[0] === "namespaces") {
    if (segments.length > 1) {
      namespace = segments[1]!;
      if (segments.length > 2 && !NAMESPACE_SUBRESOURCES.has(segments[2]!)) segments = segments.slice(2);
    }
  }
  const resource = segments[0] ?? "", subresource = segments[2] ?? "";
  let name = segments[1] ?? "";
  if (name === "" && verb === "get") {
    verb = queryFlag(query, "watch") ? "watch" : "list";
    name = nameFromFieldSelector(query);
  } else if (name === "" && verb === "delete") verb = "deletecollection";
  return { isResourceRequest: true, verb, apiGroup, apiVersion, namespace, resource, subresource, name, rest: segments.slice(3) };
}

/** Answers that last as long as the client likes: they count against no limit and have no deadline. */
export const isLongRunning = (info: RequestInfo): boolean =>
  info.verb === "watch" || info.verb === "proxy" || ["proxy", "exec", "attach", "portforward", "log"].includes(info.subresource);
