/**
 * Whether and how an approved request is signed: pure. A request that breaks its signer's rules fails for good.
 * Counterpart: kubernetes `pkg/controller/certificates/signer`. Differs: no signing for `kubernetes.io/legacy-unknown`, which nobody can ask for any more.
 */
import { clientRequestFault, CLIENT_SIGNER, KUBELET_CLIENT_SIGNER, KUBELET_SERVING_SIGNER, servingRequestFault } from "./kubelet-request.ts";
import type { CertificateUsage } from "../../pki/certificate.ts";
import type { CertificateRequest } from "../../pki/certificate-request.ts";
import type { CertificateSigningRequestSpec } from "../../api/schema/generated/models.ts";

export type SigningPlan = { kind: "sign"; usages: readonly CertificateUsage[]; lifetimeMs: number } | { kind: "fail"; message: string } | { kind: "leave" };

function clientFault(spec: CertificateSigningRequestSpec): string | undefined {
  const allowed = ["digital signature", "key encipherment", "client auth"], usages = spec.usages ?? [];
  return usages.every((usage) => allowed.includes(usage)) && usages.includes("client auth") ? undefined : "usages must be client auth, and at most digital signature and key encipherment";
}

/** `longestMs`: the cluster's limit, `--cluster-signing-duration`. */
export function planSigning(request: CertificateRequest, spec: CertificateSigningRequestSpec, longestMs: number): SigningPlan {
  const lifetimeMs = spec.expirationSeconds === undefined ? longestMs : Math.min(longestMs, spec.expirationSeconds * 1000);
  const decide = (fault: string | undefined, usage: CertificateUsage): SigningPlan => (fault === undefined ? { kind: "sign", usages: [usage], lifetimeMs } : { kind: "fail", message: fault });
  switch (spec.signerName) {
    case KUBELET_CLIENT_SIGNER: return decide(clientRequestFault(request, spec), "client");
    case KUBELET_SERVING_SIGNER: return decide(servingRequestFault(request, spec), "server");
    case CLIENT_SIGNER: return decide(clientFault(spec), "client");
    default: return { kind: "leave" };
  }
}
