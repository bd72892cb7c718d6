/**
 * A certificate's successor, like for like: its subject, names and uses, a new key of the same kind, as long a life, signed by the authority
 * that signed the old one. Counterpart: kubeadm `certs renew`, which does it when somebody asks.
 */
import { X509Certificate, type KeyObject } from "node:crypto";
import { BACKDATE_MS, issue, keyMatches, readCertificate, type CertificateFacts, type KeyPair } from "./certificate.ts";
import { parsePrivateKey } from "./keys.ts";

/** Renewal is due when a third of the lifetime is left: four months of a year. */
export const RENEW_AT_SHARE = 2 / 3;

export interface RenewalOptions {
  readonly now: Date;
  /** Names and addresses the certificate must carry beside those it has. */
  readonly names?: readonly string[] | undefined;
}

/** When the last third of its life begins, in milliseconds since the epoch. */
export const lastThirdMs = ({ notBefore, notAfter }: Pick<CertificateFacts, "notBefore" | "notAfter">): number => notBefore.getTime() + (notAfter.getTime() - notBefore.getTime()) * RENEW_AT_SHARE;

function parseKey(pem: string | undefined): KeyObject | undefined {
  try { return pem === undefined ? undefined : parsePrivateKey(pem); } catch { return undefined; }
}

/** Why a pair is to be renewed, or undefined while it is good. Throws when the certificate cannot be read. Pure. */
export function renewalReason(certificatePem: string, keyPem: string | undefined, { now, names = [] }: RenewalOptions): string | undefined {
  const facts = readCertificate(certificatePem), key = parseKey(keyPem);
  if (key === undefined || !keyMatches(new X509Certificate(certificatePem), key)) return "the key is not the certificate's";
  const missing = names.find((name) => !facts.dnsNames.includes(name) && !facts.ipAddresses.includes(name));
  if (missing !== undefined) return `${missing} is missing among its names`;
  return now.getTime() >= lastThirdMs(facts) ? "a third of its life is left, or less" : undefined;
}

/** The authority that signed the certificate; undefined when it is none of these. */
export const signerOf = <T extends Pick<KeyPair, "certificate">>(certificatePem: string, authorities: readonly T[]): T | undefined =>
  authorities.find(({ certificate }) => new X509Certificate(certificatePem).verify(certificate.publicKey));

/** The successor of a certificate, with a key of its own. */
export function renewLike(authority: Pick<KeyPair, "certificate" | "key">, certificatePem: string, { now, names = [] }: RenewalOptions): KeyPair {
  const facts = readCertificate(certificatePem), kind = new X509Certificate(certificatePem).publicKey.asymmetricKeyType === "rsa" ? "rsa" : "ecdsa";
  return issue(authority, {
    subject: facts.subject, usages: facts.usages, names: [...new Set([...facts.dnsNames, ...facts.ipAddresses, ...names])], now, keyKind: kind,
    lifetimeMs: facts.notAfter.getTime() - facts.notBefore.getTime() - BACKDATE_MS,
  });
}
