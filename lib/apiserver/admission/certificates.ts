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

/** A write of one subresource, which needs a verb on the signer's name. */
abstract class SignerRight implements AdmissionPlugin {
  abstract readonly name: string;
  protected abstract readonly verb: "approve" | "sign";
  protected abstract readonly subresource: string;
  readonly #authorizer: Authorizer;
  constructor(authorizer: Authorizer) { this.#authorizer = authorizer; }

  handles(operation: AdmissionOperation, definition: ResourceDefinition, subresource: string): boolean { return operation === "UPDATE" && isRequest(definition) && subresource === this.subresource; }

  validate(attributes: AdmissionAttributes): void {
    const old = attributes.oldObject as CertificateSigningRequest, { signerName } = old.spec;
    if (!this.concerns(old, attributes.object as CertificateSigningRequest)) return;
    if (!this.#may(attributes.user, signerName)) throw admissionForbidden(attributes, `user not permitted to ${this.verb} requests with signerName ${JSON.stringify(signerName)}`);
  }

  /** Whether the write is one that the verb is needed for. */
  protected concerns(_old: CertificateSigningRequest, _object: CertificateSigningRequest): boolean { return true; }

  #may(user: UserInfo, signer: string): boolean {
    const allows = (name: string): boolean =>
      this.#authorizer.authorize({ user, verb: this.verb, isResourceRequest: true, path: "", apiGroup: GROUP, apiVersion: "*", resource: "signers", subresource: "", namespace: "", name }).decision === "allow";
    return allows(signer) || allows(`${signer.split("/")[0]!}/*`);
  }
}

export class CertificateApproval extends SignerRight {
  readonly name = "CertificateApproval";
  protected readonly verb = "approve";
  protected readonly subresource = "approval";
}

export class CertificateSigning extends SignerRight {
  readonly name = "CertificateSigning";
  protected readonly verb = "sign";
  protected readonly subresource = "status";

  protected override concerns(old: CertificateSigningRequest, { status }: CertificateSigningRequest): boolean {
    return status?.certificate !== old.status?.certificate || !semanticEqual(status?.conditions ?? [], old.status?.conditions ?? []);
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
