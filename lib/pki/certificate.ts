/**
 * X.509 certificates: issued by a CA of ours, and read back.
 *
 * Promises: version 3, random 127-bit serials, SHA-256 signatures, critical basic constraints and key usage, key
 * identifiers that depend on the key alone, so a CA renewed with its old key still verifies what it signed before.
 * Counterpart: kubeadm `util/pkiutil` and client-go `util/cert`. Source: RFC 5280.
 */
import { createHash, createPublicKey, type KeyObject, randomBytes, X509Certificate } from "node:crypto";
import { derBits, derBoolean, derContext, derContextPrimitive, derOctets, derOid, derSequence, derTime, derUnsigned, readDer, readDerMembers, readOid } from "./der.ts";
import { decodeName, encodeName, type DistinguishedName } from "./distinguished-name.ts";
import { generateKey, publicKeyDer, sameKey, signatureAlgorithm, signBytes, type KeyKind } from "./keys.ts";
import { fromPem, toPem } from "./pem.ts";
import { alternativeNames, decodeAlternativeNames, encodeAlternativeNames } from "./subject-alt-name.ts";

export const LEAF_LIFETIME_MS = 365 * 86_400_000;
export const CA_LIFETIME_MS = 3650 * 86_400_000;
/** Validity begins this much earlier, so a host whose clock is a little behind accepts a fresh certificate. */
export const BACKDATE_MS = 5 * 60_000;

export type CertificateUsage = "server" | "client";
/** A certificate and its private key, both also as PEM. */
export interface KeyPair { readonly certificate: X509Certificate; readonly certificatePem: string; readonly key: KeyObject }

export interface IssueOptions {
  readonly subject: DistinguishedName;
  readonly usages: readonly CertificateUsage[];
  /** DNS names and IP addresses, mixed. */
  readonly names?: readonly string[];
  readonly now: Date;
  readonly lifetimeMs?: number;
}

const OID = {
  subjectKeyIdentifier: "2.5.29.14", keyUsage: "2.5.29.15", subjectAltName: "2.5.29.17", basicConstraints: "2.5.29.19", authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37", serverAuth: "1.3.6.1.5.5.7.3.1", clientAuth: "1.3.6.1.5.5.7.3.2",
};
const extension = (oid: string, value: Buffer, critical = false): Buffer => derSequence(derOid(oid), ...(critical ? [derBoolean(true)] : []), derOctets(value));

/** SHA-1 of the public key's bits (RFC 5280 4.2.1.2, method 1): a name, not a defence. */
function keyIdentifier(publicKey: KeyObject): Buffer {
  const bits = readDerMembers(readDer(publicKeyDer(publicKey)).content)[1]!;
  return createHash("sha1").update(bits.content.subarray(1)).digest();
}

interface SignInput { subject: DistinguishedName; publicKey: KeyObject; issuer: Buffer; issuerKey: KeyObject; extensions: readonly Buffer[]; now: Date; notAfter: Date }
function signCertificate(input: SignInput): string {
  const algorithm = signatureAlgorithm(input.issuerKey), serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x7f) | 0x40; // Positive, and always 16 bytes.
  const toBeSigned = derSequence(
    derContext(0, derUnsigned(Buffer.from([2]))), derUnsigned(serial), algorithm, input.issuer,
    derSequence(derTime(new Date(input.now.getTime() - BACKDATE_MS)), derTime(input.notAfter)),
    encodeName(input.subject), publicKeyDer(input.publicKey),
    derContext(3, derSequence(...input.extensions,
      extension(OID.subjectKeyIdentifier, derOctets(keyIdentifier(input.publicKey))),
      extension(OID.authorityKeyIdentifier, derSequence(derContextPrimitive(0, keyIdentifier(input.issuerKey)))))),
  );
  return toPem("CERTIFICATE", derSequence(toBeSigned, algorithm, derBits(signBytes(input.issuerKey, toBeSigned))));
}

