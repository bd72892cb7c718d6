/**
 * Certificate signing requests (PKCS 10): made and signed by the key's holder, checked and read by a signer.
 * Counterpart: Go `x509.CertificateRequest`; kubelet's bootstrap and rotation use it. Source: RFC 2986.
 */
import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { DerError, derBits, derContext, derOctets, derOid, derSequence, derSet, derUnsigned, readDer, readDerMembers, readOid } from "./der.ts";
import { decodeName, encodeName, type DistinguishedName } from "./distinguished-name.ts";
import { publicKeyDer, signatureAlgorithm, signBytes } from "./keys.ts";
import { fromPem, toPem } from "./pem.ts";
import { type AlternativeNames, alternativeNames, decodeAlternativeNames, encodeAlternativeNames } from "./subject-alt-name.ts";

const OID_EXTENSION_REQUEST = "1.2.840.113549.1.9.14", OID_SUBJECT_ALT_NAME = "2.5.29.17";

/** Makes and signs a request. Returns PEM. */
export function createRequest(key: KeyObject, options: { subject: DistinguishedName; names?: readonly string[] }): string {
  const names = alternativeNames(options.names ?? []);
  const attributes = names.dnsNames.length + names.ipAddresses.length === 0 ? Buffer.alloc(0)
    : derSequence(derOid(OID_EXTENSION_REQUEST), derSet(derSequence(derSequence(derOid(OID_SUBJECT_ALT_NAME), derOctets(encodeAlternativeNames(names))))));
  const information = derSequence(derUnsigned(Buffer.from([0])), encodeName(options.subject), publicKeyDer(key), derContext(0, attributes));
  return toPem("CERTIFICATE REQUEST", derSequence(information, signatureAlgorithm(key), derBits(signBytes(key, information))));
}

export interface CertificateRequest {
  readonly subject: Required<DistinguishedName>;
  readonly names: Required<AlternativeNames>;
  readonly publicKey: KeyObject;
}

/** Reads a request and checks that its sender holds the key. Throws DerError. */
export function parseRequest(pem: string): CertificateRequest {
  const [raw] = fromPem("CERTIFICATE REQUEST", pem);
  if (raw === undefined) throw new DerError("PEM block type must be CERTIFICATE REQUEST");
  const [information, algorithm, signature] = readDerMembers(readDer(raw).content);
  if (information === undefined || algorithm === undefined || signature === undefined) throw new DerError("Cannot read the certificate request: parts are missing");
  const [, subject, publicKeyInfo, attributes] = readDerMembers(information.content);
  if (subject === undefined || publicKeyInfo === undefined) throw new DerError("Cannot read the certificate request: parts are missing");
  const publicKey = createPublicKey({ key: publicKeyInfo.raw, format: "der", type: "spki" });
  const digest = publicKey.asymmetricKeyType === "ed25519" ? null : digestOf(readOid(readDerMembers(algorithm.content)[0]!.content));
  if (!verify(digest, information.raw, publicKey, signature.content.subarray(1))) throw new DerError("Cannot trust the certificate request: its signature does not fit its key");
  return { subject: decodeName(subject.content), names: requestedNames(attributes?.content), publicKey };
}

function requestedNames(attributes: Buffer | undefined): Required<AlternativeNames> {
  for (const attribute of attributes === undefined ? [] : readDerMembers(attributes)) {
    const [type, values] = readDerMembers(attribute.content);
    if (type === undefined || values === undefined || readOid(type.content) !== OID_EXTENSION_REQUEST) continue;
    for (const extension of readDerMembers(readDer(values.content).content)) {
      const members = readDerMembers(extension.content);
      if (readOid(members[0]!.content) === OID_SUBJECT_ALT_NAME) return decodeAlternativeNames(members.at(-1)!.content);
    }
  }
  return { dnsNames: [], ipAddresses: [], otherNames: 0 };
}

function digestOf(oid: string): string {
  switch (oid) {
    case "1.2.840.10045.4.3.2": case "1.2.840.113549.1.1.11": return "sha256";
    case "1.2.840.10045.4.3.3": case "1.2.840.113549.1.1.12": return "sha384";
    case "1.2.840.10045.4.3.4": case "1.2.840.113549.1.1.13": return "sha512";
    default: throw new DerError(`Cannot check the certificate request: signature algorithm ${oid} is not supported`);
  }
}
