/**
 * The authenticators in upstream's order: front proxy, client certificate, bearer token; then anonymous, but only where
 * no credentials were sent: bad ones are refused even though none at all would have been let in.
 *
 * Promises: the same credentials give the identical UserInfo object while they stay cached, so what later stages
 * compile for a user can be remembered by identity. Everyone but the anonymous gets `system:authenticated`.
 * Counterpart: kubeapiserver `authenticator.Config.New`.
 */
import type { Authenticator, Credentials, UserInfo } from "../contracts.ts";

export const ANONYMOUS_NAME = "system:anonymous", UNAUTHENTICATED_GROUP = "system:unauthenticated", AUTHENTICATED_GROUP = "system:authenticated";
export const ANONYMOUS: UserInfo = { name: ANONYMOUS_NAME, groups: [UNAUTHENTICATED_GROUP] };

export class RequestAuthenticator {
  readonly #authenticators: readonly Authenticator[];
  readonly #anonymous: boolean;
  readonly #completed = new WeakMap<UserInfo, UserInfo>();
  constructor(authenticators: readonly Authenticator[], options: { anonymous: boolean }) {
    this.#authenticators = authenticators;
    this.#anonymous = options.anonymous;
  }
  /** Who is calling; undefined when nobody says so and anonymous requests are off (answer 401). Throws Unauthorized. Stays synchronous while every authenticator does. */
  authenticate(credentials: Credentials): UserInfo | undefined | Promise<UserInfo | undefined> {
    let failure: unknown;
    for (let i = 0; i < this.#authenticators.length; i++) {
      try {
        const user = this.#authenticators[i]!.authenticate(credentials);
        if (user instanceof Promise) return this.#rest(user, i, credentials, failure);
        if (user !== undefined) return this.#complete(user);
      } catch (error) { failure ??= error; }
    }
    if (failure !== undefined) throw failure;
    return this.#anonymous ? ANONYMOUS : undefined;
  }
  /** The same walk from the first authenticator that answered with a promise. */
  async #rest(pending: Promise<UserInfo | undefined>, from: number, credentials: Credentials, failure: unknown): Promise<UserInfo | undefined> {
    for (let i = from; i < this.#authenticators.length; i++) {
      try {
        const user = await (i === from ? pending : this.#authenticators[i]!.authenticate(credentials));
        if (user !== undefined) return this.#complete(user);
      } catch (error) { failure ??= error; }
    }
    if (failure !== undefined) throw failure;
    return this.#anonymous ? ANONYMOUS : undefined;
  }
  #complete(user: UserInfo): UserInfo {
    let complete = this.#completed.get(user);
    if (complete === undefined) { complete = withAuthenticatedGroup(user); this.#completed.set(user, complete); }
    return complete;
  }
}

/** Adds `system:authenticated` unless the user is anonymous or has it. */
export function withAuthenticatedGroup(user: UserInfo): UserInfo {
  if (user.name === ANONYMOUS_NAME || user.groups.includes(UNAUTHENTICATED_GROUP) || user.groups.includes(AUTHENTICATED_GROUP)) return user;
  return { ...user, groups: [...user.groups, AUTHENTICATED_GROUP] };
}
