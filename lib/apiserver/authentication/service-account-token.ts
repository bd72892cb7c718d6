/**
 * ServiceAccount tokens: signature, issuer, audience, times, and that everything the token is bound to still exists.
 *
 * Promises: a token seen before costs one map lookup: the signature is checked once, and the objects again only after
 * one of them changed (the caches tell), so a deleted pod's token stops at once. At most CACHED_TOKENS_MAX tokens are
 * remembered. Bad tokens are never remembered. Counterpart: `pkg/serviceaccount/jwt.go` and apiserver's token cache.
 */
import { LEGACY_ISSUER } from "../../api/helpers/service-account-token.ts";
import { nodes, pods, secrets, serviceaccounts } from "../../api/schema/generated/references.ts";
import type { ObjectMeta } from "../../api/schema/generated/models.ts";
import type { Clock } from "../../util/clock.ts";
import type { CacheReader, UserInfo } from "../contracts.ts";
import { type JwtKey, peekClaims, verifyJwt } from "../../pki/jwt.ts";
import { readServiceAccountClaims, type ServiceAccountClaims } from "./service-account-claims.ts";
import { serviceAccountUser } from "./service-account-names.ts";
import type { TokenAuthenticator, TokenIdentity } from "./token-authenticator.ts";

export const CACHED_TOKENS_MAX = 20_000;
/** A deleted object's tokens work this long while it is going, so a pod can say goodbye. */
export const DELETION_LEEWAY_MS = 60_000;

export interface ServiceAccountTokenOptions {
  readonly keys: readonly JwtKey[];
  /** The first one signs; tokens of the others are still accepted. */
  readonly issuers: readonly string[];
  /** What a token must be for when the asker names no audiences. */
  readonly audiences: readonly string[];
}

interface Entry {
  readonly claims: ServiceAccountClaims;
  readonly identity: TokenIdentity;
  /** An object it depends on changed: look again before trusting it. */
  stale: boolean;
}

export class ServiceAccountTokenAuthenticator implements TokenAuthenticator {
  readonly #options: ServiceAccountTokenOptions;
  readonly #cache: CacheReader;
  readonly #clock: Pick<Clock, "now">;
  // Two generations instead of a list in order of use: a hit in the young one changes nothing.
  #young = new Map<string, Entry>();
  #old = new Map<string, Entry>();
  readonly #entriesByUid = new Map<string, Set<Entry>>();
  constructor(deps: { cache: CacheReader; clock: Pick<Clock, "now"> }, options: ServiceAccountTokenOptions) {
    this.#cache = deps.cache;
    this.#clock = deps.clock;
    this.#options = options;
  }

