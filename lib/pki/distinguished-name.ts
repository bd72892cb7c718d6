/**
 * Distinguished names, as far as clusters use them: one common name, any number of organizations.
 * Counterpart: Go `crypto/x509/pkix.Name`. Read from the DER, never from a printed form, so no name can forge another.
 */
import { AttributeTypeAndValue, AttributeValue, Name, RelativeDistinguishedName } from "@peculiar/asn1-x509";

export interface DistinguishedName {
  readonly commonName: string;
  readonly organizations?: readonly string[];
}

const OID_COMMON_NAME = "2.5.4.3", OID_ORGANIZATION = "2.5.4.10";

/** The name as X.509 carries it: the organizations share one relative name, as Go writes them. */
export function encodeName(name: DistinguishedName): Name {
  const attribute = (type: string, value: string): AttributeTypeAndValue => new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String: value }) });
  const organizations = name.organizations ?? [];
  return new Name([
    ...(organizations.length === 0 ? [] : [new RelativeDistinguishedName(organizations.map((value) => attribute(OID_ORGANIZATION, value)))]),
    ...(name.commonName === "" ? [] : [new RelativeDistinguishedName([attribute(OID_COMMON_NAME, name.commonName)])]),
  ]);
}

/** Reads a name. With several common names the last one counts, as in Go. */
export function decodeName(name: Name): Required<DistinguishedName> {
  let commonName = "";
  const organizations: string[] = [];
  for (const relative of name) {
    for (const { type, value } of relative) {
      if (type === OID_COMMON_NAME) commonName = value.toString();
      else if (type === OID_ORGANIZATION) organizations.push(value.toString());
    }
  }
  return { commonName, organizations };
}

export const sameName = (a: DistinguishedName, b: DistinguishedName): boolean =>
  a.commonName === b.commonName && (a.organizations ?? []).toSorted().join("\n") === (b.organizations ?? []).toSorted().join("\n");
