/**
 * OpenID Connect: ID tokens of one issuer outside the cluster name users and groups.
 *
 * Promises: tokens of other issuers are left to others; the issuer's document and keys are fetched when first needed, again for a key
 * nobody knows yet (at most every KEYS_COOLDOWN_MS), and while the issuer is away what is known goes on working; a token seen before
 * costs one map lookup for REMEMBERED_MS, never past its own end.
 * Counterpart: apiserver `plugin/pkg/authenticator/token/oidc`. Differs: distributed claims are not fetched.
 */
import { request } from "node:https";
import { createRemoteJWKSet, customFetch, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from "jose";
import type { Clock } from "../../util/clock.ts";
import type { UserInfo } from "../contracts.ts";
import { peekClaims } from "../../pki/jwt.ts";
import { readOidcUser, type OidcClaimOptions } from "./oidc-claims.ts";
import type { TokenAuthenticator, TokenIdentity } from "./token-authenticator.ts";

export const OIDC_ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"] as const;
export const KEYS_COOLDOWN_MS = 10_000, FETCH_TIMEOUT_MS = 10_000, REMEMBERED_MS = 10_000, REMEMBERED_MAX = 10_000, DOCUMENT_BYTES_MAX = 1_048_576;

export interface OidcOptions extends OidcClaimOptions {
  /** `https://…`, as tokens name it in `iss`. */
  readonly issuerUrl: string;
  readonly clientId: string;
  readonly signingAlgorithms: readonly string[];
  /** PEM of the authorities of the issuer's own certificate; the system's when absent. */
  readonly authorityPem: string | undefined;
}

export class OidcAuthenticator implements TokenAuthenticator {
  readonly #options: OidcOptions;
  readonly #clock: Pick<Clock, "now" | "monotonicMs">;
  readonly #remembered = new Map<string, { identity: TokenIdentity; untilMs: number }>();
  #keys: Promise<JWTVerifyGetKey> | undefined;
  #failedAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: { clock: Pick<Clock, "now" | "monotonicMs"> }, options: OidcOptions) {
    this.#clock = deps.clock;
    this.#options = options;
  }

  authenticateToken(token: string, audiences?: readonly string[]): TokenIdentity | undefined | Promise<TokenIdentity | undefined> {
    const claims = peekClaims(token), known = audiences === undefined ? this.#remembered.get(token) : undefined;
    if (claims?.iss !== this.#options.issuerUrl) return undefined;
    if (known !== undefined && known.untilMs > this.#clock.now().getTime()) return known.identity;
    return this.#verify(token);
  }

  async #verify(token: string): Promise<TokenIdentity> {
    const { issuerUrl: issuer, clientId, signingAlgorithms } = this.#options, now = this.#clock.now();
    let payload: JWTPayload;
    try { ({ payload } = await jwtVerify(token, await this.#keySet(), { issuer, audience: clientId, algorithms: [...signingAlgorithms], currentDate: now, requiredClaims: ["exp"] })); }
    catch (error) { throw new Error(`oidc: verify token: ${(error as Error).message}`, { cause: error }); }
    const identity: TokenIdentity = { user: readOidcUser(payload, issuer, this.#options) satisfies UserInfo };
    this.#remember(token, identity, Math.min(now.getTime() + REMEMBERED_MS, payload.exp! * 1_000));
    return identity;
  }

  #remember(token: string, identity: TokenIdentity, untilMs: number): void {
    this.#remembered.delete(token);
    this.#remembered.set(token, { identity, untilMs });
    for (const oldest of this.#remembered.keys()) { if (this.#remembered.size <= REMEMBERED_MAX) break; this.#remembered.delete(oldest); }
  }

  /** Found once; a failure is tried again by later tokens, after a pause. */
  #keySet(): Promise<JWTVerifyGetKey> {
    if (this.#keys === undefined) {
      if (this.#clock.monotonicMs() - this.#failedAtMs < KEYS_COOLDOWN_MS) throw new Error("authenticator not initialized");
      this.#keys = this.#discover();
      this.#keys.catch(() => { this.#keys = undefined; this.#failedAtMs = this.#clock.monotonicMs(); });
    }
    return this.#keys;
  }

  async #discover(): Promise<JWTVerifyGetKey> {
    const { issuerUrl, authorityPem } = this.#options, url = `${issuerUrl.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const fetched = await fetchDocument(url, authorityPem);
    if (!fetched.ok) throw new Error(`Cannot find out about issuer "${issuerUrl}": ${url} answered ${fetched.status}`);
    const found = (await fetched.json()) as { issuer?: unknown; jwks_uri?: unknown };
    if (found.issuer !== issuerUrl) throw new Error(`oidc: issuer did not match the issuer returned by provider, expected ${JSON.stringify(issuerUrl)} got ${JSON.stringify(found.issuer ?? "")}`);
    if (typeof found.jwks_uri !== "string") throw new Error(`Cannot find keys of issuer "${issuerUrl}": its document has no jwks_uri`);
    return createRemoteJWKSet(new URL(found.jwks_uri), { cooldownDuration: KEYS_COOLDOWN_MS, timeoutDuration: FETCH_TIMEOUT_MS, [customFetch]: (where) => fetchDocument(where, authorityPem) });
  }
}

/** A GET over TLS, verified; what `fetch` does, but with authorities of our own. */
function fetchDocument(url: string, authorityPem: string | undefined): Promise<Response> {
  return new Promise((resolve, reject) => {
    const call = request(url, { ...(authorityPem === undefined ? {} : { ca: authorityPem }), headers: { accept: "application/json" }, timeout: FETCH_TIMEOUT_MS }, (answer) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      answer.on("data", (part: Buffer) => {
        bytes += part.length;
        if (bytes > DOCUMENT_BYTES_MAX) call.destroy(new Error(`${url} answers more than ${DOCUMENT_BYTES_MAX} bytes`));
        else parts.push(part);
      });
      answer.once("end", () => resolve(new Response(Buffer.concat(parts), { status: answer.statusCode ?? 500, headers: { "content-type": "application/json" } })));
      answer.once("error", reject);
    });
    call.once("timeout", () => call.destroy(new Error(`${url} did not answer within ${FETCH_TIMEOUT_MS / 1_000} s`)));
    call.once("error", reject);
    call.end();
  });
}
