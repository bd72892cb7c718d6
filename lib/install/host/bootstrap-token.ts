/**
 * Bootstrap tokens and the pin of the cluster's authority: pure. Counterpart: cluster-bootstrap `token/util`, kubeadm `pubkeypin`.
 */
import { toTimestamp } from "../../api/helpers/timestamps.ts";
import { createHash, randomInt, X509Certificate } from "node:crypto";
import type { Secret } from "../../api/schema/generated/models.ts";

export const TOKEN_PATTERN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
export const TOKEN_GROUP = "system:bootstrappers:kubeadm:default-node-token";
const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";
const draw = (length: number): string => Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");

export const generateToken = (): string => `${draw(6)}.${draw(16)}`;

/** Throws when it is no token. */
export function parseToken(token: string): { id: string; secret: string } {
  const match = TOKEN_PATTERN.exec(token);
  if (match === null) throw new Error("Cannot use the token: it must look like abcdef.0123456789abcdef");
  return { id: match[1]!, secret: match[2]! };
}

/** The Secret that makes a token valid until `expires` (for ever without). */
export function tokenSecret(token: string, expires: Date | undefined, description: string): Secret {
  const { id, secret } = parseToken(token);
  const fields: Record<string, string> = {
    "token-id": id, "token-secret": secret, "usage-bootstrap-authentication": "true", "usage-bootstrap-signing": "true", "auth-extra-groups": TOKEN_GROUP,
    ...(description === "" ? {} : { description }), ...(expires === undefined ? {} : { expiration: toTimestamp(expires) }),
  };
  return {
    apiVersion: "v1", kind: "Secret", type: "bootstrap.kubernetes.io/token", metadata: { name: `bootstrap-token-${id}`, namespace: "kube-system" },
    data: Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, Buffer.from(text).toString("base64")])),
  };
}

export interface TokenFacts { readonly token: string; readonly expires: Date | undefined; readonly description: string }
/** Reads such a Secret; undefined when it is something else. */
export function readTokenSecret(secret: Secret): TokenFacts | undefined {
  const field = (name: string): string => Buffer.from(secret.data?.[name] ?? "", "base64").toString("utf8"), token = `${field("token-id")}.${field("token-secret")}`, expiration = field("expiration");
  if (secret.type !== "bootstrap.kubernetes.io/token" || !TOKEN_PATTERN.test(token)) return undefined;
  return { token, expires: expiration === "" ? undefined : new Date(expiration), description: field("description") };
}

/** `sha256:HEX` of the authority's public key, as kubeadm prints and takes it. */
export const authorityPin = (certificatePem: string): string =>
  `sha256:${createHash("sha256").update(new X509Certificate(certificatePem).publicKey.export({ type: "spki", format: "der" })).digest("hex")}`;

export const joinCommand = (server: string, token: string, pin: string): string => `kaji join ${new URL(server).host} --token ${token} --discovery-token-ca-cert-hash ${pin}`;
