/**
 * Bearer tokens: from the Authorization header, or from the WebSocket protocol list where browsers cannot set headers.
 * Counterpart: apiserver `authentication/request/bearertoken` and `.../websocket`.
 */
import type { Authenticator, Credentials, UserInfo } from "../contracts.ts";
import type { TokenAuthenticator, TokenIdentity } from "./token-authenticator.ts";
import { unauthorized } from "./unauthorized.ts";

export const WEBSOCKET_BEARER_PREFIX = "base64url.bearer.authorization.k8s.io.";

export class BearerTokenAuthenticator implements Authenticator {
  readonly #tokens: TokenAuthenticator;
  constructor(tokens: TokenAuthenticator) { this.#tokens = tokens; }
  authenticate(credentials: Credentials): UserInfo | undefined | Promise<UserInfo> {
    const token = tokenOf(credentials);
    if (token === "") return undefined;
    let identity;
    try { identity = this.#tokens.authenticateToken(token); }
    catch (error) { throw unauthorized(error); }
    if (identity instanceof Promise) return identity.then(userOf, (error: unknown) => { throw unauthorized(error); });
    return userOf(identity);
  }
}

function userOf(identity: TokenIdentity | undefined): UserInfo {
  if (identity === undefined) throw unauthorized("invalid bearer token");
  return identity.user;
}

function tokenOf(credentials: Credentials): string {
  const header = credentials.authorization;
  if (header !== undefined) {
    const match = /^ *bearer +(\S*)/i.exec(header);
    return match?.[1] ?? "";
  }
  if (credentials.headers["sec-websocket-protocol"] === undefined) return "";
  const protocols = String(credentials.headers["sec-websocket-protocol"]).split(",").map((protocol) => protocol.trim());
  const encoded = protocols.filter((protocol) => protocol.startsWith(WEBSOCKET_BEARER_PREFIX));
  if (encoded.length === 0) return "";
  if (encoded.length > 1) throw unauthorized("multiple base64.bearer.authorization tokens specified");
  // A list of the token alone would leave no protocol to agree on.
  if (protocols.length === 1) throw unauthorized("missing additional subprotocol");
  return Buffer.from(encoded[0]!.slice(WEBSOCKET_BEARER_PREFIX.length), "base64url").toString("utf8");
}
