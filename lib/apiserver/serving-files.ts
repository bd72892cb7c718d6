/**
 * Certificates, keys and authorities read from files, and read again when a file changes: renewal needs no restart.
 * A file that cannot be read, or a pair that does not fit, leaves what was there in force and is logged.
 * Counterpart: apiserver `server/dynamiccertificates`.
 */
import { X509Certificate } from "node:crypto";
import { readFileSync, unwatchFile, watchFile } from "node:fs";
import { createSecureContext } from "node:tls";
import { readBundle } from "../pki/certificate.ts";
import type { Logger } from "../util/logger.ts";
import type { ServingCertificates } from "./http/listener.ts";

export interface ServingFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly clientCaFile: string | undefined;
  readonly frontProxyCaFile: string | undefined;
}

export const RELOAD_PERIOD_MS = 5_000;

export class ServingFileReader {
  readonly #files: ServingFiles;
  readonly #log: Logger;
  #serving: ServingCertificates;
  #clients: readonly X509Certificate[] = [];
  #frontProxies: readonly X509Certificate[] = [];

  /** Reads everything once. Throws with the file's name when something there cannot be used. */
  constructor(files: ServingFiles, log: Logger) {
    this.#files = files;
    this.#log = log;
    this.#serving = this.#read();
  }

  get serving(): ServingCertificates { return this.#serving; }
  /** The same array until the file changes. */
  readonly clientAuthorities = (): readonly X509Certificate[] => this.#clients;
  readonly frontProxyAuthorities = (): readonly X509Certificate[] => this.#frontProxies;

  #read(): ServingCertificates {
    const { certificateFile, keyFile, clientCaFile, frontProxyCaFile } = this.#files;
    const certificatePem = readFileSync(certificateFile, "utf8"), keyPem = readFileSync(keyFile, "utf8");
    try { createSecureContext({ cert: certificatePem, key: keyPem }); }
    catch (error) { throw new Error(`Cannot serve with certificate ${JSON.stringify(certificateFile)} and key ${JSON.stringify(keyFile)}: ${(error as Error).message}`, { cause: error }); }
    const clientCa = clientCaFile === undefined ? "" : readFileSync(clientCaFile, "utf8"), frontProxyCa = frontProxyCaFile === undefined ? "" : readFileSync(frontProxyCaFile, "utf8");
    this.#clients = readBundle(clientCa);
    this.#frontProxies = readBundle(frontProxyCa);
    // TLS asks for certificates of either authority; who may be what is decided afterwards.
    const both = `${clientCa}\n${frontProxyCa}`;
    return { certificatePem, keyPem, clientCaPem: both.trim() === "" ? undefined : both };
  }

  /** Calls back after a change until `signal` aborts. */
  follow(onChange: (serving: ServingCertificates) => void, signal: AbortSignal, periodMs: number = RELOAD_PERIOD_MS): void {
    const reload = (): void => {
      try {
        this.#serving = this.#read();
        onChange(this.#serving);
        this.#log.info({ certificate: new X509Certificate(this.#serving.certificatePem).serialNumber }, "serving certificates reloaded");
      } catch (error) { this.#log.error({ error }, "cannot reload serving certificates, keeping the old ones"); }
    };
    const files = Object.values(this.#files).filter((file): file is string => file !== undefined);
    for (const file of files) watchFile(file, { interval: periodMs, persistent: false }, reload);
    signal.addEventListener("abort", () => { for (const file of files) unwatchFile(file, reload); }, { once: true });
  }
}
