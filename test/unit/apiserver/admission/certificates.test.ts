import test from "ava";
import type { CertificateSigningRequest } from "../../../../lib/api/schema/generated/models.ts";
import { certificatesigningrequests } from "../../../../lib/api/schema/generated/references.ts";
import type { ResourceDefinition } from "../../../../lib/api/resource-definition.ts";
import { CertificateApproval, CertificateSigning, CertificateSubjectRestriction } from "../../../../lib/apiserver/admission/certificates.ts";
import type { AdmissionAttributes, Authorizer } from "../../../../lib/apiserver/contracts.ts";
import { createRequest } from "../../../../lib/pki/certificate-request.ts";
import { generateKey } from "../../../../lib/pki/keys.ts";

const definition = { ...certificatesigningrequests } as unknown as ResourceDefinition;
/** Grants `VERB NAME` pairs on signers. */
const granting = (...grants: string[]): Authorizer => ({ authorize: ({ verb, resource, apiGroup, name }) => ({ decision: resource === "signers" && apiGroup === "certificates.k8s.io" && grants.includes(`${verb} ${name}`) ? "allow" : "no-opinion", reason: "" }) });
const csr = (signerName: string, status: CertificateSigningRequest["status"] = {}, organizations: string[] = []): CertificateSigningRequest => ({
  metadata: { name: "r" }, status, spec: { signerName, usages: ["client auth"], request: Buffer.from(createRequest(generateKey(), { subject: { commonName: "jane", organizations } })).toString("base64") },
});
const attributes = (operation: "CREATE" | "UPDATE", subresource: string, object: CertificateSigningRequest, oldObject?: CertificateSigningRequest): AdmissionAttributes =>
  ({ operation, definition, subresource, namespace: "", name: "r", object, oldObject, user: { name: "jane", groups: [] }, dryRun: false, addWarning() {} }) as AdmissionAttributes;

test("CertificateApproval asks for approve on the stored signer, or on all of its domain", (t) => {
  const stored = csr("example.com/good"), asked = csr("example.com/other");
  const approve = (...grants: string[]) => () => new CertificateApproval(granting(...grants)).validate(attributes("UPDATE", "approval", asked, stored));
  t.throws(approve("approve example.com/other", "sign example.com/good"), { message: 'certificatesigningrequests.certificates.k8s.io "r" is forbidden: user not permitted to approve requests with signerName "example.com/good"' });
  t.notThrows(approve("approve example.com/good"));
  t.notThrows(approve("approve example.com/*"));
});

test("CertificateSigning asks for sign only where the certificate or a condition changes", (t) => {
  const stored = csr("example.com/good", { conditions: [{ type: "Approved", status: "True" }] });
  const write = (status: CertificateSigningRequest["status"], ...grants: string[]) => () => new CertificateSigning(granting(...grants)).validate(attributes("UPDATE", "status", { ...stored, status }, stored));
  t.notThrows(write({ ...stored.status }));
  t.throws(write({ ...stored.status, certificate: "abcd" }), { message: /not permitted to sign requests with signerName "example.com\/good"/ });
  t.throws(write({ conditions: [] }), { message: /not permitted to sign/ });
  t.notThrows(write({ ...stored.status, certificate: "abcd" }, "sign example.com/good"));
});

test("CertificateSubjectRestriction keeps system:masters from the cluster's client signer, and from no other", (t) => {
  const create = (signer: string, ...organizations: string[]) => () => new CertificateSubjectRestriction().validate(attributes("CREATE", "", csr(signer, {}, organizations)));
  t.throws(create("kubernetes.io/kube-apiserver-client", "dev", "system:masters"), { message: /use of kubernetes.io\/kube-apiserver-client signer with system:masters group is not allowed/ });
  t.notThrows(create("kubernetes.io/kube-apiserver-client", "dev"));
  t.notThrows(create("example.com/good", "system:masters"));
});

test("the plugins look at certificate requests alone, each at its own write", (t) => {
  const [approval, signing, subject] = [new CertificateApproval(granting()), new CertificateSigning(granting()), new CertificateSubjectRestriction()];
  t.deepEqual([approval.handles("UPDATE", definition, "approval"), approval.handles("UPDATE", definition, "status"), approval.handles("UPDATE", definition, "")], [true, false, false]);
  t.deepEqual([signing.handles("UPDATE", definition, "status"), signing.handles("UPDATE", definition, "approval")], [true, false]);
  t.deepEqual([subject.handles("CREATE", definition, ""), subject.handles("UPDATE", definition, ""), subject.handles("CREATE", { ...definition, plural: "pods", group: "" }, "")], [true, false, false]);
});
