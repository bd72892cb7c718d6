/**
 * Distinguished names, as far as clusters use them: one common name, any number of organizations.
 * Counterpart: Go `crypto/x509/pkix.Name`. Read from the DER, never from a printed form, so no name can forge another.
 */
import { DerError, TAG, derOid, derSequence, derSet, derUtf8, readDerMembers, readOid } from "./der.ts";

export interface DistinguishedName {
  readonly commonName: string;
  readonly organizations?: readonly string[];
}

const OID_COMMON_NAME = "2.5.4.3", OID_ORGANIZATION = "2.5.4.10";

/** The Name as DER: the organizations share one relative name, as Go writes them. */
export function encodeName(name: DistinguishedName): Buffer {
  const attribute = (oid: string, value: string): Buffer => derSequence(derOid(oid), derUtf8(value));
  const organizations = name.organizations ?? [];
  return derSequence(
    ...(organizations.length === 0 ? [] : [derSet(...organizations.map((value) => attribute(OID_ORGANIZATION, value)))]),
    ...(name.commonName === "" ? [] : [derSet(attribute(OID_COMMON_NAME, name.commonName))]),
  );
}

function text(tag: number, content: Buffer): string {
  if (tag === TAG.utf8String || tag === TAG.printableString || tag === TAG.ia5String || tag === 0x14) return content.toString("utf8");
  if (tag === 0x1e) return Buffer.from(content).swap16().toString("utf16le"); // BMPString
  throw new DerError(`Cannot read a name: string type 0x${tag.toString(16)}`);
}

/** Reads the content of a Name. With several common names the last one counts, as in Go. Throws DerError. */
export function decodeName(content: Buffer): Required<DistinguishedName> {
  let commonName = "";
  const organizations: string[] = [];
  for (const relative of readDerMembers(content)) {
    for (const attribute of readDerMembers(relative.content)) {
      const [type, value] = readDerMembers(attribute.content);
      if (type === undefined || value === undefined) throw new DerError("Cannot read a name: an attribute without a value");
      const oid = readOid(type.content);
      if (oid === OID_COMMON_NAME) commonName = text(value.tag, value.content);
      else if (oid === OID_ORGANIZATION) organizations.push(text(value.tag, value.content));
    }
  }
  return { commonName, organizations };
}

export const sameName = (a: DistinguishedName, b: DistinguishedName): boolean =>
  a.commonName === b.commonName && (a.organizations ?? []).toSorted().join("\n") === (b.organizations ?? []).toSorted().join("\n");
