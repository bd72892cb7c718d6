/**
 * Keeps the certificates of a master fresh while it runs: those in `pki/` that its authorities signed and those in its kubeconfigs, each renewed like for
 * like when a third of its life is left. Whoever uses them reads them again, so nothing is restarted and no request fails.
 *
 * It needs neither the API server nor a lease: a master that was off until everything had ended heals itself at start, and so does a pair of
 * which a crash left one half. What no authority here signed (a certificate an administrator brought) is left alone, the authorities too.
 * Counterpart: kubeadm `certs renew all` and a restart by hand. See docs/decisions: who renews on a master.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { X509Certificate } from "node:crypto";
import path from "node:path";
import { readKubeconfig, writeKubeconfig, type Kubeconfig } from "../client/kubeconfig.ts";
import { readCertificate, type KeyPair } from "../pki/certificate.ts";
import { parsePrivateKey, privateKeyPem } from "../pki/keys.ts";
import { renewalReason, renewLike, signerOf } from "../pki/renew.ts";
import { writeKeyFile, writePublicFile } from "../pki/write-file.ts";
import { isAbort } from "../util/abort.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import type { Runnable } from "../util/runnable.ts";

export const LOOK_PERIOD_MS = 3_600_000;
/** The one whose names follow the host's addresses. */
const API_SERVER = "apiserver";

export interface MasterCertificatesDeps { readonly clock: Pick<Clock, "now" | "sleep">; readonly log: Logger; /** This host's addresses as they are now. */ readonly addresses?: (() => readonly string[]) | undefined }
export interface MasterCertificatesOptions { /** The folder with kubeconfigs and, in `pki/`, certificates. */ readonly directory: string; readonly lookPeriodMs?: number | undefined }

interface Leaf { readonly name: string; readonly certificatePem: string; readonly keyPem: string | undefined; readonly names: readonly string[]; readonly put: (pair: KeyPair) => void }

const text = (file: string): string | undefined => (existsSync(file) ? readFileSync(file, "utf8") : undefined);
const isAuthority = (pem: string): boolean => { try { return readCertificate(pem).isAuthority; } catch { return false; } };

/** The certificates of `pki/` with a key beside them, authorities apart. */
function readPairs(folder: string, addresses: readonly string[]): { authorities: KeyPair[]; leafs: Leaf[] } {
  const authorities: KeyPair[] = [], leafs: Leaf[] = [];
  for (const file of existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".crt")).toSorted() : []) {
    const name = file.slice(0, -".crt".length), certificateFile = path.join(folder, file), keyFile = path.join(folder, `${name}.key`), certificatePem = text(certificateFile)!, keyPem = text(keyFile);
    if (isAuthority(certificatePem)) {
      if (keyPem !== undefined) authorities.push({ certificate: new X509Certificate(certificatePem), certificatePem, key: parsePrivateKey(keyPem) });
    } else leafs.push({
      name: certificateFile, certificatePem, keyPem, names: name === API_SERVER ? addresses : [],
      // Readers take the two only together; one that starts between them finds the rest at its next look.
      put: (pair) => { writeKeyFile(keyFile, privateKeyPem(pair.key)); writePublicFile(certificateFile, pair.certificatePem); },
    });
  }
  return { authorities, leafs };
}

const decode = (data: string): string => Buffer.from(data, "base64").toString("utf8");
const encode = (pem: string): string => Buffer.from(pem).toString("base64");

/** The certificates inside kubeconfigs. Those that name files belong to whoever keeps the files. */
function readKubeconfigs(folder: string, log: Logger): Leaf[] {
  return readdirSync(folder).filter((name) => name.endsWith(".conf")).toSorted().flatMap((name): Leaf[] => {
    const file = path.join(folder, name);
    let kubeconfig: Kubeconfig;
    try { kubeconfig = readKubeconfig(file); } catch (error) { log.warn({ file, error }, "cannot read a kubeconfig"); return []; }
    const [user] = kubeconfig.users, certificate = user?.user["client-certificate-data"];
    if (user === undefined || kubeconfig.users.length !== 1 || certificate === undefined) return [];
    const key = user.user["client-key-data"];
    return [{
      name: file, certificatePem: decode(certificate), keyPem: key === undefined ? undefined : decode(key), names: [],
      put: (pair) => writeKubeconfig(file, { ...kubeconfig, users: [{ ...user, user: { ...user.user, "client-certificate-data": encode(pair.certificatePem), "client-key-data": encode(privateKeyPem(pair.key)) } }] }),
    }];
  });
}

export class MasterCertificates implements Runnable {
  readonly name = "certificates of this master";
  readonly #deps: MasterCertificatesDeps;
  readonly #directory: string;
  readonly #lookPeriodMs: number;

  constructor(deps: MasterCertificatesDeps, { directory, lookPeriodMs = LOOK_PERIOD_MS }: MasterCertificatesOptions) {
    this.#deps = deps;
    this.#directory = directory;
    this.#lookPeriodMs = lookPeriodMs;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    try {
      for (;;) {
        try { this.renewDue(); } catch (error) { log.error({ error }, "cannot look after this master's certificates, will retry"); }
        await clock.sleep(this.#lookPeriodMs, signal);
      }
    } catch (error) { if (!isAbort(error, signal)) throw error; }
  }

  /** One look at everything. One that cannot be renewed is told and leaves the others. Returns the files that were written. */
  renewDue(): string[] {
    const { clock, log, addresses } = this.#deps, { authorities, leafs } = readPairs(path.join(this.#directory, "pki"), addresses?.() ?? []), renewed: string[] = [], now = clock.now();
    for (const { name, certificatePem, keyPem, names, put } of [...leafs, ...readKubeconfigs(this.#directory, log)]) {
      try {
        const authority = signerOf(certificatePem, authorities), reason = authority === undefined ? undefined : renewalReason(certificatePem, keyPem, { now, names });
        if (authority === undefined || reason === undefined) continue;
        const pair = renewLike(authority, certificatePem, { now, names });
        put(pair);
        renewed.push(name);
        log.info({ file: name, reason, until: pair.certificate.validToDate.toISOString() }, "certificate renewed");
      } catch (error) { log.error({ file: name, error }, "cannot renew a certificate, will retry"); }
    }
    return renewed;
  }
}
