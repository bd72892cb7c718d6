/**
 * The certificates and keys of a cluster in one folder, made once and kept fresh.
 *
 * `ensureClusterPki` is idempotent: it keeps what is valid, renews leafs with less than 90 days left (or whose names
 * no longer cover what is asked, or that another CA signed), and renews a CA with less than a year left under its old
 * key, so everything it signed stays valid. A CA certificate without its key, or with a key that is not its own, is an
 * error: replacing it silently would cut off every client. Counterpart: kubeadm `phases/certs`.
 */
import { X509Certificate, type KeyObject } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { createAuthority, issue, keyMatches, readCertificate, type IssueOptions, type KeyPair } from "./certificate.ts";
import { sameName } from "./distinguished-name.ts";
import { generateKey, parsePrivateKey, privateKeyPem, publicKeyPem, sameKey, parsePublicKeys } from "./keys.ts";
import { alternativeNames } from "./subject-alt-name.ts";
import { writeKeyFile, writePublicFile } from "./write-file.ts";

const DAY_MS = 86_400_000;
export const LEAF_RENEW_BEFORE_MS = 90 * DAY_MS;
export const CA_RENEW_BEFORE_MS = 365 * DAY_MS;

export interface ClusterPkiOptions {
  /** The folder, e.g. `/etc/kaji/pki`. */
  readonly dir: string;
  /** Addresses clients reach the API server at, its Service address included. */
  readonly advertiseAddresses: readonly string[];
  /** DNS names (or more addresses) of the API server, e.g. those of the Service `kubernetes`. */
  readonly serviceNames: readonly string[];
  readonly clock: { now(): Date };
}

export interface ClusterPki {
  readonly ca: KeyPair;
  readonly frontProxyCa: KeyPair;
  readonly apiServer: KeyPair;
  readonly apiServerKubeletClient: KeyPair;
  readonly frontProxyClient: KeyPair;
  readonly serviceAccountKey: KeyObject;
  /** Names of the files this call wrote; empty when everything was fresh. */
  readonly written: readonly string[];
}

/** Makes or renews every file the folder should hold. Synchronous: start-up work. Throws with the file's name when something there cannot be used. */
export function ensureClusterPki(options: ClusterPkiOptions): ClusterPki {
  const written: string[] = [], now = options.clock.now();
  const folder = { dir: options.dir, now, written };
  const ca = ensureAuthority(folder, "ca", "kubernetes"), frontProxyCa = ensureAuthority(folder, "front-proxy-ca", "front-proxy-ca");
  const names = [...options.serviceNames, "localhost", ...options.advertiseAddresses, "127.0.0.1", "::1"];
  return {
    ca, frontProxyCa,
    apiServer: ensureLeaf(folder, "apiserver", ca, { subject: { commonName: "kube-apiserver" }, usages: ["server"], names, now }),
    apiServerKubeletClient: ensureLeaf(folder, "apiserver-kubelet-client", ca,
      { subject: { commonName: "kube-apiserver-kubelet-client", organizations: ["kubeadm:cluster-admins"] }, usages: ["client"], now }),
    frontProxyClient: ensureLeaf(folder, "front-proxy-client", frontProxyCa, { subject: { commonName: "front-proxy-client" }, usages: ["client"], now }),
    serviceAccountKey: ensureServiceAccountKey(folder),
    written,
  };
}

interface Folder { readonly dir: string; readonly now: Date; readonly written: string[] }

function readIfThere(folder: Folder, file: string): string | undefined {
  const full = path.join(folder.dir, file);
  return existsSync(full) ? readFileSync(full, "utf8") : undefined;
}

function writeKey(folder: Folder, file: string, key: KeyObject): void {
  writeKeyFile(path.join(folder.dir, file), privateKeyPem(key));
  folder.written.push(file);
}

function writePublic(folder: Folder, file: string, pem: string): void {
  writePublicFile(path.join(folder.dir, file), pem);
  folder.written.push(file);
}

