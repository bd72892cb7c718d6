/**
 * Signs approved certificate requests with the cluster's authority. The files are read at every signature: a renewed authority needs no restart.
 * Counterpart: kubernetes `pkg/controller/certificates/signer`.
 */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { certificatesigningrequests } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import { signLeaf } from "../../pki/certificate.ts";
import { parseRequest } from "../../pki/certificate-request.ts";
import { parsePrivateKey } from "../../pki/keys.ts";
import { Controller } from "../../runtime/controller.ts";
import { planSigning } from "./plan-signing.ts";
import { has, isIssued, pemOf, withCondition } from "./request-state.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { CertificateSigningRequest } from "../../api/schema/generated/models.ts";
import type { Runnable } from "../../util/runnable.ts";

export interface SigningOptions { readonly workers: number; readonly certificateFile: string; readonly keyFile: string; readonly longestMs: number }

export function createSigningController(context: ControllerContext, options: SigningOptions): Runnable {
  const { client, clock } = context, requests = context.informers.get(certificatesigningrequests);

  function answer(request: CertificateSigningRequest): CertificateSigningRequest | undefined {
    const parsed = parseRequest(pemOf(request)), plan = planSigning(parsed, request.spec, options.longestMs);
    if (plan.kind === "leave") return undefined;
    if (plan.kind === "fail") return withCondition(request, "Failed", "SignerValidationFailure", plan.message);
    const authority = { certificate: new X509Certificate(readFileSync(options.certificateFile)), key: parsePrivateKey(readFileSync(options.keyFile)) };
    const pem = signLeaf(authority, parsed.publicKey, {
      subject: parsed.subject, usages: plan.usages, names: [...parsed.names.dnsNames, ...parsed.names.ipAddresses], now: clock.now(), lifetimeMs: plan.lifetimeMs,
    });
    return { ...request, status: { ...request.status, certificate: Buffer.from(pem).toString("base64") } };
  }

  const controller = new Controller(context, {
    name: "certificatesigningrequest-signing-controller", workers: options.workers, waitFor: [requests],
    async reconcile(key, signal) {
      const request = requests.get(key);
      if (request === undefined || !has(request, "Approved") || has(request, "Failed") || isIssued(request)) return {};
      const answered = answer(request);
      if (answered === undefined) return {};
      try { await client.update(certificatesigningrequests, answered, { subresource: "status" }, signal); }
      catch (error) { if (!hasReason(error, "NotFound")) throw error; }
      return {};
    },
  });
  requests.onChange(({ type, object }) => { if (type !== "deleted") controller.queue.add(object.metadata.name); });
  return controller;
}
