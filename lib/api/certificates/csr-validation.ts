/** What certificate signing requests must be, and who may write what of their status. Counterpart: kubernetes `apis/certificates/validation`. */
import { X509Certificate } from "node:crypto";
import { CertificateRequestError, parseRequest } from "../../pki/certificate-request.ts";
import { duplicate, forbiddenField, invalid, notSupported, required } from "../field-error.ts";
import { SPEC, STATUS } from "../field-path.ts";
import type { CertificateSigningRequest, CertificateSigningRequestCondition, CertificateSigningRequestSpec } from "../schema/generated/models.ts";
import { describeDifference, semanticEqual } from "../semantic-equal.ts";
import type { Errors } from "../validation/checks.ts";
import { checkSignerName } from "../validation/signer-name.ts";

const LEGACY_SIGNER = "kubernetes.io/legacy-unknown";
const SECONDS_MIN = 600;
const USAGES = [
  "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment", "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system",
  "ipsec tunnel", "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime", "server auth", "signing", "timestamping",
];
const TRUE_TYPES = new Set(["Approved", "Denied", "Failed"]);
const CONDITIONS = STATUS.child("conditions"), CERTIFICATE = STATUS.child("certificate");
const pemBlocks = /-----BEGIN ([^-]*)-----\r?\n([\s\S]*?)-----END \1-----/g;

export interface AllowedWrites { readonly approval?: true; readonly certificate?: true }

function requestFault(base64: string): string | undefined {
  try {
    parseRequest(Buffer.from(base64, "base64").toString("utf8"));
    return undefined;
  } catch (error) {
    if (error instanceof CertificateRequestError) return error.message;
    return `cannot read the request: ${(error as Error).message}`;
  }
}

function certificateFault(base64: string): string | undefined {
  const blocks = [...Buffer.from(base64, "base64").toString("utf8").matchAll(pemBlocks)];
  if (blocks.length === 0) return "must contain at least one CERTIFICATE PEM block";
  for (const [whole, type, body] of blocks) {
    if (type !== "CERTIFICATE") return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`;
    if (body!.includes(":")) return "no PEM block headers are permitted";
    try {
      new X509Certificate(whole).fingerprint256.toString();
    } catch (error) {
      return (error as Error).message;
    }
  }
  return undefined;
}

/** `old`: faults it has already are let through. */
export function checkRequest(errors: Errors, request: CertificateSigningRequest, old: CertificateSigningRequest | undefined): void {
  const spec = (request.spec as Partial<CertificateSigningRequestSpec> | undefined) ?? {}, { usages = [], signerName = "", expirationSeconds: seconds } = spec;
  const fault = requestFault(spec.request ?? ""), usagesPath = SPEC.child("usages");
  if (fault !== undefined) errors.push(invalid(SPEC.child("request"), spec.request ?? "", fault));
  if (usages.length === 0) errors.push(required(usagesPath));
  usages.forEach((usage, i) => {
    if (!USAGES.includes(usage)) errors.push(notSupported(usagesPath.index(i), usage, USAGES));
    if (usages.indexOf(usage) !== i) errors.push(duplicate(usagesPath.index(i), usage));
  });
  if (signerName === LEGACY_SIGNER && old?.spec.signerName !== LEGACY_SIGNER) errors.push(invalid(SPEC.child("signerName"), signerName, "the legacy signerName is not allowed via this API version"));
  else checkSignerName(errors, SPEC.child("signerName"), signerName);
  if (seconds !== undefined && seconds < SECONDS_MIN) errors.push(invalid(SPEC.child("expirationSeconds"), seconds, "may not specify a duration less than 600 seconds (10 minutes)"));
  checkConditions(errors, request.status?.conditions ?? []);
  const certificate = request.status?.certificate ?? "";
  if (certificate === "" || certificate === old?.status?.certificate) return;
  const certificateProblem = certificateFault(certificate);
  if (certificateProblem !== undefined) errors.push(invalid(CERTIFICATE, "<certificate data>", certificateProblem));
}

function checkConditions(errors: Errors, conditions: readonly CertificateSigningRequestCondition[]): void {
  const seen = new Set<string>();
  conditions.forEach(({ type, status }, i) => {
    const path = CONDITIONS.index(i), allowed = TRUE_TYPES.has(type) ? ["True"] : ["False", "True", "Unknown"];
    if ((type ?? "") === "") errors.push(required(path.child("type")));
    if ((status ?? "") === "") errors.push(required(path.child("status")));
    else if (!allowed.includes(status)) errors.push(notSupported(path.child("status"), status, allowed));
    if ((type === "Approved" && seen.has("Denied")) || (type === "Denied" && seen.has("Approved"))) errors.push(invalid(path.child("type"), type, "Approved and Denied conditions are mutually exclusive"));
    if (seen.has(type)) errors.push(duplicate(path.child("type"), type));
    seen.add(type);
  });
}

/** Approval and certificate each have a subresource of their own; nothing said once is taken back. */
export function checkRequestUpdate(errors: Errors, request: CertificateSigningRequest, old: CertificateSigningRequest, allowed: AllowedWrites): void {
  checkRequest(errors, request, old);
  const conditionsOf = ({ status }: CertificateSigningRequest, type: string): CertificateSigningRequestCondition[] => (status?.conditions ?? []).filter((condition) => condition.type === type);
  for (const type of TRUE_TYPES) if (conditionsOf(request, type).length < conditionsOf(old, type).length) errors.push(forbiddenField(CONDITIONS, `updates may not remove a condition of type ${JSON.stringify(type)}`));
  if (allowed.approval !== true) {
    for (const type of ["Approved", "Denied"]) {
      const was = conditionsOf(old, type), now = conditionsOf(request, type);
      if (now.length > was.length) errors.push(forbiddenField(CONDITIONS, `updates may not add a condition of type ${JSON.stringify(type)}`));
      else if (now.length === was.length && !semanticEqual(now, was)) errors.push(forbiddenField(CONDITIONS, `updates may not modify a condition of type ${JSON.stringify(type)}\n${describeDifference(was, now)}`));
    }
  }
  const certificate = request.status?.certificate ?? "", oldCertificate = old.status?.certificate ?? "";
  if (certificate === oldCertificate) return;
  if (allowed.certificate !== true) errors.push(forbiddenField(CERTIFICATE, "updates may not set certificate content"));
  else if (oldCertificate !== "") errors.push(forbiddenField(CERTIFICATE, "updates may not modify existing certificate content"));
}
