/**
 * IP families of a Service: what the user left out is filled in from the addresses, the old Service or the cluster. Pure.
 * Counterpart: `pkg/registry/core/service/storage/alloc.go` `initIPFamilyFields`.
 */
import { invalid, type FieldError } from "../../api/field-error.ts";
import type { ServiceSpec } from "../../api/schema/generated/models.ts";
import { parseIp } from "../../util/ip.ts";
import type { IpFamily } from "./cluster-ip-pool.ts";

const other = (family: string): IpFamily => (family === "IPv4" ? "IPv6" : "IPv4");
const familyOf = (ip: string): IpFamily => (parseIp(ip)?.family === 6 ? "IPv6" : "IPv4");
export const isHeadless = (spec: ServiceSpec): boolean => spec.clusterIPs?.[0] === "None" || spec.clusterIP === "None";

/** Fills in `ipFamilies` and `ipFamilyPolicy`. `configured` are the cluster's families, the default one first. */
export function fillFamilies(spec: ServiceSpec, old: ServiceSpec | undefined, configured: readonly IpFamily[]): FieldError[] {
  if (spec.type === "ExternalName") return [];
  if (old !== undefined && old.type !== "ExternalName") {
    spec.ipFamilyPolicy ??= old.ipFamilyPolicy;
    if ((spec.ipFamilies ?? []).length === 0 && old.ipFamilies !== undefined) spec.ipFamilies = [...old.ipFamilies];
    trimToSingleStack(spec, old);
  }
  const families = [...(spec.ipFamilies ?? [])], ips = spec.clusterIPs ?? [];
  if (ips[0] !== "None") for (let i = families.length; i < ips.length; i++) families.push(familyOf(ips[i]!));
  if (isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0) {
    // Somebody else keeps its endpoints, in whatever family: not the cluster's business.
    if (families.length === 0) families.push(configured[0]!);
    spec.ipFamilyPolicy ??= "RequireDualStack";
    if (spec.ipFamilyPolicy !== "SingleStack" && families.length === 1) families.push(other(families[0]!));
    spec.ipFamilies = families;
    return [];
  }
  const errors: FieldError[] = [];
  if (spec.ipFamilyPolicy === "RequireDualStack" && configured.length < 2) errors.push(invalid("spec.ipFamilyPolicy", spec.ipFamilyPolicy, "this cluster is not configured for dual-stack services"));
  families.forEach((family, i) => { if (!(configured as readonly string[]).includes(family)) errors.push(invalid(`spec.ipFamilies[${i}]`, family, "not configured on this cluster")); });
  if (errors.length > 0) return errors;
  if (families.length === 0) families.push(configured[0]!);
  spec.ipFamilyPolicy ??= families.length > 1 ? "RequireDualStack" : "SingleStack";
  if (spec.ipFamilyPolicy !== "SingleStack" && families.length === 1 && configured.length > 1) families.push(other(families[0]!));
  spec.ipFamilies = families;
  return [];
}

/** Asked to become single-stack, a Service gives back its second address and family. */
function trimToSingleStack(spec: ServiceSpec, old: ServiceSpec): void {
  if (spec.ipFamilyPolicy !== "SingleStack" || old.ipFamilyPolicy === "SingleStack") return;
  if ((spec.clusterIPs ?? []).length === 2 && spec.clusterIPs![1] === old.clusterIPs?.[1]) spec.clusterIPs = [spec.clusterIPs![0]!];
  if ((spec.ipFamilies ?? []).length === 2 && spec.ipFamilies![1] === old.ipFamilies?.[1]) spec.ipFamilies = [spec.ipFamilies![0]!];
}
