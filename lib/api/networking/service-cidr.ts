/** ServiceCIDR: a range that services' addresses are taken from. Counterpart: kubernetes `registry/networking/servicecidr`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { invalid, required } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import type { ServiceCIDR } from "../schema/generated/models.ts";
import { servicecidrs } from "../schema/generated/references.ts";
import { IMMUTABLE, type Errors } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";
import { checkCanonicalCidr, isDualStack } from "../validation/ip.ts";

const CIDRS = SPEC.child("cidrs");

function checkCidrs(errors: Errors, cidrs: readonly string[]): void {
  if (cidrs.length === 0) errors.push(required(CIDRS, "at least one CIDR required"));
  else if (cidrs.length > 2) errors.push(invalid(CIDRS, { CIDRs: cidrs }, "may only hold up to 2 values"));
  else {
    cidrs.forEach((cidr, i) => checkCanonicalCidr(errors, CIDRS.index(i), cidr));
    if (cidrs.length === 2 && isDualStack(cidrs) === false) errors.push(invalid(CIDRS, cidrs, "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"));
  }
}

/** What is there stays; a range of the other family may be added. */
function checkUpdate(errors: Errors, cidrs: readonly string[], old: readonly string[]): void {
  const adds = old.length === 1 && cidrs.length === 2;
  if (cidrs.length !== old.length && !adds) {
    errors.push(invalid(CIDRS, cidrs, IMMUTABLE));
    return;
  }
  old.forEach((cidr, i) => { if (cidrs[i] !== cidr) errors.push(invalid(CIDRS.index(i), cidrs[i], IMMUTABLE)); });
  if (adds) checkCidrs(errors, cidrs);
}

export const serviceCidrDefinition = defineResource<ServiceCIDR>({
  reference: servicecidrs,
  prepareForCreate: (range) => void (range.status = {}),
  prepareForUpdate: (range, old) => void (range.status = old.status),
  prepareForStatusUpdate: (range, old) => void (range.spec = old.spec),
  validate: ({ spec }) => collect((errors) => checkCidrs(errors, spec?.cidrs ?? [])),
  validateUpdate: ({ spec }, old) => collect((errors) => checkUpdate(errors, spec?.cidrs ?? [], old.spec.cidrs ?? [])),
  columns: [nameColumn, column("CIDRs", ({ spec }) => (spec?.cidrs ?? []).join(","), { description: "The ranges." }), ageColumn],
});
