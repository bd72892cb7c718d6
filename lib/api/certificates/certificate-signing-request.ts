/** CertificateSigningRequest. Counterpart: kubernetes pkg/registry/certificates. */
import { defineResource } from "../define-resource.ts";
import type { CertificateSigningRequest } from "../schema/generated/models.ts";
import { certificatesigningrequests } from "../schema/generated/references.ts";

export const certificateSigningRequestDefinition = defineResource<CertificateSigningRequest>({
  reference: certificatesigningrequests,
  shortNames: ["csr"],
  notRunYet: true,
});
