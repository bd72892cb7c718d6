/**
 * Getting a certificate from the cluster: a fresh key, a CertificateSigningRequest, and the signed answer.
 * Counterpart: client-go `util/certificate/csr`. The key never leaves this process before the caller writes it.
 */
import { randomBytes } from "node:crypto";
import { certificatesigningrequests } from "../api/schema/generated/references.ts";
import type { Client } from "../client/client.ts";
import { createRequest } from "../pki/certificate-request.ts";
import type { DistinguishedName } from "../pki/distinguished-name.ts";
import { generateKey, privateKeyPem } from "../pki/keys.ts";

export interface CertificateWish {
  readonly signerName: string;
  readonly subject: DistinguishedName;
  /** DNS names and addresses. */
  readonly names?: readonly string[];
  readonly usage: "client auth" | "server auth";
  /** Start of the request's name. */
  readonly prefix: string;
}

export class CertificateDeniedError extends Error { override readonly name = "CertificateDeniedError"; }

/** Asks and waits until the request is answered or `signal` aborts. Throws CertificateDeniedError when somebody said no. */
export async function requestCertificate(client: Client, wish: CertificateWish, signal: AbortSignal): Promise<{ certificatePem: string; keyPem: string }> {
  const key = generateKey(), name = `${wish.prefix}${randomBytes(5).toString("hex")}`;
  const request = Buffer.from(createRequest(key, { subject: wish.subject, names: wish.names ?? [] })).toString("base64");
  const made = await client.create(certificatesigningrequests, {
    metadata: { name }, spec: { request, signerName: wish.signerName, usages: ["digital signature", wish.usage], username: "" },
  }, {}, signal);
  for (let resourceVersion = made.metadata.resourceVersion ?? ""; ; ) {
    for await (const { type, object } of client.watch(certificatesigningrequests, { fieldSelector: `metadata.name=${name}`, resourceVersion }, signal)) {
      resourceVersion = object.metadata.resourceVersion ?? resourceVersion;
      if (type === "DELETED") throw new CertificateDeniedError(`Cannot get a certificate: request "${name}" was deleted before it was answered`);
      const refusal = object.status?.conditions?.find((condition) => condition.type === "Denied" || condition.type === "Failed");
      if (refusal !== undefined) throw new CertificateDeniedError(`Cannot get a certificate: request "${name}" was answered ${refusal.type}: ${refusal.message ?? refusal.reason ?? ""}`);
      const certificate = object.status?.certificate ?? "";
      if (certificate !== "") return { certificatePem: Buffer.from(certificate, "base64").toString("utf8"), keyPem: privateKeyPem(key) };
    }
    signal.throwIfAborted();
  }
}
