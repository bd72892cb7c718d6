/**
 * Certificate signing requests (PKCS 10): made and signed by the key's holder, checked and read by a signer.
 * Counterpart: Go `x509.CertificateRequest`; kubelet's bootstrap and rotation use it. Source: RFC 2986.
 */
import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import { Attributes, CertificationRequest, CertificationRequestInfo } from "@peculiar/asn1-csr";
import { AlgorithmIdentifier, Attribute, Extension, Extensions, id_ce_subjectAltName, SubjectPublicKeyInfo } from "@peculiar/asn1-x509";
import { decodeName, encodeName, type DistinguishedName } from "./distinguished-name.ts";
import { publicKeyDer, signatureAlgorithm, signBytes } from "./keys.ts";
import { fromPem, toPem } from "./pem.ts";
import { type AlternativeNames, alternativeNames, decodeAlternativeNames, encodeAlternativeNames } from "./subject-alt-name.ts";

const OID_EXTENSION_REQUEST = "1.2.840.113549.1.9.14";

/** A request nobody should sign; the message says what is wrong with it. */
export class CertificateRequestError extends Error { override readonly name = "CertificateRequestError"; }

/** Makes and signs a request. Returns PEM. */
export function createRequest(key: KeyObject, options: { subject: DistinguishedName; names?: readonly string[] }): string {
  const names = alternativeNames(options.names ?? []);
  const extensions = new Extensions([new Extension({ extnID: id_ce_subjectAltName, extnValue: new OctetString(AsnConvert.serialize(encodeAlternativeNames(names))) })]);
  const information = new CertificationRequestInfo({
    subject: encodeName(options.subject), subjectPKInfo: AsnConvert.parse(publicKeyDer(key), SubjectPublicKeyInfo),
    attributes: new Attributes(names.dnsNames.length + names.ipAddresses.length === 0 ? [] : [new Attribute({ type: OID_EXTENSION_REQUEST, values: [AsnConvert.serialize(extensions)] })]),
  });
  const signature = signBytes(key, Buffer.from(AsnConvert.serialize(information)));
  const request = new CertificationRequest({ certificationRequestInfo: information, signatureAlgorithm: new AlgorithmIdentifier(signatureAlgorithm(key)), signature: new Uint8Array(signature).buffer });
  return toPem("CERTIFICATE REQUEST", Buffer.from(AsnConvert.serialize(request)));
}

export interface CertificateRequest {
  readonly subject: Required<DistinguishedName>;
  readonly names: Required<AlternativeNames>;
  readonly publicKey: KeyObject;
}

/** Reads a request and checks that its sender holds the key. Throws CertificateRequestError. */
export function parseRequest(pem: string): CertificateRequest {
  const [raw] = fromPem("CERTIFICATE REQUEST", pem);
  if (raw === undefined) throw new CertificateRequestError("PEM block type must be CERTIFICATE REQUEST");
  let request: CertificationRequest;
  try { request = AsnConvert.parse(raw, CertificationRequest); }
  catch (error) { throw new CertificateRequestError(`Cannot read the certificate request: ${(error as Error).message}`, { cause: error }); }
  const { certificationRequestInfo: information, certificationRequestInfoRaw: signed } = request;
  const publicKey = createPublicKey({ key: Buffer.from(AsnConvert.serialize(information.subjectPKInfo)), format: "der", type: "spki" });
  const digest = publicKey.asymmetricKeyType === "ed25519" ? null : digestOf(request.signatureAlgorithm.algorithm);
  const bytes = Buffer.from(signed ?? AsnConvert.serialize(information));
  if (!verify(digest, bytes, publicKey, Buffer.from(request.signature))) throw new CertificateRequestError("Cannot trust the certificate request: its signature does not fit its key");
  return { subject: decodeName(information.subject), names: requestedNames(information), publicKey };
}

function requestedNames(information: CertificationRequestInfo): Required<AlternativeNames> {
  for (const attribute of information.attributes ?? []) {
    if (attribute.type !== OID_EXTENSION_REQUEST || attribute.values[0] === undefined) continue;
    for (const extension of AsnConvert.parse(attribute.values[0], Extensions)) {
      if (extension.extnID === id_ce_subjectAltName) return decodeAlternativeNames(extension.extnValue.buffer);
    }
  }
  return { dnsNames: [], ipAddresses: [], otherNames: 0 };
}

function digestOf(oid: string): string {
  switch (oid) {
    case "1.2.840.10045.4.3.2": case "1.2.840.113549.1.1.11": return "sha256";
    case "1.2.840.10045.4.3.3": case "1.2.840.113549.1.1.12": return "sha384";
    case "1.2.840.10045.4.3.4": case "1.2.840.113549.1.1.13": return "sha512";
    default: throw new CertificateRequestError(`Cannot check the certificate request: signature algorithm ${oid} is not supported`);
  }
}
