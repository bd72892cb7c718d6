/**
 * Client certificates: common name -> user, organizations -> groups.
 *
 * Promises: the certificate is verified and read once a connection (remembered by the identity of its bytes); its
 * expiry is checked at every request, because connections outlive certificates. A certificate counts only when a CA of
 * this authenticator's own bundle issued it: TLS may trust more CAs, the front proxy's for one.
 * Counterpart: apiserver `authentication/request/x509`.
 */
import { X509Certificate } from "node:crypto";
import { readCertificate } from "../../pki/certificate.ts";
import type { Clock } from "../../util/clock.ts";
import type { Authenticator, Credentials, UserInfo } from "../contracts.ts";
import { unauthorized } from "./unauthorized.ts";

interface Verified {
  /** Why the certificate is not this bundle's, or undefined. */
  readonly problem: string | undefined;
  readonly commonName: string;
  readonly user: UserInfo;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Verifies client certificates against a bundle of CAs that may change while running. */
export class CertificateVerifier {
  readonly #authorities: () => readonly X509Certificate[];
  readonly #clock: Pick<Clock, "now">;
  #remembered = new WeakMap<Buffer, Verified>();
  #rememberedFor: readonly X509Certificate[] | undefined;
  constructor(authorities: () => readonly X509Certificate[], clock: Pick<Clock, "now">) {
    this.#authorities = authorities;
    this.#clock = clock;
  }
  /** The certificate's facts. Throws Unauthorized. */
  verify(raw: Buffer): Verified {
    const authorities = this.#authorities();
    if (authorities !== this.#rememberedFor) { this.#remembered = new WeakMap(); this.#rememberedFor = authorities; }
    let verified = this.#remembered.get(raw);
    if (verified === undefined) { verified = inspect(raw, authorities); this.#remembered.set(raw, verified); }
    if (verified.problem !== undefined) throw unauthorized(verified.problem);
    const now = this.#clock.now().getTime();
    if (now > verified.notAfterMs) throw unauthorized(`the client certificate of ${JSON.stringify(verified.commonName)} has expired`);
    if (now < verified.notBeforeMs) throw unauthorized(`the client certificate of ${JSON.stringify(verified.commonName)} is not valid yet`);
    return verified;
  }
}

function inspect(raw: Buffer, authorities: readonly X509Certificate[]): Verified {
  try {
    const certificate = new X509Certificate(raw), facts = readCertificate(raw);
    const issued = authorities.some((authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey));
    const problem = !issued ? "the client certificate is signed by an unknown authority"
      : facts.usages.length > 0 && !facts.usages.includes("client") ? "the certificate is not one for clients" : undefined;
    const fingerprint = certificate.fingerprint256.replaceAll(":", "").toLowerCase();
    return {
      problem, commonName: facts.subject.commonName, notBeforeMs: facts.notBefore.getTime(), notAfterMs: facts.notAfter.getTime(),
      user: { name: facts.subject.commonName, groups: facts.subject.organizations, extra: { "authentication.kubernetes.io/credential-id": [`X509SHA256=${fingerprint}`] } },
    };
  } catch (error) {
    return { problem: `the client certificate cannot be read: ${(error as Error).message}`, commonName: "", notBeforeMs: 0, notAfterMs: 0, user: { name: "", groups: [] } };
  }
}

export class ClientCertificateAuthenticator implements Authenticator {
  readonly #verifier: CertificateVerifier;
  constructor(verifier: CertificateVerifier) { this.#verifier = verifier; }
  authenticate(credentials: Credentials): UserInfo | undefined {
    if (credentials.clientCertificate === undefined) return undefined;
    const { user } = this.#verifier.verify(credentials.clientCertificate);
    return user.name === "" ? undefined : user;
  }
}
