/**
 * Private keys: made, written as PEM, and the signature algorithm that goes with each kind.
 * Counterpart: client-go `util/keyutil`. ECDSA P-256 unless asked: RSA is for ServiceAccount tokens, where clients expect RS256.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

export type KeyKind = "ecdsa" | "rsa";

export function generateKey(kind: KeyKind = "ecdsa"): KeyObject {
  return kind === "ecdsa" ? generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey : generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
}

/** PEM as kubeadm writes it: SEC 1 for ECDSA, PKCS 1 for RSA, PKCS 8 for the rest. */
export function privateKeyPem(key: KeyObject): string {
  const type = key.asymmetricKeyType === "ec" ? "sec1" : key.asymmetricKeyType === "rsa" ? "pkcs1" : "pkcs8";
  return key.export({ type, format: "pem" }) as string;
}

/** `PUBLIC KEY` PEM of a private or public key. */
export const publicKeyPem = (key: KeyObject): string => publicKeyOf(key).export({ type: "spki", format: "pem" }) as string;
export const publicKeyDer = (key: KeyObject): Buffer => publicKeyOf(key).export({ type: "spki", format: "der" });
export const publicKeyOf = (key: KeyObject): KeyObject => (key.type === "private" ? createPublicKey(key) : key);
export const parsePrivateKey = (pem: string | Buffer): KeyObject => createPrivateKey(pem);

/** Public keys in a PEM text; public keys, private keys and certificates are all accepted, as `--service-account-key-file` does. */
export function parsePublicKeys(pem: string): KeyObject[] {
  const blocks = pem.match(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g) ?? [];
  return blocks.filter((block) => !block.startsWith("-----BEGIN EC PARAMETERS")).map((block) => createPublicKey(block));
}

export const sameKey = (a: KeyObject, b: KeyObject): boolean => publicKeyDer(a).equals(publicKeyDer(b));

/** The AlgorithmIdentifier's members for signatures by `key`; `parameters` is DER (NULL for RSA, as RFC 4055 asks). */
export function signatureAlgorithm(key: KeyObject): { algorithm: string; parameters?: ArrayBuffer } {
  if (key.asymmetricKeyType === "ec") return { algorithm: "1.2.840.10045.4.3.2" }; // ecdsa-with-SHA256
  if (key.asymmetricKeyType === "rsa") return { algorithm: "1.2.840.113549.1.1.11", parameters: new Uint8Array([5, 0]).buffer }; // sha256WithRSAEncryption
  if (key.asymmetricKeyType === "ed25519") return { algorithm: "1.3.101.112" };
  throw new Error(`Cannot sign: keys of type ${JSON.stringify(key.asymmetricKeyType)} are not supported, use ECDSA P-256, RSA or Ed25519`);
}

export const signBytes = (key: KeyObject, bytes: Buffer): Buffer => sign(key.asymmetricKeyType === "ed25519" ? null : "sha256", bytes, key);
