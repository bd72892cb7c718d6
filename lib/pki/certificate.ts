/**
 * X.509 certificates: issued by a CA of ours, and read back.
 *
 * Promises: version 3, random 127-bit serials, SHA-256 signatures, critical basic constraints and key usage, key
 * identifiers that depend on the key alone, so a CA renewed with its old key still verifies what it signed before.
 * The encoding is the library's; synchronous, because it is start-up work and the keys are node:crypto's.
 * Counterpart: kubeadm `util/pkiutil` and client-go `util/cert`. Source: RFC 5280.
 */
import { createHash, createPublicKey, type KeyObject, randomBytes, X509Certificate } from "node:crypto";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier, AuthorityKeyIdentifier, BasicConstraints, Certificate, ExtendedKeyUsage, Extension, Extensions, id_ce_authorityKeyIdentifier, id_ce_basicConstraints,
  id_ce_extKeyUsage, id_ce_keyUsage, id_ce_subjectAltName, id_ce_subjectKeyIdentifier, id_kp_clientAuth, id_kp_serverAuth, KeyIdentifier, KeyUsage, KeyUsageFlags, type Name,
  SubjectKeyIdentifier, SubjectPublicKeyInfo, TBSCertificate, Validity, Version,
} from "@peculiar/asn1-x509";
import { decodeName, encodeName, type DistinguishedName } from "./distinguished-name.ts";
import { generateKey, publicKeyDer, sameKey, signatureAlgorithm, signBytes, type KeyKind } from "./keys.ts";
import { fromPem, toPem } from "./pem.ts";
import { alternativeNames, decodeAlternativeNames, encodeAlternativeNames } from "./subject-alt-name.ts";

export const LEAF_LIFETIME_MS = 365 * 86_400_000;
export const CA_LIFETIME_MS = 3650 * 86_400_000;
/** Validity begins this much earlier, so a host whose clock is a little behind accepts a fresh certificate. */
export const BACKDATE_MS = 5 * 60_000;

export type CertificateUsage = "server" | "client";
/** A certificate and its private key. */
export interface KeyPair { readonly certificate: X509Certificate; readonly certificatePem: string; readonly key: KeyObject }

export interface IssueOptions {
  readonly subject: DistinguishedName;
  readonly usages: readonly CertificateUsage[];
  /** DNS names and IP addresses, mixed. */
  readonly names?: readonly string[];
  readonly now: Date;
  readonly lifetimeMs?: number;
}

function extension(extnID: string, value: object, critical = false): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

/** SHA-1 of the public key's bits (RFC 5280 4.2.1.2, method 1): a name, not a defence. */
function keyIdentifier(publicKey: KeyObject): ArrayBuffer {
  const digest = createHash("sha1").update(Buffer.from(AsnConvert.parse(publicKeyDer(publicKey), SubjectPublicKeyInfo).subjectPublicKey)).digest();
  return new Uint8Array(digest).buffer;
}

interface SignInput { subject: DistinguishedName; publicKey: KeyObject; issuer: Name; issuerKey: KeyObject; extensions: readonly Extension[]; now: Date; notAfter: Date }
function signCertificate(input: SignInput): string {
  const serial = new Uint8Array(randomBytes(16));
  serial[0] = (serial[0]! & 0x7f) | 0x40; // Positive, and always 16 bytes.
  const tbsCertificate = new TBSCertificate({
    version: Version.v3, serialNumber: serial.buffer, signature: new AlgorithmIdentifier(signatureAlgorithm(input.issuerKey)), issuer: input.issuer,
    validity: new Validity({ notBefore: new Date(input.now.getTime() - BACKDATE_MS), notAfter: input.notAfter }),
    subject: encodeName(input.subject), subjectPublicKeyInfo: AsnConvert.parse(publicKeyDer(input.publicKey), SubjectPublicKeyInfo),
    extensions: new Extensions([
      ...input.extensions,
      extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdentifier(input.publicKey))),
      extension(id_ce_authorityKeyIdentifier, new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(keyIdentifier(input.issuerKey)) })),
    ]),
  });
  const signature = signBytes(input.issuerKey, Buffer.from(AsnConvert.serialize(tbsCertificate)));
  const certificate = new Certificate({ tbsCertificate, signatureAlgorithm: tbsCertificate.signature, signatureValue: new Uint8Array(signature).buffer });
  return toPem("CERTIFICATE", Buffer.from(AsnConvert.serialize(certificate)));
}

