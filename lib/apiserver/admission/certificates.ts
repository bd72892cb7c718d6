/**
 * Certificate requests: who may approve and who may sign for a signer, and whom the cluster's own signer never names.
 *
 * The right to write `certificatesigningrequests/approval` or `/status` is not enough: `approve` or `sign` on the signer's name
 * (or on `DOMAIN/*`) is needed too. Judged by the stored request, so nobody can name another signer on the way.
 * Counterpart: `plugin/pkg/admission/certificates` approval, signing and subjectrestriction.
 */
import type { ResourceDefinition } from "../../api/resource-definition.ts";
import { semanticEqual } from "../../api/semantic-equal.ts";
import type { CertificateSigningRequest } from "../../api/schema/generated/models.ts";
import { parseRequest } from "../../pki/certificate-request.ts";
import { SUPERUSER_GROUP } from "../authorization/authorizer-union.ts";
import type { AdmissionAttributes, AdmissionOperation, AdmissionPlugin, Authorizer, UserInfo } from "../contracts.ts";
import { admissionForbidden } from "./admission-error.ts";

const GROUP = "certificates.k8s.io", CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client";
const isRequest = (definition: ResourceDefinition): boolean => definition.group === GROUP && definition.plural === "certificatesigningrequests";

function may(authorizer: Authorizer, user: UserInfo, verb: "approve" | "sign", signer: string): boolean {
  const allows = (name: string): boolean =>
    authorizer.authorize({ user, verb, isResourceRequest: true, path: "", apiGroup: GROUP, apiVersion: "*", resource: "signers", subresource: "", namespace: "", name }).decision === "allow";
  return allows(signer) || allows(`${signer.split("/")[0]!}/*`);
}

export class CertificateApproval implements AdmissionPlugin {
  readonly name = "CertificateApproval";
  readonly #authorizer: Authorizer;
  constructor(authorizer: Authorizer) { this.#authorizer = authorizer; }

  handles(operation: AdmissionOperation, definition: ResourceDefinition, subresource: string): boolean { return operation === "UPDATE" && isRequest(definition) && subresource === "approval"; }

  validate(attributes: AdmissionAttributes): void {
    const { signerName } = (attributes.oldObject as CertificateSigningRequest).spec;
    if (!may(this.#authorizer, attributes.user, "approve", signerName)) throw admissionForbidden(attributes, `user not permitted to approve requests with signerName ${JSON.stringify(signerName)}`);
  }
}

export class CertificateSigning implements AdmissionPlugin {
  readonly name = "CertificateSigning";
  readonly #authorizer: Authorizer;
  constructor(authorizer: Authorizer) { this.#authorizer = authorizer; }

  handles(operation: AdmissionOperation, definition: ResourceDefinition, subresource: string): boolean { return operation === "UPDATE" && isRequest(definition) && subresource === "status"; }

  validate(attributes: AdmissionAttributes): void {
    const old = attributes.oldObject as CertificateSigningRequest, { status } = attributes.object as CertificateSigningRequest, { signerName } = old.spec;
    if (status?.certificate === old.status?.certificate && semanticEqual(status?.conditions ?? [], old.status?.conditions ?? [])) return;
    if (!may(this.#authorizer, attributes.user, "sign", signerName)) throw admissionForbidden(attributes, `user not permitted to sign requests with signerName ${JSON.stringify(signerName)}`);
  }
}

export class CertificateSubjectRestriction implements AdmissionPlugin {
  readonly name = "CertificateSubjectRestriction";

  handles(operation: AdmissionOperation, definition: ResourceDefinition, subresource: string): boolean { return operation === "CREATE" && isRequest(definition) && subresource === ""; }

  validate(attributes: AdmissionAttributes): void {
    const { signerName, request } = (attributes.object as CertificateSigningRequest).spec;
    if (signerName !== CLIENT_SIGNER) return;
    let organizations: readonly string[];
    try { ({ organizations } = parseRequest(Buffer.from(request, "base64").toString("utf8")).subject); }
    catch (error) { throw admissionForbidden(attributes, `failed to parse CSR: ${(error as Error).message}`); }
    if (organizations.includes(SUPERUSER_GROUP)) throw admissionForbidden(attributes, `use of ${CLIENT_SIGNER} signer with ${SUPERUSER_GROUP} group is not allowed`);
  }
}
