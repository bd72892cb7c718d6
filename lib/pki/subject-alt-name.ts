/** Subject alternative names: DNS names and IP addresses, to and from the extension's DER (RFC 5280 4.2.1.6). */
import { isIP } from "node:net";
import { derContextPrimitive, derSequence, readDer, readDerMembers } from "./der.ts";

export interface AlternativeNames {
  readonly dnsNames: readonly string[];
  /** Canonical text: dotted IPv4, or IPv6 as `ipText` writes it. */
  readonly ipAddresses: readonly string[];
  /** Anything else the extension holds: a certificate request with such names is not for us to sign. */
  readonly otherNames?: number;
}

/** Splits a mixed list into DNS names and addresses, without doubles. */
export function alternativeNames(names: readonly string[]): AlternativeNames {
  const unique = [...new Set(names.map((name) => (isIP(name) === 6 ? ipText(ipBytes(name)) : name)))];
  return { dnsNames: unique.filter((name) => isIP(name) === 0), ipAddresses: unique.filter((name) => isIP(name) !== 0) };
}

/** 4 or 16 bytes of an address. Throws RangeError. */
export function ipBytes(address: string): Buffer {
  const kind = isIP(address);
  if (kind === 4) return Buffer.from(address.split(".").map(Number));
  if (kind !== 6 || address.includes("%")) throw new RangeError(`Cannot read ${JSON.stringify(address)} as an IP address`);
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const hex = (high: string, low: string): string => (Number(high) * 256 + Number(low)).toString(16);
  const plain = dotted === null ? address : `${dotted[1]}${hex(dotted[2]!, dotted[3]!)}:${hex(dotted[4]!, dotted[5]!)}`;
  const [head = "", tail] = plain.split("::");
  const groups = (text: string | undefined): number[] => (text === undefined || text === "" ? [] : text.split(":").map((group) => parseInt(group, 16)));
  const front = groups(head), back = groups(tail);
  const all = tail === undefined ? front : [...front, ...Array.from({ length: 8 - front.length - back.length }, () => 0), ...back];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

/** Text of 4 or 16 bytes; IPv6 in RFC 5952's form. */
export function ipText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16));
  const runs = [...groups.map((group) => (group === "0" ? "0" : "x")).join("").matchAll(/0{2,}/g)].sort((a, b) => b[0].length - a[0].length || a.index - b.index);
  const longest = runs[0];
  if (longest === undefined) return groups.join(":");
  return `${groups.slice(0, longest.index).join(":")}::${groups.slice(longest.index + longest[0].length).join(":")}`;
}

/** The extension's value. */
export function encodeAlternativeNames(names: AlternativeNames): Buffer {
  return derSequence(
    ...names.dnsNames.map((name) => derContextPrimitive(2, Buffer.from(name, "ascii"))),
    ...names.ipAddresses.map((address) => derContextPrimitive(7, ipBytes(address))),
  );
}

/** Reads the extension's value. Throws DerError. */
export function decodeAlternativeNames(value: Buffer): Required<AlternativeNames> {
  const dnsNames: string[] = [], ipAddresses: string[] = [];
  let otherNames = 0;
  for (const name of readDerMembers(readDer(value).content)) {
    if (name.tag === 0x82) dnsNames.push(name.content.toString("ascii"));
    else if (name.tag === 0x87 && (name.content.length === 4 || name.content.length === 16)) ipAddresses.push(ipText(name.content));
    else otherNames++;
  }
  return { dnsNames, ipAddresses, otherNames };
}