/** A self-signed CA certificate for `key` (a new ECDSA key when absent). */
export function createAuthority(options: { commonName: string; now: Date; key?: KeyObject; lifetimeMs?: number }): KeyPair {
  const key = options.key ?? generateKey(), subject = { commonName: options.commonName };
  const usage = new KeyUsage(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment | KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign);
  const certificatePem = signCertificate({
    subject, publicKey: key, issuer: encodeName(subject), issuerKey: key, now: options.now,
    notAfter: new Date(options.now.getTime() + (options.lifetimeMs ?? CA_LIFETIME_MS)),
    extensions: [extension(id_ce_basicConstraints, new BasicConstraints({ cA: true }), true), extension(id_ce_keyUsage, usage, true)],
  });
  return { certificate: new X509Certificate(certificatePem), certificatePem, key };
}

/** Signs a certificate for a public key somebody else holds. It never outlives the CA. Returns PEM. */
export function signLeaf(authority: Pick<KeyPair, "certificate" | "key">, publicKey: KeyObject, options: IssueOptions): string {
  const wanted = options.now.getTime() + (options.lifetimeMs ?? LEAF_LIFETIME_MS), names = alternativeNames(options.names ?? []);
  const hasNames = names.dnsNames.length + names.ipAddresses.length > 0;
  return signCertificate({
    subject: options.subject, publicKey, issuer: AsnConvert.parse(authority.certificate.raw, Certificate).tbsCertificate.subject, issuerKey: authority.key, now: options.now,
    notAfter: new Date(Math.min(wanted, authority.certificate.validToDate.getTime())),
    extensions: [
      extension(id_ce_basicConstraints, new BasicConstraints({ cA: false }), true),
      extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment), true),
      extension(id_ce_extKeyUsage, new ExtendedKeyUsage(options.usages.map((usage) => (usage === "server" ? id_kp_serverAuth : id_kp_clientAuth)))),
      ...(hasNames ? [extension(id_ce_subjectAltName, encodeAlternativeNames(names), options.subject.commonName === "")] : []),
    ],
  });
}

/** A certificate with a key of its own, signed by `authority`. */
export function issue(authority: Pick<KeyPair, "certificate" | "key">, options: IssueOptions & { keyKind?: KeyKind }): KeyPair {
  const key = generateKey(options.keyKind ?? "ecdsa"), certificatePem = signLeaf(authority, key, options);
  return { certificate: new X509Certificate(certificatePem), certificatePem, key };
}

/** What `readCertificate` finds. */
export interface CertificateFacts {
  readonly subject: Required<DistinguishedName>;
  readonly issuer: Required<DistinguishedName>;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly usages: readonly CertificateUsage[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly isAuthority: boolean;
}

/** Subject of a certificate in DER. Throws when it is not one. */
export const readSubject = (raw: Buffer): Required<DistinguishedName> => decodeName(AsnConvert.parse(raw, Certificate).tbsCertificate.subject);

/** Reads a certificate from PEM (its first block) or DER. Throws when it is not one. */
export function readCertificate(input: string | Buffer): CertificateFacts {
  const certificate = new X509Certificate(input), { subject, issuer, extensions = [] } = AsnConvert.parse(certificate.raw, Certificate).tbsCertificate;
  const value = (oid: string): ArrayBuffer | undefined => [...extensions].find((each) => each.extnID === oid)?.extnValue.buffer;
  const alternative = value(id_ce_subjectAltName), usage = value(id_ce_extKeyUsage);
  const names = alternative === undefined ? { dnsNames: [], ipAddresses: [] } : decodeAlternativeNames(alternative);
  const purposes = usage === undefined ? [] : [...AsnConvert.parse(usage, ExtendedKeyUsage)];
  return {
    subject: decodeName(subject), issuer: decodeName(issuer), dnsNames: names.dnsNames, ipAddresses: names.ipAddresses,
    usages: [...(purposes.includes(id_kp_serverAuth) ? ["server" as const] : []), ...(purposes.includes(id_kp_clientAuth) ? ["client" as const] : [])],
    notBefore: certificate.validFromDate, notAfter: certificate.validToDate, isAuthority: certificate.ca,
  };
}

/** Every certificate of a PEM bundle. */
export const readBundle = (pem: string): X509Certificate[] => fromPem("CERTIFICATE", pem).map((raw) => new X509Certificate(raw));
/** Whether `key` is the certificate's own. */
export const keyMatches = (certificate: X509Certificate, key: KeyObject): boolean => sameKey(certificate.publicKey, createPublicKey(key));
