/**
 * Known host keys: who a host was when it was met first, and whether it is still that one. Pure but for `KnownHosts`, which reads and
 * appends to files.
 *
 * Understands what OpenSSH writes: plain and hashed names, `[host]:port`, patterns with `*`, `?` and `!`, several keys a host and
 * `@revoked`. `@cert-authority` lines are left alone: certificates of hosts are not read. Stricter than OpenSSH in one point: a
 * host that is known by keys of other types only counts as changed, not as new. Source: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
 */
import { createHash, createHmac, randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { ServerHostKeyAlgorithm } from "ssh2";

export interface KnownKey { readonly file: string; readonly line: number; readonly hosts: string; readonly revoked: boolean; readonly type: string; readonly key: Buffer }

/** `SHA256:…`, as ssh-keygen -l prints it. */
export const fingerprint = (key: Buffer): string => `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;

/** The type a public key says it is of: its first string. Source: RFC 4253, section 6.6. */
export const keyType = (key: Buffer): string => key.subarray(4, 4 + key.readUInt32BE(0)).toString("latin1");

/** The name a host goes by in the file. */
export const knownHostName = (address: string, port: number): string => (port === 22 ? address.toLowerCase() : `[${address.toLowerCase()}]:${port}`);

/** Reads one file's text; lines that make no sense are skipped, as OpenSSH does. */
export function parseKnownHosts(text: string, file: string): KnownKey[] {
  return text.split("\n").flatMap((raw, index) => {
    const words = raw.trim().split(/\s+/);
    if (words[0] === "" || words[0]!.startsWith("#")) return [];
    const mark = words[0]!.startsWith("@") ? words.shift() : undefined, [hosts, type, encoded] = words;
    if (mark !== undefined && mark !== "@revoked") return [];
    if (hosts === undefined || type === undefined || encoded === undefined) return [];
    const key = Buffer.from(encoded, "base64");
    if (key.length < 8 || key.readUInt32BE(0) > key.length - 4 || keyType(key) !== type) return [];
    return [{ file, line: index + 1, hosts, revoked: mark !== undefined, type, key }];
  });
}

function matchesHosts(hosts: string, name: string): boolean {
  if (hosts.startsWith("|1|")) {
    const [, , salt, hash] = hosts.split("|");
    return createHmac("sha1", Buffer.from(salt ?? "", "base64")).update(name).digest("base64") === hash;
  }
  let matched = false;
  for (const pattern of hosts.toLowerCase().split(",")) {
    const negated = pattern.startsWith("!"), glob = negated ? pattern.slice(1) : pattern;
    if (!matchesGlob(glob, name)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

/** `*` and `?` only, in linear space and without a regular expression made from a file. */
function matchesGlob(glob: string, text: string): boolean {
  let g = 0, t = 0, star = -1, resume = 0;
  while (t < text.length) {
    if (glob[g] === "*") { star = g; g += 1; resume = t; }
    else if (g < glob.length && (glob[g] === "?" || glob[g] === text[t])) { g += 1; t += 1; }
    else if (star >= 0) { g = star + 1; resume += 1; t = resume; }
    else return false;
  }
  while (glob[g] === "*") g += 1;
  return g === glob.length;
}

export type HostKeyVerdict =
  | { readonly kind: "known" }
  | { readonly kind: "unknown" }
  | { readonly kind: "changed"; readonly known: readonly KnownKey[] }
  | { readonly kind: "revoked"; readonly known: KnownKey };

/** Judges the key a host showed. */
export function judgeHostKey(known: readonly KnownKey[], address: string, port: number, shown: Buffer): HostKeyVerdict {
  const name = knownHostName(address, port), ofHost = known.filter((entry) => matchesHosts(entry.hosts, name));
  const revoked = ofHost.find((entry) => entry.revoked && entry.key.equals(shown));
  if (revoked !== undefined) return { kind: "revoked", known: revoked };
  const valid = ofHost.filter((entry) => !entry.revoked);
  if (valid.some((entry) => entry.key.equals(shown))) return { kind: "known" };
  if (valid.length > 0) return { kind: "changed", known: valid };
  // A key kept for the host without its port tells who it is as well; that another one is kept there tells nothing.
  const withoutPort = port !== 22 && known.some((entry) => !entry.revoked && entry.key.equals(shown) && matchesHosts(entry.hosts, address.toLowerCase()));
  return { kind: withoutPort ? "known" : "unknown" };
}

const SIGNATURES_OF: Readonly<Record<string, readonly ServerHostKeyAlgorithm[]>> = {
  "ssh-ed25519": ["ssh-ed25519"], "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"], "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"], "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"],
};

/** Algorithms to ask the host for a key with: first those of keys it is known by, so that it shows one of them. */
export function hostKeyAlgorithms(known: readonly KnownKey[], address: string, port: number): ServerHostKeyAlgorithm[] {
  const names = [knownHostName(address, port), address.toLowerCase()];
  const types = new Set(known.filter((entry) => !entry.revoked && names.some((name) => matchesHosts(entry.hosts, name))).map((entry) => entry.type));
  const ordered = Object.keys(SIGNATURES_OF).toSorted((a, b) => Number(types.has(b)) - Number(types.has(a)));
  return ordered.flatMap((type) => SIGNATURES_OF[type]!);
}

/** The line that makes a key known; hashed where the file keeps its names hashed. */
export function knownHostLine(address: string, port: number, key: Buffer, salt?: Buffer): string {
  const name = knownHostName(address, port);
  const hosts = salt === undefined ? name : `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`;
  return `${hosts} ${keyType(key)} ${key.toString("base64")}\n`;
}

/** The files: all are read, new keys go into the first. */
export class KnownHosts {
  readonly #files: readonly [string, ...string[]];
  constructor(files: readonly [string, ...string[]]) { this.#files = files; }

  /** Where OpenSSH keeps them for the user with this home. */
  static ofUser(home: string): KnownHosts {
    return new KnownHosts([path.join(home, ".ssh", "known_hosts"), path.join(home, ".ssh", "known_hosts2"), "/etc/ssh/ssh_known_hosts"]);
  }

  /** Where new keys are written. */
  get file(): string { return this.#files[0]; }

  /** Every key known now: read anew each time, for an operator may be mending the file meanwhile. */
  read(): KnownKey[] { return this.#files.flatMap((file) => parseKnownHosts(readIfThere(file), file)); }

  /** Makes a key known. One short append: other programs' and other hosts' lines stay whole. */
  add(address: string, port: number, key: Buffer): void {
    const text = readIfThere(this.file), hashed = /^(@\S+\s+)?\|1\|/m.test(text);
    mkdirSync(path.dirname(this.file), { recursive: true, mode: 0o700 });
    const line = knownHostLine(address, port, key, hashed ? randomBytes(20) : undefined);
    appendFileSync(this.file, text === "" || text.endsWith("\n") ? line : `\n${line}`, { mode: 0o600 });
  }
}

function readIfThere(file: string): string {
  try { return readFileSync(file, "utf8"); }
  catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    if (code === "ENOENT") return "";
    throw new Error(`Cannot read known host keys from "${file}": ${code}`, { cause: error });
  }
}
