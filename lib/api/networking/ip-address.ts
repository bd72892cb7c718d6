/** IPAddress: one address that is taken, and by whom. Counterpart: kubernetes `registry/networking/ipaddress`. */
import { column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { required } from "../field-error.ts";
import { FieldPath, SPEC } from "../field-path.ts";
import type { IPAddress } from "../schema/generated/models.ts";
import { ipaddresses } from "../schema/generated/references.ts";
import { checkDnsSubdomain, checkImmutable, checkReferenceName, type Errors } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";
import { checkCanonicalIp } from "../validation/ip.ts";
import type { NameValidator } from "../validation/names.ts";

const PARENT = SPEC.child("parentRef"), NAME = FieldPath.of("name");

/** The name is the address, in canonical form. */
const validateName: NameValidator = (name) =>
  collect((errors) => checkCanonicalIp(errors, NAME, name)).map(({ detail }) => detail.slice(`Invalid value: ${JSON.stringify(name)}: `.length));

function checkParent(errors: Errors, { spec }: IPAddress): void {
  const parent = (spec as Partial<IPAddress["spec"]> | undefined)?.parentRef;
  if (parent === undefined) {
    errors.push(required(PARENT));
    return;
  }
  if ((parent.group ?? "") !== "") checkDnsSubdomain(errors, PARENT.child("group"), parent.group!);
  checkReferenceName(errors, PARENT.child("resource"), parent.resource);
  checkReferenceName(errors, PARENT.child("name"), parent.name);
  if ((parent.namespace ?? "") !== "") checkReferenceName(errors, PARENT.child("namespace"), parent.namespace);
}

function parentCell({ spec }: IPAddress): string {
  const parent = spec?.parentRef;
  if (parent === undefined) return "<none>";
  const resource = (parent.group ?? "") === "" ? parent.resource : `${parent.resource}.${parent.group}`;
  return [resource.toLowerCase(), ...((parent.namespace ?? "") === "" ? [] : [parent.namespace]), parent.name].join("/");
}

export const ipAddressDefinition = defineResource<IPAddress>({
  reference: ipaddresses,
  shortNames: ["ip"],
  validateName,
  validate: (address) => collect((errors) => checkParent(errors, address)),
  validateUpdate: (address, old) => collect((errors) => checkImmutable(errors, PARENT, address.spec?.parentRef, old.spec?.parentRef)),
  columns: [nameColumn, column("ParentRef", parentCell, { description: "Whose address it is." })],
});
