/** PEM armour (RFC 7468). */

/** `der` as a PEM block labelled `label`, e.g. CERTIFICATE. */
export function toPem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** The DER of every block labelled `label`, in order; other blocks and text between are skipped. */
export function fromPem(label: string, pem: string): Buffer[] {
  const pattern = new RegExp(`-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]*)-----END ${label}-----`, "g");
  return [...pem.matchAll(pattern)].map((match) => Buffer.from(match[1]!, "base64"));
}
