/** Reading and deciding of CertificateSigningRequests, shared by the loops of this folder. */
import type { CertificateSigningRequest } from "../../api/schema/generated/models.ts";

export const has = (request: CertificateSigningRequest, type: string): boolean => (request.status?.conditions ?? []).some((condition) => condition.type === type);
export const isDecided = (request: CertificateSigningRequest): boolean => has(request, "Approved") || has(request, "Denied");
export const isIssued = (request: CertificateSigningRequest): boolean => (request.status?.certificate ?? "") !== "";

/** The request with one more condition. */
export const withCondition = (request: CertificateSigningRequest, type: string, reason: string, message: string): CertificateSigningRequest =>
  ({ ...request, status: { ...request.status, conditions: [...(request.status?.conditions ?? []), { type, status: "True", reason, message }] } });

/** The PEM text a request carries. */
export const pemOf = (request: CertificateSigningRequest): string => Buffer.from(request.spec.request, "base64").toString("utf8");
