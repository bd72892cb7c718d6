/**
 * What a ServiceAccount token says, read from its claims; and the claims of a new one. Pure.
 * Counterpart: `pkg/serviceaccount` `claims.go` and `legacy.go`.
 */
import { LEGACY_CLAIMS, LEGACY_ISSUER } from "../../api/helpers/service-account-token.ts";
import type { JwtClaims } from "../../pki/jwt.ts";

export interface ObjectName { readonly name: string; readonly uid: string }
export interface ServiceAccountClaims {
  readonly namespace: string;
  readonly serviceAccount: ObjectName;
  readonly pod: ObjectName | undefined;
  readonly secret: ObjectName | undefined;
  readonly node: ObjectName | undefined;
  readonly audiences: readonly string[];
  readonly id: string | undefined;
  /** Milliseconds since the epoch; undefined for legacy tokens, which do not expire. */
  readonly expiresMs: number | undefined;
  readonly notBeforeMs: number | undefined;
  /** A token that lives in a Secret and is valid as long as the Secret holds it. */
  readonly legacy: boolean;
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const seconds = (value: unknown): number | undefined => (typeof value === "number" ? value * 1_000 : undefined);
const record = (value: unknown): Readonly<Record<string, unknown>> => (typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {});
function named(value: unknown): ObjectName | undefined {
  const { name, uid } = record(value);
  return typeof name === "string" && name !== "" ? { name, uid: text(uid) ?? "" } : undefined;
}
export const audiencesOf = (claims: JwtClaims): string[] =>
  (Array.isArray(claims.aud) ? claims.aud : [claims.aud]).filter((audience): audience is string => typeof audience === "string" && audience !== "");

/** Reads a verified token's claims. Throws Error when they are not a ServiceAccount's. */
export function readServiceAccountClaims(claims: JwtClaims): ServiceAccountClaims {
  return claims.iss === LEGACY_ISSUER ? readLegacyClaims(claims) : readBoundClaims(claims);
}

function readBoundClaims(claims: JwtClaims): ServiceAccountClaims {
  const ours = record(claims["kubernetes.io"]), namespace = text(ours.namespace) ?? "", serviceAccount = named(ours.serviceaccount);
  if (namespace === "" || serviceAccount === undefined || serviceAccount.uid === "") throw new Error("the token names no service account");
  const expiresMs = seconds(claims.exp);
  if (expiresMs === undefined) throw new Error("the token does not expire");
  return {
    namespace, serviceAccount, pod: named(ours.pod), secret: named(ours.secret), node: named(ours.node), audiences: audiencesOf(claims),
    id: text(claims.jti), expiresMs, notBeforeMs: seconds(claims.nbf), legacy: false,
  };
}

function readLegacyClaims(claims: JwtClaims): ServiceAccountClaims {
  const field = (claim: string): string => text(claims[claim]) ?? "";
  const namespace = field(LEGACY_CLAIMS.namespace), name = field(LEGACY_CLAIMS.accountName), uid = field(LEGACY_CLAIMS.accountUid), secret = field(LEGACY_CLAIMS.secretName);
  if (namespace === "" || name === "" || uid === "") throw new Error("the token names no service account");
  if (secret === "") throw new Error("the token names no secret");
  if (claims.sub !== `system:serviceaccount:${namespace}:${name}`) throw new Error("the token's subject is not its service account");
  return {
    namespace, serviceAccount: { name, uid }, secret: { name: secret, uid: "" }, pod: undefined, node: undefined, audiences: audiencesOf(claims),
    id: undefined, expiresMs: seconds(claims.exp), notBeforeMs: seconds(claims.nbf), legacy: true,
  };
}

export interface NewTokenOptions {
  readonly issuer: string;
  readonly namespace: string;
  readonly serviceAccount: ObjectName;
  readonly pod?: ObjectName | undefined;
  readonly secret?: ObjectName | undefined;
  readonly node?: ObjectName | undefined;
  readonly audiences: readonly string[];
  readonly now: Date;
  readonly lifetimeSeconds: number;
  /** After this the client should have fetched a new one, though the token still works. */
  readonly warnAfterSeconds?: number | undefined;
  /** A random UUID. */
  readonly id: string;
}

/** The claims of a bound token. */
export function newTokenClaims(options: NewTokenOptions): JwtClaims {
  const now = Math.floor(options.now.getTime() / 1_000), bound = options.pod ?? options.secret ?? options.node;
  return {
    aud: options.audiences, exp: now + options.lifetimeSeconds, iat: now, iss: options.issuer, jti: options.id, nbf: now,
    sub: `system:serviceaccount:${options.namespace}:${options.serviceAccount.name}`,
    "kubernetes.io": {
      namespace: options.namespace,
      ...(options.node === undefined ? {} : { node: options.node }),
      ...(options.pod === undefined ? {} : { pod: options.pod }),
      ...(options.secret === undefined || bound !== options.secret ? {} : { secret: options.secret }),
      serviceaccount: options.serviceAccount,
      ...(options.warnAfterSeconds === undefined ? {} : { warnafter: now + options.warnAfterSeconds }),
    },
  };
}
