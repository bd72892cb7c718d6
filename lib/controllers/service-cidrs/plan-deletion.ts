/**
 * Which ServiceCIDRs contain what, and whether one may go. Pure.
 * Counterpart: kubernetes `pkg/controller/servicecidrs` canDeleteCIDR and `pkg/api/servicecidr`.
 */
import type { IPAddress, ServiceCIDR } from "../../api/schema/generated/models.ts";
import { cidrContains, parseCidr, parseIp, type Cidr } from "../../util/ip.ts";

export const cidrsOf = ({ spec }: ServiceCIDR): Cidr[] => (spec.cidrs ?? []).flatMap((text) => parseCidr(text) ?? []);
const contains = (outer: Cidr, inner: Cidr): boolean => outer.prefix <= inner.prefix && cidrContains(outer, inner.ip);

/** Whether a range of one contains, or is contained in, a range of the other. */
export const overlap = (a: ServiceCIDR, b: ServiceCIDR): boolean => cidrsOf(a).some((one) => cidrsOf(b).some((other) => contains(one, other) || contains(other, one)));

/** Those that contain the address. */
export function containing(address: IPAddress, all: readonly ServiceCIDR[]): ServiceCIDR[] {
  const ip = parseIp(address.metadata.name);
  return ip === undefined ? [] : all.filter((range) => cidrsOf(range).some((cidr) => cidrContains(cidr, ip)));
}

/** Whether no address would be left without a range: others contain all of it, or it holds none that is in it alone. */
export function mayGo(range: ServiceCIDR, all: readonly ServiceCIDR[], addresses: readonly IPAddress[]): boolean {
  const others = all.filter((each) => each.metadata.name !== range.metadata.name);
  const isCovered = cidrsOf(range).every((cidr) => others.some((other) => cidrsOf(other).some((outer) => contains(outer, cidr))));
  return isCovered || !addresses.some((address) => containing(address, [range]).length > 0 && containing(address, others).length === 0);
}
