/**
 * Upstream resolvers from a `resolv.conf`. A loopback resolver is either systemd-resolved's stub, behind which its own file has
 * the real ones, or would send our questions back to us: both are told apart here, so that no question goes round for ever.
 */
import { readFile } from "node:fs/promises";
import { formatIp, parseIp } from "../util/ip.ts";

export const SYSTEMD_RESOLVED_FILE = "/run/systemd/resolve/resolv.conf", RESOLV_CONF = "/etc/resolv.conf";
export const UPSTREAMS_MAX = 3; // As libc reads no more.

/** Addresses after `nameserver`, in order, each once. */
export function parseResolvConf(text: string): string[] {
  const found: string[] = [];
  for (const line of text.split("\n")) {
    const match = /^\s*nameserver\s+([^\s#;%]+)/.exec(line), ip = match === null ? undefined : parseIp(match[1]!);
    if (ip !== undefined && !found.includes(formatIp(ip))) found.push(formatIp(ip));
  }
  return found;
}

const isLoopback = (address: string): boolean => address.startsWith("127.") || address === "::1";

/** Reads the upstreams of this host. `own` are addresses this very server answers on. A file that is not there gives none. */
export async function readUpstreams(file: string, own: ReadonlySet<string>, read: (file: string) => Promise<string> = (f) => readFile(f, "utf8")): Promise<string[]> {
  const listed = parseResolvConf(await read(file).catch(() => ""));
  const usable = listed.filter((address) => !isLoopback(address) && !own.has(address));
  if (usable.length > 0 || listed.length === 0) return usable.slice(0, UPSTREAMS_MAX);
  const behindStub = parseResolvConf(await read(SYSTEMD_RESOLVED_FILE).catch(() => ""));
  return behindStub.filter((address) => !isLoopback(address) && !own.has(address)).slice(0, UPSTREAMS_MAX);
}