  /** Listens for changes of what tokens are bound to. Returns a function that stops it. */
  start(): () => void {
    const changed = (_type: string, object: { metadata?: ObjectMeta | undefined }): void => {
      const entries = this.#entriesByUid.get(object.metadata?.uid ?? "");
      if (entries !== undefined) for (const entry of entries) entry.stale = true;
    };
    const stops = [this.#cache.onChange(serviceaccounts, changed), this.#cache.onChange(pods, changed), this.#cache.onChange(secrets, changed), this.#cache.onChange(nodes, changed)];
    return () => { for (const stop of stops) stop(); };
  }

  authenticateToken(token: string, audiences?: readonly string[]): TokenIdentity | undefined {
    if (audiences !== undefined) return this.#verify(token, audiences)?.identity; // Token reviews: rare, and of other audiences.
    const young = this.#young.get(token), entry = young ?? this.#old.get(token);
    if (entry === undefined) {
      const fresh = this.#verify(token, this.#options.audiences);
      if (fresh !== undefined) this.#remember(token, fresh);
      return fresh?.identity;
    }
    if (young === undefined) this.#remember(token, entry);
    const { expiresMs } = entry.claims;
    if (entry.stale) entry.stale = this.#checkObjects(entry.claims);
    if (expiresMs !== undefined && this.#clock.now().getTime() > expiresMs) throw new Error("service account token has expired");
    return entry.identity;
  }

  #verify(token: string, wanted: readonly string[]): Entry | undefined {
    const issuer = peekClaims(token)?.iss;
    if (issuer !== LEGACY_ISSUER && !this.#options.issuers.includes(issuer as string)) return undefined;
    const claims = readServiceAccountClaims(verifyJwt(token, this.#options.keys)), now = this.#clock.now().getTime();
    if (claims.notBeforeMs !== undefined && now < claims.notBeforeMs) throw new Error("service account token is not valid yet");
    if (claims.expiresMs !== undefined && now > claims.expiresMs) throw new Error("service account token has expired");
    // Legacy tokens carry no audience: they are for this server.
    const held = claims.audiences.length === 0 && claims.legacy ? this.#options.audiences : claims.audiences;
    const audiences = held.filter((audience) => wanted.includes(audience));
    if (audiences.length === 0) throw new Error(`token audiences ${JSON.stringify(held)} is invalid for the target audiences ${JSON.stringify(wanted)}`);
    const stale = this.#checkObjects(claims, token);
    return { claims, identity: { user: userOf(claims), audiences }, stale };
  }

  /** Throws when an object the token is bound to is gone. Returns whether one is on its way out, so that the next use looks again. */
  #checkObjects(claims: ServiceAccountClaims, token?: string): boolean {
    const { namespace, serviceAccount, secret, pod, node } = claims, now = this.#clock.now().getTime();
    const leaving = [this.#check("service account", this.#cache.get(serviceaccounts, namespace, serviceAccount.name), namespace, serviceAccount, now)];
    if (secret !== undefined) {
      const found = this.#cache.get(secrets, namespace, secret.name);
      leaving.push(this.#check("secret", found, namespace, secret, now));
      if (claims.legacy && token !== undefined && Buffer.from(found?.data?.token ?? "", "base64").toString("utf8") !== token) throw new Error("service account token does not match that of its secret");
    }
    if (pod !== undefined) leaving.push(this.#check("pod", this.#cache.get(pods, namespace, pod.name), namespace, pod, now));
    // A pod's token names its node too, as information; only a token bound to the node itself depends on it.
    else if (node !== undefined) leaving.push(this.#check("node", this.#cache.get(nodes, "", node.name), "", node, now));
    return leaving.includes(true);
  }

  #check(what: string, found: { metadata?: ObjectMeta | undefined } | undefined, namespace: string, wanted: { name: string; uid: string }, now: number): boolean {
    const key = namespace === "" ? wanted.name : `${namespace}/${wanted.name}`;
    if (found === undefined) throw new Error(`${what} ${key} is not found`);
    if (wanted.uid !== "" && found.metadata?.uid !== wanted.uid) throw new Error(`${what} UID (${wanted.uid}) does not match claim of ${key}`);
    const deleted = found.metadata?.deletionTimestamp;
    if (deleted !== undefined && now > Date.parse(deleted) + DELETION_LEEWAY_MS) throw new Error(`${what} ${key} has been deleted`);
    return deleted !== undefined;
  }

  #remember(token: string, entry: Entry): void {
    if (entry.claims.legacy) return; // Few, old, and worth what their secret holds now: checked in full each time.
    if (this.#young.size >= CACHED_TOKENS_MAX / 2) {
      for (const each of this.#old.values()) this.#forget(each);
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(token, entry);
    if (this.#old.delete(token)) return; // Moved: already under its uids.
    for (const uid of uidsOf(entry.claims)) {
      const entries = this.#entriesByUid.get(uid);
      if (entries === undefined) this.#entriesByUid.set(uid, new Set([entry]));
      else entries.add(entry);
    }
  }

  #forget(entry: Entry): void {
    for (const uid of uidsOf(entry.claims)) {
      const entries = this.#entriesByUid.get(uid);
      entries?.delete(entry);
      if (entries?.size === 0) this.#entriesByUid.delete(uid);
    }
  }
}

const uidsOf = (claims: ServiceAccountClaims): string[] => [claims.serviceAccount, claims.pod, claims.secret, claims.node].flatMap((object) => (object === undefined ? [] : [object.uid]));

const userOf = (claims: ServiceAccountClaims): UserInfo => serviceAccountUser({
  namespace: claims.namespace, name: claims.serviceAccount.name, uid: claims.serviceAccount.uid,
  credentialId: claims.id, pod: claims.pod, node: claims.node,
});
