/**
 * IP addresses and CIDR ranges in fields of the API, with upstream's messages. Strict, as 1.36 is by default: no leading zeroes,
 * no IPv4-mapped IPv6. Counterpart: apimachinery `util/validation/ip.go`.
 */
import { formatCidr, formatIp, maskIp, parseCidr, parseIp, type Cidr, type IpAddress } from "../../util/ip.ts";
import { invalid } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import type { Errors } from "./checks.ts";

function readStrictIp(errors: Errors, path: FieldPath, text: string): IpAddress | undefined {
  const ip = parseIp(text);
  if (ip === undefined) errors.push(invalid(path, text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"));
  else if (ip.leadingZeros) errors.push(invalid(path, text, "must not have leading 0s"));
  else if (ip.mapped) errors.push(invalid(path, text, "must not be an IPv4-mapped IPv6 address"));
  else return ip;
  return undefined;
}

/** A field that was there before canonical form was asked for: any spelling of the address. Returns whether it is one. */
export const checkIp = (errors: Errors, path: FieldPath, text: string): boolean => readStrictIp(errors, path, text) !== undefined;

/** A newer field: the canonical spelling only. */
export function checkCanonicalIp(errors: Errors, path: FieldPath, text: string): void {
  const ip = readStrictIp(errors, path, text);
  if (ip !== undefined && formatIp(ip) !== text) errors.push(invalid(path, text, `must be in canonical form (${JSON.stringify(formatIp(ip))})`));
}

function readStrictCidr(errors: Errors, path: FieldPath, text: string): Cidr | undefined {
  const cidr = parseCidr(text);
  if (cidr === undefined) errors.push(invalid(path, text, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"));
  else if (cidr.ip.leadingZeros || cidr.prefixLeadingZeros) errors.push(invalid(path, text, "must not have leading 0s in IP or prefix length"));
  else if (cidr.ip.mapped) errors.push(invalid(path, text, "must not have an IPv4-mapped IPv6 address"));
  else if (maskIp(cidr.ip, cidr.prefix).value !== cidr.ip.value) errors.push(invalid(path, text, "must not have bits set beyond the prefix length"));
  else return cidr;
  return undefined;
}
export const checkCidr = (errors: Errors, path: FieldPath, text: string): boolean => readStrictCidr(errors, path, text) !== undefined;
export function checkCanonicalCidr(errors: Errors, path: FieldPath, text: string): void {
  const cidr = readStrictCidr(errors, path, text);
  if (cidr !== undefined && formatCidr(cidr) !== text) errors.push(invalid(path, text, `must be in canonical form (${JSON.stringify(formatCidr(cidr))})`));
}

const LOOPBACK6 = 1n;
/** No unspecified, loopback or link-local address: those would reach into a node. */
export function checkNonSpecialIp(errors: Errors, path: FieldPath, text: string): void {
  const ip = parseIp(text);
  if (ip === undefined) {
    errors.push(invalid(path, text, "must be a valid IP address"));
    return;
  }
  const v4 = ip.family === 4, { value } = ip;
  if (value === 0n) errors.push(invalid(path, text, `may not be unspecified (${text})`));
  if (v4 ? value >> 24n === 127n : value === LOOPBACK6) errors.push(invalid(path, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)"));
  if (v4 ? value >> 16n === 0xa9fen : value >> 118n === 0xfe80n >> 6n) errors.push(invalid(path, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"));
  if (v4 ? value >> 8n === 0xe00000n : value >> 112n === 0xff02n) errors.push(invalid(path, text, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"));
}

/** Whether a list holds addresses of both families; undefined when one of them is none. */
export function isDualStack(texts: readonly string[]): boolean | undefined {
  const families = texts.map((text) => parseIp(text.split("/")[0]!)?.family);
  if (families.includes(undefined)) return undefined;
  return families.includes(4) && families.includes(6);
}
