import test from "ava";
import { certificateSigningRequestDefinition as definition } from "../../../../lib/api/certificates/certificate-signing-request.ts";
import type { CertificateSigningRequest } from "../../../../lib/api/schema/generated/models.ts";
import { createRequest } from "../../../../lib/pki/certificate-request.ts";
import { generateKey } from "../../../../lib/pki/keys.ts";
import { context, faults, prepared, row, texts, updateFaults } from "../run-definition.ts";

const request = Buffer.from(createRequest(generateKey(), { subject: { commonName: "bob" } })).toString("base64");
const written = (spec: object = {}): Record<string, unknown> => ({ metadata: { name: "csr" }, spec: { request, signerName: "kubernetes.io/kube-apiserver-client", usages: ["client auth"], username: "forged", ...spec } });

test("who asks is who is logged in", (t) => {
  const made = prepared(definition, written());
  t.is(made.spec.username, "alice");
  t.deepEqual(faults(definition, written()), []);
  t.is(row(definition, made), "csr | 60m | kubernetes.io/kube-apiserver-client | alice | <none> | Pending");
});

test("faults", (t) => {
  t.deepEqual(faults(definition, written({ request: "AAAA" })), ['spec.request: Invalid value: "AAAA": PEM block type must be CERTIFICATE REQUEST']);
  t.deepEqual(faults(definition, written({ usages: [] })), ["spec.usages: Required value"]);
  t.deepEqual(faults(definition, written({ signerName: "nobody" })), ["spec.signerName: Invalid value: \"nobody\": must be a fully qualified domain and path of the form 'example.com/signer-name'"]);
  t.deepEqual(faults(definition, written({ expirationSeconds: 60 })), ["spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 600 seconds (10 minutes)"]);
});

test("only approval approves, and nothing said is taken back", (t) => {
  const approve = (one: CertificateSigningRequest): void => void (one.status = { conditions: [{ type: "Approved", status: "True" }] });
  t.deepEqual(updateFaults(definition, written(), approve), []); // An update of the object leaves status as it was.
  const old = prepared(definition, written()), approved = structuredClone(old);
  approve(approved);
  t.deepEqual(texts(definition.validateStatusUpdate?.(approved, old) ?? []), ['status.conditions: Forbidden: updates may not add a condition of type "Approved"']);
  const approval = definition.subresourceUpdates!["approval"]!;
  approval.prepare(approved, old, context);
  t.deepEqual(texts(approval.validate(approved, old)), []);
  t.is(approved.status?.conditions?.[0]?.lastTransitionTime, "2026-05-01T12:00:00Z");
  t.is(row(definition, approved), "csr | 60m | kubernetes.io/kube-apiserver-client | alice | <none> | Approved");
  const revoked = structuredClone(approved);
  revoked.status = { conditions: [] };
  t.deepEqual(texts(approval.validate(revoked, approved)), ['status.conditions: Forbidden: updates may not remove a condition of type "Approved"']);
});
