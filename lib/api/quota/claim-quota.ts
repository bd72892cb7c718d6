/** Claims for volumes as quotas count them, as a whole and by storage class. Counterpart: kubernetes `pkg/quota/v1/evaluator/core/persistent_volume_claims.go`. */
import { claimClass } from "../helpers/storage-class.ts";
import { compareQuantity, formatQuantity, parseQuantity, quantityValue } from "../quantity.ts";
import type { PersistentVolumeClaim } from "../schema/generated/models.ts";
import type { QuotaEvaluator } from "./evaluator.ts";
import { selectsValues } from "./scopes.ts";

const COUNT = "count/persistentvolumeclaims", CLAIMS = "persistentvolumeclaims", STORAGE = "requests.storage", BY_CLASS = ".storageclass.storage.k8s.io/";

/** Whole bytes, as quotas are checked. */
function wholeBytes(amount: string): string {
  const quantity = parseQuantity(amount);
  return quantity.scale >= 0 ? amount : formatQuantity({ unscaled: BigInt(quantityValue(quantity)), scale: 0, format: quantity.format });
}

function storageOf({ spec, status }: PersistentVolumeClaim): string | undefined {
  const asked = spec?.resources?.requests?.["storage"], given = status?.allocatedResources?.["storage"];
  if (asked === undefined) return undefined;
  return wholeBytes(given !== undefined && compareQuantity(given, asked) > 0 ? given : asked);
}

const attributesClasses = ({ spec, status }: PersistentVolumeClaim): string[] =>
  [...new Set([spec?.volumeAttributesClassName, status?.currentVolumeAttributesClassName, status?.modifyVolumeStatus?.targetVolumeAttributesClassName])].filter((name) => name !== undefined && name !== "") as string[];

export const claimQuota: QuotaEvaluator<PersistentVolumeClaim> = {
  group: "", plural: CLAIMS,
  handles: (operation, subresource) => (subresource === "" && (operation === "CREATE" || operation === "UPDATE")) || (subresource === "status" && operation === "UPDATE"),
  matching: (names) => names.filter((name) => name === COUNT || name === CLAIMS || name === STORAGE || name.endsWith(BY_CLASS + CLAIMS) || name.endsWith(BY_CLASS + STORAGE)),
  inScope: (claim, selector) => selector.scopeName === "VolumeAttributesClass" && selectsValues(selector, attributesClasses(claim)),
  usage(claim) {
    const usage: Record<string, string> = { [COUNT]: "1", [CLAIMS]: "1" }, storageClass = claimClass(claim), storage = storageOf(claim);
    if (storageClass !== "") usage[storageClass + BY_CLASS + CLAIMS] = "1";
    if (storage === undefined) return usage;
    usage[STORAGE] = storage;
    if (storageClass !== "") usage[storageClass + BY_CLASS + STORAGE] = storage;
    return usage;
  },
  frees: (old, claim) => old.status?.allocatedResources?.["storage"] !== claim.status?.allocatedResources?.["storage"] || attributesClasses(old).join() !== attributesClasses(claim).join(),
};
