import test from "ava";
import { clientRequestFault, namesAreOf, servingRequestFault } from "../../../../lib/controllers/certificates/kubelet-request.ts";
import { planSigning } from "../../../../lib/controllers/certificates/plan-signing.ts";
import { createRequest, parseRequest } from "../../../../lib/pki/certificate-request.ts";
import { generateKey } from "../../../../lib/pki/keys.ts";

const key = generateKey();
const nodeSubject = { commonName: "system:node:n1", organizations: ["system:nodes"] };
const ask = (subject: { commonName: string; organizations?: string[] }, names: string[] = []) => parseRequest(createRequest(key, { subject, names }));
const spec = (usages: string[], more: object = {}) => ({ request: "", signerName: "kubernetes.io/kube-apiserver-client-kubelet", usages, username: "system:node:n1", ...more });
const CLIENT = ["digital signature", "client auth"], SERVER = ["digital signature", "server auth"];

test("clientRequestFault accepts a node's request with and without key encipherment", (t) => {
  t.is(clientRequestFault(ask(nodeSubject), spec(CLIENT)), undefined);
  t.is(clientRequestFault(ask(nodeSubject), spec([...CLIENT, "key encipherment"])), undefined);
});

test("clientRequestFault refuses other groups, other names, alternative names and other usages", (t) => {
  t.regex(clientRequestFault(ask({ commonName: "system:node:n1", organizations: ["system:nodes", "system:masters"] }), spec(CLIENT))!, /subject/);
  t.regex(clientRequestFault(ask({ commonName: "system:node:", organizations: ["system:nodes"] }), spec(CLIENT))!, /subject/);
  t.regex(clientRequestFault(ask({ commonName: "admin", organizations: ["system:nodes"] }), spec(CLIENT))!, /subject/);
  t.regex(clientRequestFault(ask(nodeSubject, ["n1"]), spec(CLIENT))!, /alternative names/);
  t.regex(clientRequestFault(ask(nodeSubject), spec([...CLIENT, "server auth"]))!, /usages/);
  t.regex(clientRequestFault(ask(nodeSubject), spec(["client auth"]))!, /usages/);
});

test("servingRequestFault lets a node ask only for itself, with names", (t) => {
  t.is(servingRequestFault(ask(nodeSubject, ["n1", "192.0.2.1"]), spec(SERVER)), undefined);
  t.regex(servingRequestFault(ask(nodeSubject, ["n1"]), spec(SERVER, { username: "system:node:n2" }))!, /itself/);
  t.regex(servingRequestFault(ask(nodeSubject), spec(SERVER))!, /needed/);
});

test("namesAreOf refuses a name that is not the node's", (t) => {
  const node = { metadata: { name: "n1" }, spec: {}, status: { addresses: [{ type: "InternalIP", address: "192.0.2.1" }] } };
  t.true(namesAreOf(ask(nodeSubject, ["n1", "192.0.2.1"]), node));
  t.false(namesAreOf(ask(nodeSubject, ["n1", "192.0.2.2"]), node));
  t.false(namesAreOf(ask(nodeSubject, ["kubernetes.default"]), node));
});

test("planSigning shortens to what was asked, never lengthens, and leaves other signers' requests", (t) => {
  const request = ask(nodeSubject);
  t.deepEqual(planSigning(request, spec(CLIENT, { expirationSeconds: 600 }), 3_600_000), { kind: "sign", usages: ["client"], lifetimeMs: 600_000 });
  t.like(planSigning(request, spec(CLIENT, { expirationSeconds: 999_999 }), 3_600_000), { lifetimeMs: 3_600_000 });
  t.is(planSigning(request, spec(SERVER), 1).kind, "fail");
  t.is(planSigning(request, spec(CLIENT, { signerName: "example.com/mine" }), 1).kind, "leave");
  t.is(planSigning(request, spec(["cert sign"], { signerName: "kubernetes.io/kube-apiserver-client" }), 1).kind, "fail");
});
