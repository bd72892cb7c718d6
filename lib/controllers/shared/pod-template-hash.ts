/**
 * Short hashes for names and labels, as `web-5d59d67564`. Counterpart: `ComputeHash` in kubernetes `pkg/controller` and apimachinery
 * `util/rand` SafeEncodeString. Differs: upstream hashes the Go struct's printed form, which only Go can make; ours hashes
 * canonical JSON, so names look alike and are stable, but are not the same.
 */
const FNV_OFFSET = 0x811c9dc5, FNV_PRIME = 0x01000193;
/** Upstream's letters: no vowels, nothing that looks like another, so no words arise. */
const LETTERS = "bcdfghjklmnpqrstvwxz2456789";

/** FNV-1a, 32 bits. */
export function fnv1a32(bytes: Uint8Array, seed = FNV_OFFSET): number {
  let hash = seed;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_PRIME) >>> 0;
  return hash;
}

/** Maps each character to a safe letter, as upstream. */
export function safeEncode(text: string): string {
  let encoded = "";
  for (const character of text) encoded += LETTERS[character.codePointAt(0)! % LETTERS.length]!;
  return encoded;
}

/** JSON with sorted keys and without absent members, so that equal objects have equal texts. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value).filter(([, v]) => v !== undefined).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v)}`).join(",")}}`;
}

/** The hash of a pod template; `collisionCount` makes another one for the same template. */
export function podTemplateHash(template: unknown, collisionCount?: number): string {
  let hash = fnv1a32(Buffer.from(canonicalJson(template)));
  if (collisionCount !== undefined) {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32LE(collisionCount);
    hash = fnv1a32(bytes, hash);
  }
  return safeEncode(String(hash));
}
