/** What bearer tokens are checked by. Counterpart: apiserver `authenticator.Token` and `union`. */
import type { UserInfo } from "../contracts.ts";

export interface TokenIdentity {
  readonly user: UserInfo;
  /** Those of the asked audiences the token is for; undefined where the kind of token has none. */
  readonly audiences?: readonly string[];
}
type Answer = TokenIdentity | undefined;

export interface TokenAuthenticator {
  /**
   * undefined: not a token of this kind. Throws (or rejects with) an Error that says what is wrong with one that is.
   * `audiences` are those the asker accepts; the API server's own when absent. Synchronous where it can be: every request asks.
   */
  authenticateToken(token: string, audiences?: readonly string[]): Answer | Promise<Answer>;
}

/** Tries each in turn; fails only when none knows the token and one said why. Stays synchronous while those it asks are. */
export function tokenUnion(authenticators: readonly TokenAuthenticator[]): TokenAuthenticator {
  const from = (first: number, token: string, audiences: readonly string[] | undefined, failure: unknown): Answer | Promise<Answer> => {
    for (let i = first; i < authenticators.length; i++) {
      try {
        const identity = authenticators[i]!.authenticateToken(token, audiences);
        if (identity instanceof Promise) return identity.then((found) => found ?? from(i + 1, token, audiences, failure), (error: unknown) => from(i + 1, token, audiences, failure ?? error));
        if (identity !== undefined) return identity;
      } catch (error) { failure ??= error; }
    }
    if (failure !== undefined) throw failure;
    return undefined;
  };
  return { authenticateToken: (token, audiences) => from(0, token, audiences, undefined) };
}
