/** Continue tokens: upstream's own form, so that a client may carry one across servers. Counterpart: apiserver `storage/continue.go`. */
import path from "node:path";
import { parseJson } from "../../api/decode/json-parser.ts";
import { badRequest, type StatusError } from "../../api/status-error.ts";

export interface ContinueToken {
  /** Revision the list shows; -1: whatever is newest, a list that is no longer consistent. */
  readonly revision: number;
  /** First key not yet listed, below the resource's prefix. */
  readonly start: string;
}

/** `startKey` begins with `prefix`. */
export function encodeContinue(revision: number, startKey: string, prefix: string): string {
  return Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start: startKey.slice(prefix.length) })).toString("base64url");
}

/** Throws BadRequest for what is none of ours. */
export function decodeContinue(text: string, prefix: string): { revision: number; startKey: string } {
  const { v = "", rv = 0, start = "" } = readToken(decodeBase64(text));
  if (typeof v !== "string") throw notValid(`: json: cannot unmarshal ${goName(v)} into Go struct field continueToken.v of type string`);
  if (typeof rv !== "number" || !Number.isSafeInteger(rv)) throw notValid(`: json: cannot unmarshal ${goName(rv)} into Go struct field continueToken.rv of type int64`);
  if (typeof start !== "string") throw notValid(`: json: cannot unmarshal ${goName(start)} into Go struct field continueToken.start of type string`);
  if (v !== "meta.k8s.io/v1") throw notValid(`: server does not recognize this encoded version ${v}`);
  if (rv === 0) throw notValid(": incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  if (start === "") throw notValid(": encoded start key empty (version meta.k8s.io/v1)");
  const key = start.startsWith("/") ? start : `/${start}`;
  if (path.posix.normalize(key) !== key || (key.length > 1 && key.endsWith("/"))) throw notValid(`: ${start}`); // No way out of the prefix.
  return { revision: rv, startKey: prefix + key.slice(1) };
}

const notValid = (why: string): StatusError => badRequest(`invalid continue token: continue key is not valid${why}`);
const goName = (value: unknown): string => (typeof value === "number" ? `number ${value}` : typeof value === "boolean" ? "bool" : Array.isArray(value) ? "array" : typeof value);

/** Unpadded and of the alphabet of URLs, or not at all. */
function decodeBase64(text: string): Buffer {
  const bad = text.search(/[^A-Za-z0-9_-]/);
  if (bad >= 0 || text.length % 4 === 1) throw notValid(`: illegal base64 data at input byte ${bad >= 0 ? bad : text.length - 1}`);
  return Buffer.from(text, "base64url");
}

function readToken(bytes: Buffer): Record<string, unknown> {
  let token: unknown;
  try {
    parseJson(bytes);
    token = JSON.parse(bytes.toString());
  } catch (error) { throw notValid(`: ${(error as Error).message}`); }
  if (token !== null && (typeof token !== "object" || Array.isArray(token))) throw notValid(`: json: cannot unmarshal ${goName(token)} into Go value of type storage.continueToken`);
  return Object.fromEntries(Object.entries(token ?? {}).filter(([, value]) => value !== null));
}
