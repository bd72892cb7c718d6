/**
 * OpenID discovery of the ServiceAccount issuer: others verify our tokens with what `/openid/v1/jwks` shows.
 * Counterpart: `pkg/serviceaccount/openidmetadata.go`.
 */
import type { JwtKey } from "../../pki/jwt.ts";

export interface DiscoveryDocument { readonly body: string; readonly contentType: string; readonly cacheControl: string }

const CACHE_CONTROL = "public, max-age=3600";

/** The documents by path. `jwksUri` is where the second can be fetched from outside. */
export function discoveryDocuments(issuer: string, jwksUri: string, keys: readonly JwtKey[]): ReadonlyMap<string, DiscoveryDocument> {
  const algorithms = [...new Set(keys.map((key) => key.algorithm))];
  const configuration = { issuer, jwks_uri: jwksUri, response_types_supported: ["id_token"], subject_types_supported: ["public"], id_token_signing_alg_values_supported: algorithms };
  const jwks = { keys: keys.map((key) => ({ use: "sig", ...key.publicKey.export({ format: "jwk" }), kid: key.id, alg: key.algorithm })) };
  return new Map([
    ["/.well-known/openid-configuration", { body: JSON.stringify(configuration), contentType: "application/json", cacheControl: CACHE_CONTROL }],
    ["/openid/v1/jwks", { body: JSON.stringify(jwks), contentType: "application/jwk-set+json", cacheControl: CACHE_CONTROL }],
  ]);
}
