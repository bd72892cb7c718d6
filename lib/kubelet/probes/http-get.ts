/** One HTTP request of a probe or hook: any certificate will do, redirects stay on the same host. Counterpart: `pkg/probe/http`. */
import http from "node:http";
import https from "node:https";
import { probeDeadline } from "./probe-deadline.ts";

export interface HttpResult { readonly status: number; readonly body: string }
const BODY_MAX_BYTES = 10 * 1024, REDIRECTS_MAX = 10;
export const PROBE_USER_AGENT = "kube-probe/1.36";

function once(url: URL, shown: string, headers: Record<string, string>, timeoutMs: number, signal: AbortSignal): Promise<HttpResult & { location: string | undefined }> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === "https:" ? https : http).request(url, { method: "GET", headers, agent: false, rejectUnauthorized: false, signal }, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      const finish = (): void => { answered(); resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).subarray(0, BODY_MAX_BYTES).toString("utf8"), location: response.headers.location }); };
      response.on("data", (chunk: Buffer) => { chunks.push(chunk); length += chunk.length; if (length >= BODY_MAX_BYTES) { finish(); request.destroy(); } });
      response.on("end", finish);
      response.on("error", () => undefined);
    });
    const answered = probeDeadline(timeoutMs, () => request.destroy(new Error(`Get "${shown}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`)));
    request.on("error", (error: NodeJS.ErrnoException) => { answered(); reject(error.syscall === undefined ? error : new Error(`Get "${shown}": ${dialError(url, error)}`, { cause: error })); });
    request.end();
  });
}

const WORDS: Record<string, string> = { ECONNREFUSED: "connection refused", EHOSTUNREACH: "no route to host", ENETUNREACH: "network is unreachable", ECONNRESET: "connection reset by peer", ETIMEDOUT: "i/o timeout" };

/** A failed connect in Go's words. */
export function dialError(where: { hostname: string; port: string; protocol?: string }, error: NodeJS.ErrnoException): string {
  const port = where.port === "" ? (where.protocol === "https:" ? "443" : "80") : where.port;
  return error.syscall === "connect" ? `dial tcp ${where.hostname}:${port}: connect: ${WORDS[error.code ?? ""] ?? error.message}` : `read tcp ${where.hostname}:${port}: ${WORDS[error.code ?? ""] ?? error.message}`;
}

/** Fetches `url`, which messages call `shown`. Throws when no answer came within `timeoutMs`. */
export async function httpGet({ url, shown, headers }: { url: URL; shown: string; headers: Record<string, string> }, timeoutMs: number, signal: AbortSignal): Promise<HttpResult> {
  const endMs = performance.now() + timeoutMs;
  let here = url;
  for (let redirects = 0; ; redirects++) {
    const result = await once(here, here === url ? shown : here.href, headers, Math.max(1, endMs - performance.now()), signal);
    if (result.status < 300 || result.status >= 400 || result.location === undefined) return result;
    const next = new URL(result.location, here);
    if (next.hostname !== url.hostname) return result; // Another host is not the pod's health.
    if (redirects >= REDIRECTS_MAX) throw new Error(`Get "${next.href}": stopped after 10 redirects`);
    here = next;
  }
}
