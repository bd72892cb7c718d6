/**
 * IP addresses and CIDR ranges: reading, canonical text, and upstream's messages. Strict, as 1.36 is by default:
 * no leading zeroes, no IPv4-mapped IPv6. Counterpart: apimachinery `util/validation/ip.go`.
 */
import { invalid } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import type { Errors } from "./checks.ts";

export interface IpAddress {
  readonly family: 4 | 6;
  readonly value: bigint;
  /** Written as `::ffff:1.2.3.4`; `family` is then 4 and `value` the IPv4 one, as Go reads it. */
  readonly mapped: boolean;
  /** An IPv4 part had leading zeroes. */
  readonly leadingZeros: boolean;
}
export interface Cidr { readonly ip: IpAddress; readonly prefix: number; readonly prefixLeadingZeros: boolean }

function parseIpv4(text: string): { value: bigint; leadingZeros: boolean } | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (match === null) return undefined;
  let value = 0n, leadingZeros = false;
  for (const part of match.slice(1)) {
    const octet = part.length > 15 ? 256 : Number(part);
    if (octet > 255) return undefined;
    if (part.length > 1 && part.startsWith("0")) leadingZeros = true;
    value = (value << 8n) | BigInt(octet);
  }
  return { value, leadingZeros };
}

/** The eight groups of an IPv6 text without `::`, or of one side of it. */
function parseGroups(text: string): { groups: number[]; leadingZeros: boolean } | undefined {
  if (text === "") return { groups: [], leadingZeros: false };
  const groups: number[] = [], parts = text.split(":");
  let leadingZeros = false;
  for (const [i, part] of parts.entries()) {
    if (part.includes(".") && i === parts.length - 1) {
      const v4 = parseIpv4(part);
      if (v4 === undefined) return undefined;
      leadingZeros = v4.leadingZeros;
      groups.push(Number(v4.value >> 16n), Number(v4.value & 0xffffn));
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return { groups, leadingZeros };
}

/** undefined when the text is no address. */
export function parseIp(text: string): IpAddress | undefined {
  if (!text.includes(":")) {
    const v4 = parseIpv4(text);
    return v4 === undefined ? undefined : { family: 4, ...v4, mapped: false };
  }
  if (text.length > 45) return undefined;
  const sides = text.split("::");
  if (sides.length > 2) return undefined;
  const left = parseGroups(sides[0]!), right = sides.length === 2 ? parseGroups(sides[1]!) : { groups: [], leadingZeros: false };
  if (left === undefined || right === undefined) return undefined;
  const missing = 8 - left.groups.length - right.groups.length;
  if (sides.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...left.groups, ...Array.from({ length: missing }, () => 0), ...right.groups];
  const value = groups.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n);
  const leadingZeros = left.leadingZeros || right.leadingZeros;
  if (value >> 32n === 0xffffn) return { family: 4, value: value & 0xffffffffn, mapped: true, leadingZeros };
  return { family: 6, value, mapped: false, leadingZeros };
}

/** Canonical text: RFC 5952 for IPv6. */
export function formatIp({ family, value }: Pick<IpAddress, "family" | "value">): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
  const groups = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn));
  let best = { start: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > best.length) best = { start: i, length };
    i += length;
  }
  const text = groups.map((group) => group.toString(16));
  if (best.start < 0) return text.join(":");
  return `${text.slice(0, best.start).join(":")}::${text.slice(best.start + best.length).join(":")}`;
}

export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf("/");
  if (slash < 0) return undefined;
  const ip = parseIp(text.slice(0, slash)), length = text.slice(slash + 1);
  if (ip === undefined || !/^\d{1,3}$/.test(length)) return undefined;
  const prefix = Number(length), bits = ip.mapped || ip.family === 6 ? 128 : 32;
  if (prefix > bits) return undefined;
  return { ip, prefix, prefixLeadingZeros: length.length > 1 && length.startsWith("0") };
}

const bitsOf = (ip: IpAddress): number => (ip.family === 4 && !ip.mapped ? 32 : 128);
/** The address with the bits beyond the prefix cleared. */
export function maskIp(ip: IpAddress, prefix: number): IpAddress {
  const host = BigInt(Math.max(0, bitsOf(ip) - prefix));
  return { ...ip, value: (ip.value >> host) << host };
}
export const formatCidr = ({ ip, prefix }: Pick<Cidr, "ip" | "prefix">): string => `${formatIp(maskIp(ip, prefix))}/${prefix}`;

/** Whether the range holds the address; families must match. */
export function cidrContains(cidr: Pick<Cidr, "ip" | "prefix">, ip: IpAddress): boolean {
  return ip.family === cidr.ip.family && maskIp(ip, cidr.prefix).value === maskIp(cidr.ip, cidr.prefix).value;
}

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
