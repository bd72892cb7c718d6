/** What bearer tokens are checked by. Counterpart: apiserver `authenticator.Token` and `union`. */
import type { UserInfo } from "../contracts.ts";

export interface TokenIdentity {
  readonly user: UserInfo;
  /** Those of the asked audiences the token is for; undefined where the kind of token has none. */
  readonly audiences?: readonly string[];
}

export interface TokenAuthenticator {
  /**
   * undefined: not a token of this kind. Throws an Error that says what is wrong with one that is.
   * `audiences` are those the asker accepts; the API server's own when absent.
   */
  authenticateToken(token: string, audiences?: readonly string[]): TokenIdentity | undefined;
}

/** Tries each in turn; fails only when none knows the token and one said why. */
export function tokenUnion(authenticators: readonly TokenAuthenticator[]): TokenAuthenticator {
  return {
    authenticateToken(token, audiences) {
      let failure: unknown;
      for (const authenticator of authenticators) {
        try {
          const identity = authenticator.authenticateToken(token, audiences);
          if (identity !== undefined) return identity;
        } catch (error) { failure ??= error; }
      }
      if (failure !== undefined) throw failure;
      return undefined;
    },
  };
}
