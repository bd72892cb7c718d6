/**
 * Front proxy: a client whose certificate the front-proxy CA issued says in headers for whom it speaks.
 * Without such a certificate the headers mean nothing. Counterpart: apiserver `authentication/request/headerrequest`.
 */
import type { Authenticator, Credentials, UserInfo } from "../contracts.ts";
import type { CertificateVerifier } from "./client-certificate.ts";
import { firstHeaderValue, headerValues, prefixedHeaderValues } from "./header-values.ts";
import { unauthorized } from "./unauthorized.ts";

export interface FrontProxyOptions {
  /** Common names that may speak for others; empty: every certificate of the CA. */
  readonly allowedNames: readonly string[];
  readonly usernameHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraHeaderPrefixes: readonly string[];
}

const lower = (names: readonly string[]): string[] => names.map((name) => name.toLowerCase());

export class FrontProxyAuthenticator implements Authenticator {
  readonly #verifier: CertificateVerifier;
  readonly #options: FrontProxyOptions;
  constructor(verifier: CertificateVerifier, options: FrontProxyOptions) {
    this.#verifier = verifier;
    this.#options = {
      allowedNames: options.allowedNames, usernameHeaders: lower(options.usernameHeaders), uidHeaders: lower(options.uidHeaders),
      groupHeaders: lower(options.groupHeaders), extraHeaderPrefixes: lower(options.extraHeaderPrefixes),
    };
  }
  authenticate(credentials: Credentials): UserInfo | undefined {
    const options = this.#options;
    // Looked at first: nearly every request has no such header, and verifying the certificate against this CA is waste then.
    if (credentials.clientCertificate === undefined || !options.usernameHeaders.some((name) => credentials.headers[name] !== undefined)) return undefined;
    const { commonName } = this.#verifier.verify(credentials.clientCertificate);
    if (options.allowedNames.length > 0 && !options.allowedNames.includes(commonName)) throw unauthorized(`x509: subject with cn=${commonName} is not in the allowed list`);
    const name = firstHeaderValue(credentials, options.usernameHeaders);
    if (name === "") return undefined;
    const uid = firstHeaderValue(credentials, options.uidHeaders), extra = new Map<string, string[]>();
    for (const prefix of options.extraHeaderPrefixes) {
      for (const [key, values] of Object.entries(prefixedHeaderValues(credentials, prefix))) extra.set(key, [...(extra.get(key) ?? []), ...values]);
    }
    const groups = options.groupHeaders.flatMap((header) => headerValues(credentials, header)).filter((group) => group !== "");
    return { name, groups, ...(uid === "" ? {} : { uid }), ...(extra.size === 0 ? {} : { extra: Object.fromEntries(extra) }) };
  }
}
