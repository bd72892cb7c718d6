/**
 * `/healthz`, `/livez`, `/readyz`, each check at a path of its own, `?verbose` and `?exclude=`.
 * Counterpart: apiserver `server/healthz`.
 */
import type { ApiRequest, ApiResponse } from "../http/exchange.ts";

export interface HealthCheck {
  readonly name: string;
  /** Where it counts. */
  readonly in: readonly ("healthz" | "livez" | "readyz")[];
  /** Why it fails, or undefined. The reason goes to the log, not to the client. */
  check(): string | undefined | Promise<string | undefined>;
}

const TEXT = "text/plain; charset=utf-8";

/** Answers a health path; undefined for a path that is none. `failed` hears of failures. */
export async function handleHealth(request: ApiRequest, checks: readonly HealthCheck[], failed: (name: string, reason: string) => void): Promise<ApiResponse | undefined> {
  const [, endpoint, name, ...rest] = request.path.split("/");
  if ((endpoint !== "healthz" && endpoint !== "livez" && endpoint !== "readyz") || rest.length > 0) return undefined;
  const mine = checks.filter((check) => check.in.includes(endpoint));
  const headers = { "x-content-type-options": "nosniff" };
  if (name !== undefined && name !== "") {
    const one = mine.find((check) => check.name === name);
    if (one === undefined) return undefined;
    const reason = await one.check();
    if (reason === undefined) return { status: 200, contentType: TEXT, headers, body: "ok" };
    failed(one.name, reason);
    return { status: 500, contentType: TEXT, headers, body: `internal server error: ${reason}\n` };
  }
  const excluded = new Set(request.query.getAll("exclude")), lines: string[] = [];
  let healthy = true;
  for (const check of mine) {
    if (excluded.delete(check.name)) { lines.push(`[+]${check.name} excluded: ok`); continue; }
    const reason = await check.check();
    if (reason === undefined) { lines.push(`[+]${check.name} ok`); continue; }
    healthy = false;
    failed(check.name, reason);
    lines.push(`[-]${check.name} failed: reason withheld`);
  }
  if (excluded.size > 0) lines.push(`warn: some health checks cannot be excluded: no matches for ${[...excluded].map((each) => JSON.stringify(each)).join(",")}`);
  if (!healthy) return { status: 500, contentType: TEXT, headers, body: `${lines.join("\n")}\n${endpoint} check failed\n` };
  return { status: 200, contentType: TEXT, headers, body: request.query.has("verbose") ? `${lines.join("\n")}\n${endpoint} check passed\n` : "ok" };
}
