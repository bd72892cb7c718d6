/**
 * Whether one write fits the quotas of its namespace, and what is used of them then: pure.
 * Counterpart: apiserver `admission/plugin/resourcequota/controller.go` CheckRequest (without resources limited by configuration).
 */
import type { QuotaEvaluator } from "../../api/quota/evaluator.ts";
import { quotaMatches } from "../../api/quota/measure.ts";
import { addLists, exceeding, maskList, negativeNames, printList, surplusOf, withoutZeros, type ResourceList } from "../../api/quota/resource-list.ts";
import type { ResourceQuota } from "../../api/schema/generated/models.ts";
import type { AdmissionAttributes } from "../contracts.ts";
import { admissionForbidden } from "./admission-error.ts";

/** Throws Forbidden when a limit is missing on the object, is not measured yet, or would be exceeded. */
function quotasThatCount(quotas: readonly ResourceQuota[], attributes: AdmissionAttributes, evaluator: QuotaEvaluator<unknown>): ResourceQuota[] {
  return quotas.filter((quota) => {
    const { object } = attributes, { metadata: { name }, status } = quota;
    if (!quotaMatches(quota, evaluator, object)) return false;
    const limited = evaluator.matching(Object.keys(status?.hard ?? {})), missing = evaluator.missing?.(limited, object);
    if (missing !== undefined) throw admissionForbidden(attributes, `failed quota: ${name}: ${missing}`);
    if (limited.some((each) => status?.used?.[each] === undefined)) throw admissionForbidden(attributes, `status unknown for quota: ${name}, resources: ${limited.toSorted().join(",")}`);
    return true;
  });
}

function charge(quota: ResourceQuota, delta: ResourceList, attributes: AdmissionAttributes): ResourceQuota {
  const { hard = {}, used = {} } = quota.status ?? {}, requested = maskList(delta, Object.keys(hard));
  if (Object.keys(requested).length === 0) return quota;
  const next = addLists(used, requested), over = exceeding(maskList(next, Object.keys(requested)), hard);
  if (over.length > 0 && attributes.subresource !== "status") {
    const of = (list: ResourceList): string => printList(maskList(list, over));
    throw admissionForbidden(attributes, `exceeded quota: ${quota.metadata.name}, requested: ${of(requested)}, used: ${of(used)}, limited: ${of(hard)}`);
  }
  return { ...quota, status: { ...quota.status, used: { ...next } } };
}

/** The quotas as they are when the write has been made: those it does not touch are the same objects. Throws Forbidden. */
export function chargeQuotas(quotas: readonly ResourceQuota[], attributes: AdmissionAttributes, evaluator: QuotaEvaluator<unknown>, now: Date): readonly ResourceQuota[] {
  const counting = new Set(quotasThatCount(quotas, attributes, evaluator)), usage = evaluator.usage(attributes.object, now), negative = negativeNames(usage);
  if (negative.length > 0) throw admissionForbidden(attributes, `quota usage is negative for resource(s): ${negative.join(",")}`);
  if (counting.size === 0) return quotas;
  const { oldObject } = attributes, more = attributes.operation === "UPDATE" && oldObject !== undefined ? surplusOf(usage, evaluator.usage(oldObject, now)) : undefined;
  return quotas.map((quota) => {
    if (!counting.has(quota)) return quota;
    return charge(quota, withoutZeros(more !== undefined && quotaMatches(quota, evaluator, oldObject) ? more : usage), attributes);
  });
}
