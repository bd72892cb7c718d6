/**
 * JSON Web Tokens, signed RS256, ES256 or EdDSA; synchronous, because every request with a token passes here.
 *
 * Promises: `verifyJwt` accepts only algorithms that fit the type of a known key (never `none`, never HMAC), and throws
 * an Error with the reason otherwise; times are the caller's to check. Source: RFC 7515, 7518, 7519.
 */
import { createHash, createPublicKey, type KeyObject, sign, verify } from "node:crypto";

export type JwtClaims = Readonly<Record<string, unknown>>;
export interface JwtKey {
  readonly publicKey: KeyObject;
  /** SHA-256 of the public key's DER, base64url: upstream's rule, so tokens of either server name the same key. */
  readonly id: string;
  readonly algorithm: JwtAlgorithm;
}
export type JwtAlgorithm = "RS256" | "ES256" | "ES384" | "ES512" | "EdDSA";

const EC_ALGORITHMS: Record<string, JwtAlgorithm> = { prime256v1: "ES256", secp384r1: "ES384", secp521r1: "ES512" };

export function algorithmOf(key: KeyObject): JwtAlgorithm {
  if (key.asymmetricKeyType === "rsa") return "RS256";
  if (key.asymmetricKeyType === "ed25519") return "EdDSA";
  const algorithm = EC_ALGORITHMS[key.asymmetricKeyDetails?.namedCurve ?? ""];
  if (algorithm === undefined) throw new Error(`Cannot use the key for tokens: type ${JSON.stringify(key.asymmetricKeyType)} is not RSA, ECDSA or Ed25519`);
  return algorithm;
}

/** A key to verify with, from a public or private key. */
export function jwtKey(key: KeyObject): JwtKey {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  const id = createHash("sha256").update(publicKey.export({ type: "spki", format: "der" })).digest("base64url");
  return { publicKey, id, algorithm: algorithmOf(publicKey) };
}

const digestOf = (algorithm: JwtAlgorithm): string | null => (algorithm === "EdDSA" ? null : `sha${algorithm.slice(2)}`);
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Signs `claims`; their keys are written sorted, as upstream's signer does. */
export function signJwt(claims: JwtClaims, key: KeyObject, keyId = jwtKey(key).id): string {
  const algorithm = algorithmOf(key), sorted = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const input = `${encode({ alg: algorithm, kid: keyId })}.${encode(sorted)}`;
  const signature = sign(digestOf(algorithm), Buffer.from(input), { key, dsaEncoding: "ieee-p1363" });
  return `${input}.${signature.toString("base64url")}`;
}

/** The claims without any check, or undefined when `token` has not the form of a JWT: only to decide whose token it is. */
export function peekClaims(token: string): JwtClaims | undefined {
  const parts = token.split(".");
  if (parts.length !== 3) return undefined;
  const claims = decodePart(parts[1]!);
  return claims;
}

function decodePart(part: string): JwtClaims | undefined {
  if (part.length > 65_536) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JwtClaims) : undefined;
  } catch { return undefined; }
}

/** Claims of a token that one of `keys` signed. Throws Error. */
export function verifyJwt(token: string, keys: readonly JwtKey[]): JwtClaims {
  const [head = "", payload = "", signature = ""] = token.split(".");
  const header = decodePart(head), claims = decodePart(payload);
  if (header === undefined || claims === undefined) throw new Error("the token is not a JSON Web Token");
  if (header.crit !== undefined) throw new Error("the token asks for header extensions that are not understood");
  const input = Buffer.from(`${head}.${payload}`), bytes = Buffer.from(signature, "base64url");
  const named = keys.filter((key) => key.id === header.kid);
  for (const key of named.length > 0 ? named : keys) {
    if (key.algorithm !== header.alg) continue;
    if (verify(digestOf(key.algorithm), input, { key: key.publicKey, dsaEncoding: "ieee-p1363" }, bytes)) return claims;
  }
  throw new Error("invalid signature");
}
