/** What the workloads of apps/v1 share: a selector that fits the template, counts that are not negative. Counterpart: kubernetes `apis/apps/validation`. */
import { invalid, required, type FieldError } from "../field-error.ts";
import { SPEC, STATUS, type FieldPath } from "../field-path.ts";
import { checkWorkloadTemplate } from "../core/pod-template-spec.ts";
import { podSpecWarnings } from "../core/pod-warnings.ts";
import { selectorFromObject, type LabelMatcher } from "../helpers/label-selector.ts";
import type { LabelSelector, PodTemplateSpec } from "../schema/generated/models.ts";
import { checkImmutable, type Errors } from "../validation/checks.ts";
import { checkLabelSelector, isEmptyLabelSelector } from "../validation/labels.ts";

export const SELECTOR = SPEC.child("selector");
export const TEMPLATE = SPEC.child("template");

/** undefined where the selector cannot be read: that was told already. */
export function readSelector(selector: LabelSelector | undefined): LabelMatcher | undefined {
  if (selector === undefined) return undefined;
  try {
    return selectorFromObject(selector);
  } catch {
    return undefined;
  }
}

interface Workload { readonly selector?: LabelSelector | undefined; readonly template?: PodTemplateSpec | undefined }

/** `noun`: what an empty selector is invalid for; `kind`: who cannot keep a deadline. */
export function checkSelectorAndTemplate(errors: Errors, spec: Workload, noun: string, kind: string): void {
  const { selector } = spec;
  if (selector === undefined) errors.push(required(SELECTOR));
  else {
    checkLabelSelector(errors, SELECTOR, selector);
    if (isEmptyLabelSelector(selector)) errors.push(invalid(SELECTOR, selector, `empty selector is invalid for ${noun}`));
  }
  const matcher = readSelector(selector);
  if (selector !== undefined && matcher === undefined) errors.push(invalid(SELECTOR, selector, "invalid label selector"));
  else checkWorkloadTemplate(errors, TEMPLATE, spec.template ?? {}, { selector: matcher, deadlineOwner: kind });
}

/** The selector says which pods are whose: it never changes. */
export function checkSelectorKept(errors: Errors, selector: LabelSelector | undefined, old: LabelSelector | undefined): void {
  checkImmutable(errors, SELECTOR, selector, old);
}

/** The count of name collisions only grows: names are made from it. */
export function checkCollisionCount(errors: FieldError[], count: number | undefined, old: number | undefined): void {
  if (old !== undefined && (count ?? -1) < old) errors.push(invalid(STATUS.child("collisionCount"), count ?? 0, "cannot be decremented"));
}

export const templateWarnings = (template: PodTemplateSpec | undefined, path: FieldPath = TEMPLATE): string[] => podSpecWarnings(path.child("spec"), template?.spec ?? { containers: [] }, template?.metadata, path.child("metadata"));