/** A self-signed CA certificate for `key` (a new ECDSA key when absent). */
export function createAuthority(options: { commonName: string; now: Date; key?: KeyObject; lifetimeMs?: number }): KeyPair {
  const key = options.key ?? generateKey(), subject = { commonName: options.commonName };
  const usage = derBits(Buffer.from([0b1010_0110]), 1); // digitalSignature, keyEncipherment, keyCertSign, cRLSign
  const certificatePem = signCertificate({
    subject, publicKey: key, issuer: encodeName(subject), issuerKey: key, now: options.now,
    notAfter: new Date(options.now.getTime() + (options.lifetimeMs ?? CA_LIFETIME_MS)),
    extensions: [extension(OID.basicConstraints, derSequence(derBoolean(true)), true), extension(OID.keyUsage, usage, true)],
  });
  return { certificate: new X509Certificate(certificatePem), certificatePem, key };
}

/** Signs a certificate for a public key somebody else holds. It never outlives the CA. Returns PEM. */
export function signLeaf(authority: Pick<KeyPair, "certificate" | "key">, publicKey: KeyObject, options: IssueOptions): string {
  const wanted = options.now.getTime() + (options.lifetimeMs ?? LEAF_LIFETIME_MS), names = alternativeNames(options.names ?? []);
  const hasNames = names.dnsNames.length + names.ipAddresses.length > 0;
  return signCertificate({
    subject: options.subject, publicKey, issuer: certificateParts(authority.certificate.raw).subject, issuerKey: authority.key, now: options.now,
    notAfter: new Date(Math.min(wanted, authority.certificate.validToDate.getTime())),
    extensions: [
      extension(OID.basicConstraints, derSequence(), true),
      extension(OID.keyUsage, derBits(Buffer.from([0b1010_0000]), 5), true), // digitalSignature, keyEncipherment
      extension(OID.extendedKeyUsage, derSequence(...options.usages.map((usage) => derOid(usage === "server" ? OID.serverAuth : OID.clientAuth)))),
      ...(hasNames ? [extension(OID.subjectAltName, encodeAlternativeNames(names), options.subject.commonName === "")] : []),
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

function certificateParts(raw: Buffer): { issuer: Buffer; subject: Buffer; extensions: Map<string, Buffer> } {
  const parts = readDerMembers(readDerMembers(readDer(raw).content)[0]!.content);
  const start = parts[0]!.tag === 0xa0 ? 1 : 0; // The version is absent in version 1.
  const extensions = new Map<string, Buffer>();
  const block = parts.find((part) => part.tag === 0xa3);
  for (const each of block === undefined ? [] : readDerMembers(readDer(block.content).content)) {
    const members = readDerMembers(each.content);
    extensions.set(readOid(members[0]!.content), members.at(-1)!.content);
  }
  return { issuer: parts[start + 2]!.raw, subject: parts[start + 4]!.raw, extensions };
}

/** Subject of a certificate in DER: the hot path of client certificate authentication reads no more. Throws DerError. */
export const readSubject = (raw: Buffer): Required<DistinguishedName> => decodeName(readDer(certificateParts(raw).subject).content);

/** Reads a certificate from PEM (its first block) or DER. Throws when it is not one. */
export function readCertificate(input: string | Buffer): CertificateFacts {
  const certificate = new X509Certificate(input), parts = certificateParts(certificate.raw);
  const alternative = parts.extensions.get(OID.subjectAltName), usage = parts.extensions.get(OID.extendedKeyUsage);
  const names = alternative === undefined ? { dnsNames: [], ipAddresses: [] } : decodeAlternativeNames(alternative);
  const oids = usage === undefined ? [] : readDerMembers(readDer(usage).content).map((member) => readOid(member.content));
  return {
    subject: decodeName(readDer(parts.subject).content), issuer: decodeName(readDer(parts.issuer).content), dnsNames: names.dnsNames, ipAddresses: names.ipAddresses,
    usages: [...(oids.includes(OID.serverAuth) ? ["server" as const] : []), ...(oids.includes(OID.clientAuth) ? ["client" as const] : [])],
    notBefore: certificate.validFromDate, notAfter: certificate.validToDate, isAuthority: certificate.ca,
  };
}

/** Every certificate of a PEM bundle. */
export const readBundle = (pem: string): X509Certificate[] => fromPem("CERTIFICATE", pem).map((raw) => new X509Certificate(raw));
/** Whether `key` is the certificate's own. */
export const keyMatches = (certificate: X509Certificate, key: KeyObject): boolean => sameKey(certificate.publicKey, createPublicKey(key));
