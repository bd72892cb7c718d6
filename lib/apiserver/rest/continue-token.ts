/** Continue tokens: upstream's own form, so that a client may carry one across servers. Counterpart: apiserver `storage/continue.go`. */
import { badRequest } from "../../api/status-error.ts";

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
  let token: { v?: unknown; rv?: unknown; start?: unknown };
  try { token = JSON.parse(Buffer.from(text, "base64url").toString()) as typeof token; }
  catch { throw badRequest("continue key is not valid: invalid character"); }
  if (token === null || typeof token !== "object" || token.v !== "meta.k8s.io/v1") throw badRequest(`continue key is not valid: server does not recognize this encoded version ${JSON.stringify(typeof token?.v === "string" ? token.v : "")}`);
  if (typeof token.rv !== "number" || !Number.isSafeInteger(token.rv) || token.rv === 0) throw badRequest("continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  if (typeof token.start !== "string" || token.start === "") throw badRequest("continue key is not valid: encoded start key empty (version meta.k8s.io/v1)");
  if (token.start.split("/").includes("..")) throw badRequest(`continue key is not valid: ${token.start}`);
  return { revision: token.rv, startKey: prefix + token.start };
}
