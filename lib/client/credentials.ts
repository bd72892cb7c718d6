/**
 * Credentials of a ClientConfig, read from disk when they change.
 *
 * Promises: `current()` never returns half of a rotated pair (certificate and key are read together and checked to belong
 * together by TLS itself; a pair that fails to read keeps the last good one); `version` grows when TLS material changed, so a
 * connection made with the old one can be replaced. Counterpart: client-go `transport/cert_rotation.go`, `token_source.go`.
 */
import { readFileSync, statSync } from "node:fs";
import { X509Certificate, createPrivateKey } from "node:crypto";
import path from "node:path";
import type { ClientConfig } from "./client-config.ts";
import { configFromKubeconfig, readKubeconfig } from "./kubeconfig.ts";

export interface TlsMaterial { ca?: string; cert?: string; key?: string }

/** Files are looked at most this often. */
export const CREDENTIAL_CHECK_INTERVAL_MS = 5_000;

/** Identity of a file's content without reading it: two writes within one mtime tick still differ in inode or size. */
function stampOf(file: string | undefined): string {
  if (file === undefined) return "";
  try { const s = statSync(file, { bigint: true }); return `${s.ino}:${s.mtimeNs}:${s.size}`; }
  catch { return "missing"; }
}

const read = (data: string | undefined, file: string | undefined): string | undefined =>
  data ?? (file === undefined ? undefined : readFileSync(file, "utf8"));

/** Data as the kubeconfig has it now; where it says nothing any more, as it was given. */
function latest(config: ClientConfig): Pick<ClientConfig, "caData" | "certificateData" | "keyData"> {
  const file = config.kubeconfigFile;
  if (file === undefined || config.certificateData === undefined) return config;
  const fresh = configFromKubeconfig(readKubeconfig(file), path.dirname(file), config.kubeconfigContext);
  return { caData: fresh.caData ?? config.caData, certificateData: fresh.certificateData ?? config.certificateData, keyData: fresh.keyData ?? config.keyData };
}

/** The client certificate, when there is one, signs for the key beside it. Throws when a writer is between the two files. */
function assertPair(material: TlsMaterial): void {
  if (material.cert === undefined || material.key === undefined) return;
  if (!new X509Certificate(material.cert).checkPrivateKey(createPrivateKey(material.key))) throw new Error("Cannot use client certificate: it does not belong to the key");
}

export class Credentials {
  readonly #config: ClientConfig;
  readonly #monotonicMs: () => number;
  #tls: TlsMaterial | undefined;
  #tlsStamp = "";
  #token: string | undefined;
  #tokenStamp = "";
  #checkedAtMs = Number.NEGATIVE_INFINITY;
  #version = 0;

  constructor(config: ClientConfig, monotonicMs: () => number) {
    this.#config = config;
    this.#monotonicMs = monotonicMs;
  }

  /** Grows whenever the TLS material changed. */
  get version(): number { this.#refresh(); return this.#version; }

  /** Throws only when the material could never be read. */
  tls(): TlsMaterial { this.#refresh(); return this.#tls!; }

  /** The Authorization header's value, if any. */
  authorization(): string | undefined {
    if (this.#config.tokenSource !== undefined) return `Bearer ${this.#config.tokenSource()}`;
    this.#refresh();
    if (this.#token !== undefined) return `Bearer ${this.#token}`;
    const { username, password } = this.#config;
    return username === undefined ? undefined : `Basic ${Buffer.from(`${username}:${password ?? ""}`).toString("base64")}`;
  }

  #refresh(): void {
    const nowMs = this.#monotonicMs();
    if (nowMs - this.#checkedAtMs < CREDENTIAL_CHECK_INTERVAL_MS) return;
    const config = this.#config;
    const stamp = [config.caFile, config.certificateFile, config.keyFile, config.kubeconfigFile].map(stampOf).join(" ");
    if (this.#tls === undefined || stamp !== this.#tlsStamp) {
      try {
        const material: TlsMaterial = {}, { caData, certificateData, keyData } = latest(config);
        const ca = read(caData, config.caFile), cert = read(certificateData, config.certificateFile), key = read(keyData, config.keyFile);
        if (ca !== undefined) material.ca = ca;
        if (cert !== undefined) material.cert = cert;
        if (key !== undefined) material.key = key;
        assertPair(material);
        this.#tls = material;
        this.#tlsStamp = stamp;
        this.#version++;
      } catch (error) {
        if (this.#tls === undefined) throw new Error(`Cannot read credentials for ${config.server}: ${(error as Error).message}`, { cause: error });
      }
    }
    this.#refreshToken();
    this.#checkedAtMs = nowMs;
  }

  #refreshToken(): void {
    const { token, tokenFile } = this.#config;
    if (tokenFile === undefined) { this.#token = token; return; }
    const stamp = stampOf(tokenFile);
    if (stamp === this.#tokenStamp) return;
    try {
      const text = readFileSync(tokenFile, "utf8").trim();
      if (text === "") throw new Error("the file is empty");
      this.#token = text;
      this.#tokenStamp = stamp;
    } catch (error) {
      this.#token ??= token;
      if (this.#token === undefined) throw new Error(`Cannot read token file "${tokenFile}": ${(error as Error).message}`, { cause: error });
    }
  }
}
