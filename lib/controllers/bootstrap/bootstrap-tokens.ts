/**
 * Bootstrap tokens as the loops of this folder see them: pure. Counterpart: cluster-bootstrap `token/util` and `token/jws`.
 */
import { createHmac } from "node:crypto";
import type { ConfigMap, Secret } from "../../api/schema/generated/models.ts";

export const TOKEN_TYPE = "bootstrap.kubernetes.io/token", SIGNATURE_PREFIX = "jws-kubeconfig-";
const field = (secret: Secret, name: string): string => Buffer.from(secret.data?.[name] ?? "", "base64").toString("utf8");

/** When the token ends, in milliseconds since the epoch; undefined for never. What cannot be read has ended. */
export function endsAtMs(secret: Secret): number | undefined {
  const expiration = field(secret, "expiration");
  if (expiration === "") return undefined;
  const ms = Date.parse(expiration);
  return Number.isNaN(ms) ? 0 : ms;
}

/** A detached JWS (RFC 7515, appendix F) over `payload`: who holds the token can tell that the cluster wrote it. */
export function detachedSignature(payload: string, tokenId: string, tokenSecret: string): string {
  const encode = (text: string): string => Buffer.from(text).toString("base64url"), header = encode(JSON.stringify({ alg: "HS256", kid: tokenId }));
  return `${header}..${createHmac("sha256", tokenSecret).update(`${header}.${encode(payload)}`).digest("base64url")}`;
}

/** `cluster-info` with one signature for each token that signs; undefined when it is so already. */
export function planSignatures(info: ConfigMap, tokens: readonly Secret[], nowMs: number): ConfigMap | undefined {
  const payload = info.data?.["kubeconfig"];
  if (payload === undefined) return undefined;
  const kept = Object.entries(info.data ?? {}).filter(([name]) => !name.startsWith(SIGNATURE_PREFIX));
  const signing = tokens.filter((secret) => secret.type === TOKEN_TYPE && secret.metadata.deletionTimestamp === undefined && field(secret, "usage-bootstrap-signing") === "true"
    && field(secret, "token-secret") !== "" && secret.metadata.name === `bootstrap-token-${field(secret, "token-id")}` && (endsAtMs(secret) ?? Infinity) > nowMs);
  const signatures = signing.map((secret) => [`${SIGNATURE_PREFIX}${field(secret, "token-id")}`, detachedSignature(payload, field(secret, "token-id"), field(secret, "token-secret"))] as const);
  const data = Object.fromEntries([...kept, ...signatures]), before = info.data ?? {};
  const same = Object.keys(data).length === Object.keys(before).length && Object.entries(data).every(([name, text]) => before[name] === text);
  return same ? undefined : { ...info, data };
}
