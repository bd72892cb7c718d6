/**
 * Keeps one certificate file fresh while the daemon runs: asks the cluster for a new one when the time has come, and puts it in the old one's place.
 *
 * The file holds certificate and key together, so that no reader and no crash sees half a pair. Renewal is due after 70 to 90 % of the
 * lifetime (where in between is drawn once for each certificate, so that nodes do not all ask at once), at once when the file is missing,
 * unreadable, signed by itself or lacks a name that is wished for by now. A refusal or a lost connection is tried again, later and later; the old file stays until then.
 * Counterpart: client-go `util/certificate`.
 */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { writeKeyFile } from "../pki/write-file.ts";
import { isAbort } from "../util/abort.ts";
import { backoffMs, resolveBackoff } from "../util/backoff.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import type { Runnable } from "../util/runnable.ts";
import type { Client } from "../client/client.ts";
import { requestCertificate, type CertificateWish } from "./request-certificate.ts";

const ATTEMPT_MS = 15 * 60_000, BACKOFF = resolveBackoff({ baseMs: 2_000, maxMs: 5 * 60_000 });
/** Timers longer than this are set anew: a clock may be put right meanwhile, an address change. */
const LOOK_AGAIN_MS = 6 * 3_600_000, LOOK_AT_NAMES_MS = 60_000;

/** When the certificate should be renewed, in milliseconds since the epoch; `share` in 0..1 says where in the window, `names` what it must be good for. Zero: at once. */
export function renewAtMs(pem: string | undefined, share: number, names: readonly string[] = []): number {
  if (pem === undefined) return 0;
  try {
    const certificate = new X509Certificate(pem);
    if (certificate.checkIssued(certificate)) return 0;
    if (!names.every((name) => (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined)) return 0;
    const from = certificate.validFromDate.getTime(), to = certificate.validToDate.getTime();
    return from + (to - from) * (0.7 + 0.2 * share);
  } catch { return 0; }
}

export interface CertificateKeeperDeps { readonly client: Client; readonly clock: Clock; readonly log: Logger; /** 0 to 1. */ readonly random?: () => number }

export class CertificateKeeper implements Runnable {
  readonly name: string;
  readonly #deps: CertificateKeeperDeps;
  readonly #file: string;
  readonly #wish: () => CertificateWish;

  constructor(deps: CertificateKeeperDeps, file: string, wish: () => CertificateWish) {
    this.name = `certificate ${file}`;
    this.#deps = deps;
    this.#file = file;
    this.#wish = wish;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, random = Math.random } = this.#deps;
    try {
      for (let failures = 0, share = random(); ;) {
        const { names } = this.#wish(), waitMs = renewAtMs(this.#read(), share, names) - clock.now().getTime();
        if (waitMs > 0) { await clock.sleep(Math.min(waitMs, names === undefined ? LOOK_AGAIN_MS : LOOK_AT_NAMES_MS), signal); continue; }
        try {
          await this.#renew(signal);
          log.info({ file: this.#file }, "certificate renewed");
          [failures, share] = [0, random()];
        } catch (error) {
          if (signal.aborted) return;
          const retryInMs = backoffMs(BACKOFF, failures++);
          log.warn({ file: this.#file, error, retryInMs }, "cannot renew the certificate, will retry");
          await clock.sleep(retryInMs, signal);
        }
      }
    } catch (error) { if (!isAbort(error, signal)) throw error; }
  }

  #read(): string | undefined {
    try { return readFileSync(this.#file, "utf8"); }
    catch { return undefined; }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#deps, attempt = new AbortController(), cancel = clock.after(ATTEMPT_MS, () => attempt.abort());
    try {
      const { certificatePem, keyPem } = await requestCertificate(client, this.#wish(), AbortSignal.any([signal, attempt.signal]));
      writeKeyFile(this.#file, certificatePem + keyPem);
    } finally { cancel(); }
  }
}
