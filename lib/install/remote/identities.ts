/**
 * Keys a person can log in with: those the agent holds and those in files, each as its public half and a way to sign.
 *
 * Promise: a passphrase is asked for only once the host has said it would take that key, as OpenSSH does; that needs the public half,
 * which lies open in OpenSSH's own format and beside the others as `.pub`. Signing never leaves the agent.
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import ssh2, { type ParsedKey, type SigningRequestOptions } from "ssh2";
import { fingerprint } from "./known-hosts.ts";

/** What a signature over the login is made with. */
export type SignatureHash = SigningRequestOptions["hash"];

export interface Identity {
  /** As messages name it: `agent: alice@laptop (SHA256:…)`, or the file. Unlike that of any other. */
  readonly label: string;
  readonly publicKey: ParsedKey;
  /** Rejects when there is no passphrase to be had, or the wrong one. */
  sign(data: Buffer, hash: SignatureHash): Promise<Buffer>;
}

/** A key file that is of no use, and why. */
export interface UselessKey { readonly label: string; readonly why: string }

/** OpenSSH's defaults that this user has. Order: OpenSSH 9 tries ed25519 last; here the best comes first. */
export function defaultIdentityFiles(home: string): string[] {
  return ["id_ed25519", "id_ecdsa", "id_rsa"].map((name) => path.join(home, ".ssh", name)).filter((file) => existsSync(file));
}

/** What the agent at this socket holds. No agent, or one that does not answer, holds nothing: the reason comes back instead. */
export function agentIdentities(socketPath: string | undefined): Promise<{ identities: Identity[]; useless: UselessKey[] }> {
  if (socketPath === undefined || socketPath === "") return Promise.resolve({ identities: [], useless: [] });
  const agent = ssh2.createAgent(socketPath);
  return new Promise((resolve) => {
    agent.getIdentities((error, keys) => {
      if (error !== undefined && error !== null) return resolve({ identities: [], useless: [{ label: "agent", why: `SSH_AUTH_SOCK leads to no agent (${error.message})` }] });
      const parsed = (keys ?? []).map((key) => ssh2.utils.parseKey(key as ParsedKey)).filter((key): key is ParsedKey => !(key instanceof Error));
      resolve({ useless: [], identities: parsed.map((publicKey) => ({
        label: `agent: ${publicKey.comment === "" || publicKey.comment === undefined ? publicKey.type : publicKey.comment} (${fingerprint(publicKey.getPublicSSH())})`, // Comments repeat; labels tell keys apart.
        publicKey,
        sign: (data, hash) => new Promise<Buffer>((done, fail) => {
          agent.sign(publicKey, data, hash === undefined ? {} : { hash }, (failure, signature) => (signature === undefined ? fail(failure ?? new Error("the agent gave no signature")) : done(signature)));
        }),
      })) });
    });
  });
}

/** Asks for the passphrase of a key file; undefined when there is none to be had. */
export type AskPassphrase = (file: string) => Promise<string | undefined>;

/** The identity in a private key file, or why it holds none. */
export async function fileIdentity(file: string, ask: AskPassphrase): Promise<Identity | UselessKey> {
  let text: Buffer;
  try { text = readFileSync(file); }
  catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return { label: file, why: code === "ENOENT" ? "no such file" : `cannot be read (${code ?? "unknown error"})` };
  }
  const open = parsePrivate(text);
  if (!(open instanceof Error)) return { label: file, publicKey: open, sign: (data, hash) => signWith(open, data, hash) };
  if (!/encrypted/i.test(open.message)) return { label: file, why: "holds no private key of a kind that is known" };
  const unlock = async (): Promise<ParsedKey> => {
    const passphrase = await ask(file);
    if (passphrase === undefined) throw new Error("its passphrase is needed and there is none to be had");
    const key = parsePrivate(text, passphrase);
    if (key instanceof Error) throw new Error("the passphrase is wrong", { cause: key });
    return key;
  };
  const publicKey = publicHalf(text, file);
  if (publicKey !== undefined) return { label: file, publicKey, sign: async (data, hash) => signWith(await unlock(), data, hash) };
  try { // An old format without its .pub: the host cannot be asked first.
    const key = await unlock();
    return { label: file, publicKey: key, sign: (data, hash) => signWith(key, data, hash) };
  } catch (error) { return { label: file, why: (error as Error).message }; }
}

function parsePrivate(text: Buffer, passphrase?: string): ParsedKey | Error {
  const parsed = ssh2.utils.parseKey(text, passphrase) as ParsedKey | ParsedKey[] | Error, key = Array.isArray(parsed) ? parsed[0]! : parsed;
  if (key instanceof Error || key.isPrivateKey()) return key;
  return new Error("a public key");
}

async function signWith(key: ParsedKey, data: Buffer, hash: SignatureHash): Promise<Buffer> {
  const signature = key.sign(data, hash) as Buffer | Error;
  if (signature instanceof Error) throw signature;
  return signature;
}

/** The public half of an encrypted key. Source: OpenSSH PROTOCOL.key, section 1. */
function publicHalf(text: Buffer, file: string): ParsedKey | undefined {
  const beside = `${file}.pub`;
  let source = existsSync(beside) ? readFileSync(beside).toString("latin1").trim() : undefined;
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]+)-----END/.exec(text.toString("latin1"))?.[1];
  if (body !== undefined) source = openSshPublicLine(Buffer.from(body, "base64")) ?? source;
  if (source === undefined) return undefined;
  const key = ssh2.utils.parseKey(source) as ParsedKey | ParsedKey[] | Error, first = Array.isArray(key) ? key[0]! : key;
  return first instanceof Error ? undefined : first;
}

function openSshPublicLine(blob: Buffer): string | undefined {
  const magic = "openssh-key-v1\0";
  if (blob.subarray(0, magic.length).toString("latin1") !== magic) return undefined;
  try {
    let at = magic.length;
    const string = (): Buffer => { const start = at + 4; at = start + blob.readUInt32BE(at); return blob.subarray(start, at); };
    for (let skipped = 0; skipped < 3; skipped += 1) string(); // Cipher, key derivation and its options.
    at += 4; // How many keys: one, ever since.
    const key = string();
    return `${key.subarray(4, 4 + key.readUInt32BE(0)).toString("latin1")} ${key.toString("base64")}`;
  } catch { return undefined; } // Cut short: then it is no key anyhow.
}