function ensureAuthority(folder: Folder, name: string, commonName: string): KeyPair {
  const certificatePem = readIfThere(folder, `${name}.crt`), keyPem = readIfThere(folder, `${name}.key`);
  const file = path.join(folder.dir, `${name}.crt`);
  if (certificatePem !== undefined && keyPem === undefined) throw new Error(`Cannot use the CA ${file}: its key ${name}.key is missing; restore it, or remove both to begin a new cluster identity`);
  // The key is written first: a key without a certificate is what a crash in between leaves behind.
  const key = keyPem === undefined ? generateKey() : parsePrivateKey(keyPem);
  if (keyPem === undefined) writeKey(folder, `${name}.key`, key);
  if (certificatePem !== undefined) {
    const certificate = new X509Certificate(certificatePem);
    if (!keyMatches(certificate, key)) throw new Error(`Cannot use the CA ${file}: ${name}.key is not its key`);
    if (certificate.validToDate.getTime() - folder.now.getTime() > CA_RENEW_BEFORE_MS) return { certificate, certificatePem, key };
    commonName = readCertificate(certificatePem).subject.commonName;
  }
  const authority = createAuthority({ commonName, now: folder.now, key });
  writePublic(folder, `${name}.crt`, authority.certificatePem);
  return authority;
}

/** Why the pair cannot be kept, or undefined when it can. Also for kubeconfigs and other places that hold a leaf. */
export function leafProblem(pair: Pick<KeyPair, "certificate" | "key">, authority: Pick<KeyPair, "certificate">, wanted: IssueOptions, renewBeforeMs = LEAF_RENEW_BEFORE_MS): string | undefined {
  const facts = readCertificate(pair.certificate.raw), names = alternativeNames(wanted.names ?? []);
  if (!keyMatches(pair.certificate, pair.key)) return "the key is not the certificate's";
  if (!pair.certificate.verify(authority.certificate.publicKey)) return "another CA signed it";
  if (!sameName(facts.subject, wanted.subject)) return "the subject differs";
  if (facts.notAfter.getTime() - wanted.now.getTime() <= renewBeforeMs) return "it expires soon";
  if (facts.notBefore.getTime() > wanted.now.getTime()) return "it is not valid yet";
  if (!names.dnsNames.every((name) => facts.dnsNames.includes(name))) return "a DNS name is missing";
  if (!names.ipAddresses.every((address) => facts.ipAddresses.includes(address))) return "an address is missing";
  return wanted.usages.every((usage) => facts.usages.includes(usage)) ? undefined : "a usage is missing";
}

function ensureLeaf(folder: Folder, name: string, authority: KeyPair, wanted: IssueOptions): KeyPair {
  const certificatePem = readIfThere(folder, `${name}.crt`), keyPem = readIfThere(folder, `${name}.key`);
  if (certificatePem !== undefined && keyPem !== undefined) {
    const pair = { certificate: new X509Certificate(certificatePem), certificatePem, key: parsePrivateKey(keyPem) };
    if (leafProblem(pair, authority, wanted) === undefined) return pair;
  }
  const pair = issue(authority, wanted);
  writeKey(folder, `${name}.key`, pair.key);
  writePublic(folder, `${name}.crt`, pair.certificatePem);
  return pair;
}

function ensureServiceAccountKey(folder: Folder): KeyObject {
  const keyPem = readIfThere(folder, "sa.key"), publicPem = readIfThere(folder, "sa.pub");
  const key = keyPem === undefined ? generateKey("rsa") : parsePrivateKey(keyPem);
  if (keyPem === undefined) writeKey(folder, "sa.key", key);
  const known = publicPem === undefined ? [] : parsePublicKeys(publicPem);
  if (!known.some((each) => sameKey(each, key))) writePublic(folder, "sa.pub", publicKeyPem(key));
  return key;
}
