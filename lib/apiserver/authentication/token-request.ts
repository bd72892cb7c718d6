/**
 * `serviceaccounts/token`: issues a bound token.
 *
 * Promises: the token names the ServiceAccount and, where asked, the pod, secret or node it dies with, checked by name
 * and uid at this moment. Pods' projected tokens (asked for 3607 s) get a year, with a mark after which use is warned
 * about, as upstream does while old clients may not re-read their file.
 * Counterpart: `pkg/registry/core/serviceaccount/storage/token.go`.
 */
import { randomUUID, type KeyObject } from "node:crypto";
import { invalid, invalidError, type FieldError } from "../../api/field-error.ts";
import { nodes, pods, secrets, serviceaccounts } from "../../api/schema/generated/references.ts";
import type { AuthenticationV1TokenRequest, TokenRequestSpec } from "../../api/schema/generated/models.ts";
import { badRequest, conflict, notFound } from "../../api/status-error.ts";
import type { Clock } from "../../util/clock.ts";
import type { CacheReader, CreateHandler } from "../contracts.ts";
import { jwtKey, signJwt } from "../../pki/jwt.ts";
import { newTokenClaims, type ObjectName } from "./service-account-claims.ts";

export const DEFAULT_EXPIRATION_SECONDS = 3_600, MIN_EXPIRATION_SECONDS = 600;
/** What kubelet asks for on behalf of pods, recognisable on purpose. */
export const WARN_ONLY_EXPIRATION_SECONDS = 3_607;
const EXTENDED_EXPIRATION_SECONDS = 365 * 86_400;

export interface TokenIssuerOptions {
  readonly issuer: string;
  readonly signingKey: KeyObject;
  /** The API server's own audiences: what a request without audiences gets. */
  readonly audiences: readonly string[];
  /** `--service-account-max-token-expiration`; 0 is no limit. */
  readonly maxExpirationSeconds: number;
  /** `--service-account-extend-token-expiration`. */
  readonly extendExpiration: boolean;
}

/** Handles `serviceaccounts/token`. Throws StatusError. */
export function tokenRequestHandler(deps: { cache: CacheReader; clock: Pick<Clock, "now"> }, options: TokenIssuerOptions): CreateHandler {
  const keyId = jwtKey(options.signingKey).id;
  return (object, context) => {
    const request = object as AuthenticationV1TokenRequest, { namespace, name } = context, now = deps.clock.now();
    const serviceAccount = deps.cache.get(serviceaccounts, namespace, name);
    if (serviceAccount === undefined) throw notFound(serviceaccounts, name);
    checkNames(request, namespace, name);
    const audiences = request.spec?.audiences === undefined || request.spec.audiences.length === 0 ? options.audiences : request.spec.audiences;
    let expirationSeconds = request.spec?.expirationSeconds ?? DEFAULT_EXPIRATION_SECONDS;
    const errors = validate(expirationSeconds);
    if (errors.length > 0) throw invalidError("authentication.k8s.io", "TokenRequest", "", errors);
    if (options.maxExpirationSeconds > 0) expirationSeconds = Math.min(expirationSeconds, options.maxExpirationSeconds);
    const bound = findBoundObject(deps.cache, request.spec ?? { audiences: [] }, namespace, name);
    const extend = options.extendExpiration && expirationSeconds === WARN_ONLY_EXPIRATION_SECONDS && bound.pod !== undefined
      && audiences.every((audience) => options.audiences.includes(audience));
    const claims = newTokenClaims({
      issuer: options.issuer, namespace, serviceAccount: { name, uid: serviceAccount.metadata.uid ?? "" }, ...bound, audiences, now, id: randomUUID(),
      lifetimeSeconds: extend ? EXTENDED_EXPIRATION_SECONDS : expirationSeconds, warnAfterSeconds: extend ? expirationSeconds : undefined,
    });
    const expirationTimestamp = new Date(Math.floor(now.getTime() / 1_000) * 1_000 + expirationSeconds * 1_000).toISOString().replace(".000Z", "Z");
    return {
      kind: "TokenRequest", apiVersion: "authentication.k8s.io/v1",
      metadata: { name, namespace, creationTimestamp: now.toISOString().replace(/\.\d+Z$/, "Z") },
      spec: { audiences: [...audiences], expirationSeconds, boundObjectRef: request.spec?.boundObjectRef ?? null },
      status: { token: signJwt(claims, options.signingKey, keyId), expirationTimestamp },
    } as AuthenticationV1TokenRequest;
  };
}

function checkNames(request: AuthenticationV1TokenRequest, namespace: string, name: string): void {
  const given = request.metadata ?? {};
  if ((given.name ?? "") !== "" && given.name !== name) throw badRequest(`the name of the object (${given.name}) does not match the name on the URL (${name})`);
  if ((given.namespace ?? "") !== "" && given.namespace !== namespace) throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
}

function validate(expirationSeconds: number): FieldError[] {
  const field = "spec.expirationSeconds";
  if (expirationSeconds < MIN_EXPIRATION_SECONDS) return [invalid(field, expirationSeconds, "may not specify a duration less than 10 minutes")];
  return expirationSeconds > 2 ** 32 ? [invalid(field, expirationSeconds, "may not specify a duration larger than 2^32 seconds")] : [];
}

interface Bound { pod?: ObjectName; secret?: ObjectName; node?: ObjectName }
function findBoundObject(cache: CacheReader, spec: TokenRequestSpec, namespace: string, serviceAccount: string): Bound {
  const wanted = spec.boundObjectRef;
  if (wanted === undefined || wanted === null) return {};
  const name = wanted.name ?? "", kind = `${wanted.apiVersion ?? ""}, Kind=${wanted.kind ?? ""}`;
  const identify = (found: { metadata?: { uid?: string | undefined } }, resource: { group: string; plural: string }): ObjectName => {
    const uid = found.metadata?.uid ?? "";
    if ((wanted.uid ?? "") !== "" && wanted.uid !== uid) throw conflict(resource, name, `the UID in the bound object reference (${wanted.uid}) does not match the UID in record. The object might have been deleted and then recreated`);
    return { name, uid };
  };
  if (wanted.apiVersion === "v1" && wanted.kind === "Pod") {
    const pod = cache.get(pods, namespace, name);
    if (pod === undefined) throw notFound(pods, name);
    if (pod.spec?.serviceAccountName !== serviceAccount) throw badRequest(`cannot bind token for serviceaccount ${JSON.stringify(serviceAccount)} to pod running with different serviceaccount name.`);
    const nodeName = pod.spec.nodeName ?? "", node = nodeName === "" ? undefined : cache.get(nodes, "", nodeName);
    return { pod: identify(pod, pods), ...(nodeName === "" ? {} : { node: { name: nodeName, uid: node?.metadata?.uid ?? "" } }) };
  }
  if (wanted.apiVersion === "v1" && wanted.kind === "Node") {
    const node = cache.get(nodes, "", name);
    if (node === undefined) throw notFound(nodes, name);
    return { node: identify(node, nodes) };
  }
  if (wanted.apiVersion === "v1" && wanted.kind === "Secret") {
    const secret = cache.get(secrets, namespace, name);
    if (secret === undefined) throw notFound(secrets, name);
    return { secret: identify(secret, secrets) };
  }
  throw badRequest(`cannot bind token to object of type ${kind}`);
}
