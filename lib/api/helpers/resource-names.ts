/**
 * What kinds of compute resource a name can be: native, extended, huge pages, countable.
 * Counterpart: kubernetes `apis/core/helper`.
 */
import { parseQuantity, quantityValue } from "../quantity.ts";
import { isLabelKey } from "../validation/names.ts";

const HUGE_PAGES = "hugepages-";
const COUNTED = ["pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims", "services.nodeports", "services.loadbalancers"];
const COMPUTE = ["cpu", "memory", "ephemeral-storage"];
const COMPUTE_IN_QUOTA = COMPUTE.flatMap((name) => [`requests.${name}`, `limits.${name}`]);
const CONTAINER_NAMES = new Set(COMPUTE);
const INTEGER_NAMES = new Set(COUNTED);
const STANDARD_NAMES = new Set([...COMPUTE, ...COMPUTE_IN_QUOTA, ...COUNTED, "storage", "requests.storage"]);
const QUOTA_NAMES = new Set([...COMPUTE, ...COMPUTE_IN_QUOTA, ...COUNTED, "requests.storage"]);

export const isHugePageName = (name: string): boolean => name.startsWith(HUGE_PAGES);
const isQuotaHugePageName = (name: string): boolean => name.startsWith(HUGE_PAGES) || name.startsWith(`requests.${HUGE_PAGES}`);

/** Of Kubernetes itself: no prefix, or one under kubernetes.io. */
export const isNativeResource = (name: string): boolean => !name.includes("/") || name.includes("kubernetes.io/");

/** Limits may exceed requests. */
export const isOvercommitAllowed = (name: string): boolean => isNativeResource(name) && !isHugePageName(name);

/** A device or the like: `example.com/gpu`. */
export function isExtendedResourceName(name: string): boolean {
  if (isNativeResource(name) || name.startsWith("requests.")) return false;
  return isLabelKey(`requests.${name}`).length === 0;
}
export const isStandardContainerResourceName = (name: string): boolean => CONTAINER_NAMES.has(name) || isHugePageName(name);
export const isStandardResourceName = (name: string): boolean => STANDARD_NAMES.has(name) || isQuotaHugePageName(name);
export const isStandardQuotaResourceName = (name: string): boolean => QUOTA_NAMES.has(name) || isQuotaHugePageName(name) || name.startsWith("count/");
/** Comes in whole numbers only. */
export const isIntegerResourceName = (name: string): boolean => INTEGER_NAMES.has(name) || isExtendedResourceName(name);
/** May be set for a pod as a whole. */
export const isPodLevelResourceName = (name: string): boolean => name === "cpu" || name === "memory" || isHugePageName(name);

/** Whether an amount of `hugepages-2Mi` is a whole number of pages. */
export function isWholePages(name: string, amount: string): boolean {
  try {
    const pageBytes = quantityValue(parseQuantity(name.slice(HUGE_PAGES.length)));
    return pageBytes > 0 && quantityValue(amount) % pageBytes === 0;
  } catch {
    return false;
  }
}
