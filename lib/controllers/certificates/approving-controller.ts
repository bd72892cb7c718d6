/**
 * Approves what kubelets ask for: their client certificates, when the asker may (subresources `nodeclient` and `selfnodeclient`), and
 * their serving certificates, when every name asked for is the node's own, and those of kube-proxies (subresource `proxyclient`).
 * Counterpart: kubernetes `pkg/controller/certificates/approver`. Differs: upstream leaves serving certificates to people and gives proxies tokens.
 */
import { certificatesigningrequests, nodes, subjectaccessreviews } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import { parseRequest, type CertificateRequest } from "../../pki/certificate-request.ts";
import { Controller } from "../../runtime/controller.ts";
import { clientRequestFault, CLIENT_SIGNER, KUBELET_CLIENT_SIGNER, KUBELET_SERVING_SIGNER, namesAreOf, nodeOf, proxyRequestFault, servingRequestFault } from "./kubelet-request.ts";
import { isDecided, isIssued, pemOf, withCondition } from "./request-state.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { CertificateSigningRequest } from "../../api/schema/generated/models.ts";
import type { Runnable } from "../../util/runnable.ts";

/** A kubelet asks for its serving certificate as it registers: its node may appear a moment later. */
const NODE_RETRY_MS = 1_000, NODE_WAIT_MAX_MS = 300_000;

export function createApprovingController(context: ControllerContext, options: { workers: number }): Runnable {
  const { client, clock } = context, requests = context.informers.get(certificatesigningrequests), known = context.informers.get(nodes);

  async function may(request: CertificateSigningRequest, subresource: string, signal: AbortSignal): Promise<boolean> {
    const { username, uid, groups, extra } = request.spec;
    const review = await client.create(subjectaccessreviews, {
      metadata: { name: "" },
      spec: { user: username, uid, groups, extra, resourceAttributes: { group: "certificates.k8s.io", resource: "certificatesigningrequests", verb: "create", subresource, version: "*" } },
    }, {}, signal);
    return review.status?.allowed === true;
  }

  async function approve(request: CertificateSigningRequest, message: string, signal: AbortSignal): Promise<void> {
    try { await client.update(certificatesigningrequests, withCondition(request, "Approved", "AutoApproved", message), { subresource: "approval" }, signal); }
    catch (error) { if (!hasReason(error, "NotFound")) throw error; }
  }

  async function approveClient(request: CertificateSigningRequest, parsed: CertificateRequest, signal: AbortSignal): Promise<void> {
    if (clientRequestFault(parsed, request.spec) !== undefined) return;
    const own = request.spec.username === parsed.subject.commonName;
    if (own && await may(request, "selfnodeclient", signal)) return approve(request, "Auto approving self kubelet client certificate after SubjectAccessReview.", signal);
    if (await may(request, "nodeclient", signal)) return approve(request, "Auto approving kubelet client certificate after SubjectAccessReview.", signal);
  }

  const controller = new Controller(context, {
    name: "certificatesigningrequest-approving-controller", workers: options.workers, waitFor: [requests, known],
    async reconcile(key, signal) {
      const request = requests.get(key);
      if (request === undefined || isDecided(request) || isIssued(request)) return {};
      const parsed = parseRequest(pemOf(request));
      if (request.spec.signerName === KUBELET_CLIENT_SIGNER) await approveClient(request, parsed, signal);
      if (request.spec.signerName === CLIENT_SIGNER && proxyRequestFault(parsed, request.spec) === undefined && await may(request, "proxyclient", signal)) await approve(request, "Auto approving kube-proxy client certificate after SubjectAccessReview.", signal);
      if (request.spec.signerName !== KUBELET_SERVING_SIGNER || servingRequestFault(parsed, request.spec) !== undefined) return {};
      const node = known.get(nodeOf(parsed)!);
      if (node !== undefined && namesAreOf(parsed, node)) await approve(request, "Every name is the node's own.", signal);
      else if (clock.now().getTime() - Date.parse(request.metadata.creationTimestamp ?? "") < NODE_WAIT_MAX_MS) return { requeueAfterMs: NODE_RETRY_MS };
      return {};
    },
  });
  requests.onChange(({ type, object }) => { if (type !== "deleted") controller.queue.add(object.metadata.name); });
  return controller;
}
