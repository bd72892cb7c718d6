/**
 * IP addresses and CIDR ranges: reading, arithmetic, canonical text (RFC 5952). What is read is told apart by its spelling,
 * so that whoever must be strict can be. Counterpart: Go's `net` and `net/netip`.
 */

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
