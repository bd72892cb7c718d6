/** Values of a repeated request header, each for itself, as Go's `http.Header` keeps them. */
import type { Credentials } from "../contracts.ts";

export type Headers = Pick<Credentials, "headers" | "rawHeaders">;

/** Every value sent under `name` (lower case), in order, empty ones included. */
export function headerValues(headers: Headers, name: string): string[] {
  const joined = headers.headers[name];
  if (joined === undefined) return [];
  if (headers.rawHeaders === undefined) return typeof joined === "string" ? [joined] : joined;
  const values: string[] = [];
  for (let i = 0; i + 1 < headers.rawHeaders.length; i += 2) if (headers.rawHeaders[i]!.toLowerCase() === name) values.push(headers.rawHeaders[i + 1]!);
  return values;
}

/** The first value that is not empty, else "". */
export const firstHeaderValue = (headers: Headers, names: readonly string[]): string => {
  for (const name of names) {
    const value = headerValues(headers, name)[0];
    if (value !== undefined && value !== "") return value;
  }
  return "";
};

/** Values of all headers that begin with `prefix` (lower case), by the decoded rest of the name: user extras. */
export function prefixedHeaderValues(headers: Headers, prefix: string): Record<string, string[]> {
  // Not assigned one by one: a key may be called `__proto__`.
  return Object.fromEntries(Object.keys(headers.headers).filter((name) => name.startsWith(prefix)).map((name) => [decodeKey(name.slice(prefix.length)), headerValues(headers, name)]));
}

function decodeKey(encoded: string): string {
  try { return decodeURIComponent(encoded); }
  catch { return encoded; } // Malformed escapes are kept as they are, as upstream does.
}
