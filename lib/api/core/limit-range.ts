/** LimitRange: what a container may ask in a namespace, and asks when it says nothing. Counterpart: kubernetes `registry/core/limitrange`. */
import { createdAtColumn, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { duplicate, forbiddenField, invalid, required, type FieldError } from "../field-error.ts";
import { SPEC, type FieldPath } from "../field-path.ts";
import { isOvercommitAllowed } from "../helpers/resource-names.ts";
import { canonicalQuantity, compareQuantity, milliValue } from "../quantity.ts";
import type { LimitRange, LimitRangeItem } from "../schema/generated/models.ts";
import { limitranges } from "../schema/generated/references.ts";
import { isLabelKey } from "../validation/names.ts";
import { checkContainerResourceName, checkResourceName } from "./resource-requirements-validation.ts";

const TYPES = new Set(["Pod", "Container", "PersistentVolumeClaim"]);

/** Of containers, the default follows from the maximum and the default request from the default and the minimum. */
function defaultItem(item: LimitRangeItem): void {
  if (item.type !== "Container") return;
  const limits = (item.default ??= {}), requests = (item.defaultRequest ??= {});
  for (const [name, amount] of Object.entries(item.max ?? {})) limits[name] ??= amount;
  for (const [name, amount] of Object.entries(limits)) requests[name] ??= amount;
  for (const [name, amount] of Object.entries(item.min ?? {})) requests[name] ??= amount;
}

function checkType(errors: FieldError[], path: FieldPath, type: string): void {
  const faults = isLabelKey(type);
  for (const fault of faults) errors.push(invalid(path, type, fault));
  if (faults.length === 0 && !type.includes("/") && !TYPES.has(type)) errors.push(invalid(path, type, "must be a standard limit type or fully qualified"));
}

/** Names of resources in one of the lists. */
function checkNames(errors: FieldError[], path: FieldPath, type: string, amounts: Readonly<Record<string, string>> | undefined): void {
  for (const name of Object.keys(amounts ?? {})) {
    if (type === "Pod" || type === "Container") checkContainerResourceName(errors, path.key(name), name);
    else checkResourceName(errors, path.key(name), name);
  }
}

function checkItem(errors: FieldError[], path: FieldPath, item: LimitRangeItem): void {
  const type = item.type ?? "";
  for (const list of ["max", "min"] as const) checkNames(errors, path.child(list), type, item[list]);
  for (const list of ["default", "defaultRequest"] as const) {
    if (type !== "Pod") checkNames(errors, path.child(list), type, item[list]);
    else if (Object.keys(item[list] ?? {}).length > 0) errors.push(forbiddenField(path.child(list), "may not be specified when `type` is 'Pod'"));
  }
  if (type === "PersistentVolumeClaim" && item.min?.["storage"] === undefined && item.max?.["storage"] === undefined) {
    errors.push(required(path.child("limits"), "either minimum or maximum storage value is required, but neither was provided"));
  }
  checkNames(errors, path.child("maxLimitRequestRatio"), type, item.maxLimitRequestRatio);
  const names = new Set([item.max, item.min, item.default, item.defaultRequest, item.maxLimitRequestRatio].flatMap((list) => Object.keys(list ?? {})));
  for (const name of names) checkOrder(errors, path, item, name);
}

/** min <= default request <= default <= max, and the ratio within what they allow. */
function checkOrder(errors: FieldError[], path: FieldPath, item: LimitRangeItem, name: string): void {
  const min = item.min?.[name], max = item.max?.[name], limit = item.default?.[name], request = item.defaultRequest?.[name];
  const check = (low: string | undefined, high: string | undefined, list: string, shown: string | undefined, lowNoun: string, highNoun: string): void => {
    if (low === undefined || high === undefined || compareQuantity(low, high) <= 0) return;
    errors.push(invalid(path.child(list).key(name), canonicalQuantity(shown!), `${lowNoun} ${canonicalQuantity(low)} is greater than ${highNoun} ${canonicalQuantity(high)}`));
  };
  check(min, max, "min", min, "min value", "max value");
  check(min, request, "defaultRequest", request, "min value", "default request value");
  check(request, max, "defaultRequest", request, "default request value", "max value");
  check(request, limit, "defaultRequest", request, "default request value", "default limit value");
  check(min, limit, "default", min, "min value", "default value");
  check(limit, max, "default", max, "default value", "max value");
  checkRatio(errors, path, item.maxLimitRequestRatio?.[name], min, max, name);
  if (!isOvercommitAllowed(name) && limit !== undefined && request !== undefined && compareQuantity(limit, request) !== 0) {
    errors.push(invalid(path.child("defaultRequest").key(name), canonicalQuantity(request), `default value ${canonicalQuantity(limit)} must equal to defaultRequest value ${canonicalQuantity(request)} in ${name}`));
  }
}

function checkRatio(errors: FieldError[], path: FieldPath, ratio: string | undefined, min: string | undefined, max: string | undefined, name: string): void {
  if (ratio === undefined) return;
  const at = path.child("maxLimitRequestRatio").key(name), shown = canonicalQuantity(ratio);
  if (compareQuantity(ratio, "1") < 0) errors.push(invalid(at, shown, `ratio ${shown} is less than 1`));
  if (min === undefined || max === undefined) return;
  const allowed = milliValue(max) / milliValue(min);
  if (milliValue(ratio) / 1000 > allowed) errors.push(invalid(at, shown, `ratio ${shown} is greater than max/min = ${allowed.toFixed(6)}`));
}

function validate({ spec }: LimitRange): FieldError[] {
  const errors: FieldError[] = [], types = new Set<string>();
  spec?.limits?.forEach((item, i) => {
    const path = SPEC.child("limits").index(i);
    checkType(errors, path.child("type"), item.type ?? "");
    if (types.has(item.type)) errors.push(duplicate(path.child("type"), item.type));
    types.add(item.type);
    checkItem(errors, path, item);
  });
  return errors;
}

export const limitRangeDefinition = defineResource<LimitRange>({
  reference: limitranges,
  shortNames: ["limits"],
  allowCreateOnUpdate: true,
  defaults: ({ spec }) => spec?.limits?.forEach(defaultItem),
  validate,
  columns: [nameColumn, createdAtColumn],
});
