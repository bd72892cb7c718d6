/** Subject alternative names: DNS names and IP addresses, to and from the extension (RFC 5280 4.2.1.6). */
import { isIP, SocketAddress } from "node:net";
import { AsnConvert } from "@peculiar/asn1-schema";
import { GeneralName, SubjectAlternativeName } from "@peculiar/asn1-x509";

export interface AlternativeNames {
  readonly dnsNames: readonly string[];
  /** Canonical text: dotted IPv4, or IPv6 in RFC 5952's form. */
  readonly ipAddresses: readonly string[];
  /** Anything else the extension holds: a certificate request with such names is not for us to sign. */
  readonly otherNames?: number;
}

/** The one way to write an address. */
export const canonicalAddress = (address: string): string => (isIP(address) === 6 ? new SocketAddress({ address, family: "ipv6" }).address : address);

/** Splits a mixed list into DNS names and addresses, without doubles. */
export function alternativeNames(names: readonly string[]): AlternativeNames {
  const unique = [...new Set(names.map(canonicalAddress))];
  return { dnsNames: unique.filter((name) => isIP(name) === 0), ipAddresses: unique.filter((name) => isIP(name) !== 0) };
}

/** The extension. */
export const encodeAlternativeNames = (names: AlternativeNames): SubjectAlternativeName =>
  new SubjectAlternativeName([...names.dnsNames.map((dNSName) => new GeneralName({ dNSName })), ...names.ipAddresses.map((iPAddress) => new GeneralName({ iPAddress }))]);

/** Reads the extension's value. */
export function decodeAlternativeNames(value: ArrayBuffer): Required<AlternativeNames> {
  const dnsNames: string[] = [], ipAddresses: string[] = [];
  let otherNames = 0;
  for (const name of AsnConvert.parse(value, SubjectAlternativeName)) {
    if (name.dNSName !== undefined) dnsNames.push(name.dNSName);
    else if (name.iPAddress !== undefined && isIP(name.iPAddress) !== 0) ipAddresses.push(canonicalAddress(name.iPAddress));
    else otherNames++;
  }
  return { dnsNames, ipAddresses, otherNames };
}
