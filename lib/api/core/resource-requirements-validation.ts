/** Requests, limits and the claims of containers and pods. Counterpart: `validateResourceRequirements` in kubernetes `apis/core/validation`. */
import { duplicate, forbiddenField, invalid, notFoundValue, notSupported, required } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import {
  isExtendedResourceName, isHugePageName, isIntegerResourceName, isNativeResource, isOvercommitAllowed, isPodLevelResourceName, isStandardContainerResourceName, isStandardResourceName, isWholePages,
} from "../helpers/resource-names.ts";
import { canonicalQuantity, compareQuantity, milliValue } from "../quantity.ts";
import type { CoreV1ResourceClaim, ResourceRequirements } from "../schema/generated/models.ts";
import { checkDnsLabel, checkNonNegativeQuantity, type Errors } from "../validation/checks.ts";
import { isLabelKey } from "../validation/names.ts";

const NO_NAMES: ReadonlySet<string> = new Set();

/** A standard name, or one with a prefix. Returns whether the name is well formed. */
export function checkResourceName(errors: Errors, path: FieldPath, name: string): boolean {
  if (isStandardResourceName(name)) return true;
  const faults = isLabelKey(name);
  for (const fault of faults) errors.push(invalid(path, name, fault));
  if (faults.length > 0) return false;
  if (name.includes("/")) return true;
  errors.push(invalid(path, name, "must be a standard resource type or fully qualified"));
  return false;
}

export function checkContainerResourceName(errors: Errors, path: FieldPath, name: string): void {
  if (isStandardContainerResourceName(name) && !isHugePageName(name)) return;
  checkResourceName(errors, path, name);
  if (!name.includes("/")) {
    if (!isStandardContainerResourceName(name)) errors.push(invalid(path, name, "must be a standard resource for containers"));
  } else if (!isNativeResource(name) && !isExtendedResourceName(name)) errors.push(invalid(path, name, "doesn't follow extended resource name standard"));
}

export function checkPodResourceName(errors: Errors, path: FieldPath, name: string): void {
  if (checkResourceName(errors, path, name) && !isPodLevelResourceName(name)) errors.push(notSupported(path, name, ["cpu", "hugepages-", "memory"]));
}

/** Not negative; whole where the resource is counted. */
export function checkResourceQuantity(errors: Errors, path: FieldPath, name: string, amount: string): void {
  checkNonNegativeQuantity(errors, path, amount);
  if (isIntegerResourceName(name) && milliValue(amount) % 1000 !== 0) errors.push(invalid(path, canonicalQuantity(amount), "must be an integer"));
}

type NameCheck = typeof checkContainerResourceName;

function checkAmount(errors: Errors, path: FieldPath, name: string, amount: string, checkName: NameCheck): void {
  checkName(errors, path, name);
  checkResourceQuantity(errors, path, name, amount);
  if (isHugePageName(name) && !isWholePages(name, amount)) errors.push(invalid(path, canonicalQuantity(amount), `${canonicalQuantity(amount)} is not positive integer multiple of ${name}`));
}

function checkRequestWithinLimit(errors: Errors, path: FieldPath, name: string, amount: string, limit: string | undefined): void {
  if (limit === undefined) {
    if (!isOvercommitAllowed(name)) errors.push(required(path.child("limits"), "Limit must be set for non overcommitable resources"));
    return;
  }
  if (amount === limit) return;
  const order = compareQuantity(amount, limit);
  if (order !== 0 && !isOvercommitAllowed(name)) errors.push(invalid(path.child("requests"), canonicalQuantity(amount), `must be equal to ${name} limit of ${canonicalQuantity(limit)}`));
  else if (order > 0) errors.push(invalid(path.child("requests"), canonicalQuantity(amount), `must be less than or equal to ${name} limit of ${canonicalQuantity(limit)}`));
}

/** `claimNames`: the claims the pod has. */
export function checkResourceRequirements(errors: Errors, path: FieldPath, resources: ResourceRequirements | undefined, claimNames: ReadonlySet<string> = NO_NAMES, checkName: NameCheck = checkContainerResourceName): void {
  if (resources === undefined) return;
  const { limits, requests, claims } = resources;
  let hasComputed = false, hasHugePages = false;
  for (const name in limits) {
    checkAmount(errors, path.child("limits").key(name), name, limits[name]!, checkName);
    if (isHugePageName(name)) hasHugePages = true;
    else if (name === "cpu" || name === "memory") hasComputed = true;
  }
  for (const name in requests) {
    checkAmount(errors, path.child("requests").key(name), name, requests[name]!, checkName);
    checkRequestWithinLimit(errors, path, name, requests[name]!, limits?.[name]);
    if (isHugePageName(name)) hasHugePages = true;
    else if (name === "cpu" || name === "memory") hasComputed = true;
  }
  if (hasHugePages && !hasComputed) errors.push(forbiddenField(path, "HugePages require cpu or memory"));
  if (claims !== undefined) checkClaimReferences(errors, path.child("claims"), claims, claimNames);
}

function checkClaimReferences(errors: Errors, path: FieldPath, claims: readonly CoreV1ResourceClaim[], claimNames: ReadonlySet<string>): void {
  const seen = new Set<string>();
  claims.forEach(({ name, request }, i) => {
    if ((name ?? "") === "") {
      errors.push(required(path.index(i)));
      return;
    }
    const hasRequest = request !== undefined && request !== "", key = hasRequest ? `${name}/${request}` : name;
    if (!seen.has(name) && hasRequest) checkDnsLabel(errors, path.index(i).child("request"), request);
    if (seen.has(name) || seen.has(key)) errors.push(duplicate(path.index(i), seen.has(name) ? name : key));
    else if (!hasRequest) for (const other of seen) if (other.startsWith(`${name}/`)) errors.push(duplicate(path.index(i), name));
    seen.add(key);
    if (claimNames.has(name)) return;
    const known = claimNames.size === 0 ? " which is empty" : `: ${[...claimNames].sort().join(", ")}`;
    errors.push(notFoundValue(path.index(i), name, `must be one of the names in pod.spec.resourceClaims${known}`));
  });
}
