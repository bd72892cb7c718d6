/**
 * The template of a pod, as every workload carries one: defaults and validation in one place for all of them.
 * Counterpart: `ValidatePodTemplateSpec` in kubernetes `apis/core/validation`.
 */
import { forbiddenField, invalid, notSupported, required, type FieldError } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { isEmptySelector, matchesLabels, type LabelMatcher } from "../helpers/label-selector.ts";
import type { PodTemplateSpec } from "../schema/generated/models.ts";
import type { Errors } from "../validation/checks.ts";
import { checkLabels } from "../validation/labels.ts";
import { checkAnnotations } from "../validation/object-meta.ts";
import { checkPodAnnotations, checkProfilesMatch } from "./pod-annotation-validation.ts";
import { defaultPodSpec } from "./pod-spec-defaults.ts";
import { checkPodSpec } from "./pod-spec-validation.ts";

/** Fills what a user left out; returns the template for `??=` chains. */
export function defaultPodTemplate(template: PodTemplateSpec): PodTemplateSpec {
  defaultPodSpec((template.spec ??= { containers: [] }));
  return template;
}

export function checkPodTemplate(errors: Errors, path: FieldPath, template: PodTemplateSpec): void {
  const { metadata } = template, spec = template.spec ?? { containers: [] };
  checkLabels(errors, path.child("labels"), metadata?.labels);
  checkAnnotations(errors, path.child("annotations"), metadata?.annotations);
  checkPodAnnotations(errors, path.child("annotations"), metadata?.annotations, spec);
  checkPodSpec(errors, path.child("spec"), spec, { podMeta: undefined, isPod: false });
  checkProfilesMatch(errors, path.child("spec"), metadata, spec);
  if ((spec.ephemeralContainers?.length ?? 0) > 0) errors.push(forbiddenField(path.child("spec", "ephemeralContainers"), "ephemeral containers not allowed in pod template"));
}

export interface WorkloadRules {
  readonly selector: LabelMatcher | undefined;
  /** e.g. "ReplicationController": who says that a deadline cannot be kept. */
  readonly deadlineOwner: string;
}

/** A template whose pods are kept running and found again by a selector. */
export function checkWorkloadTemplate(errors: Errors, path: FieldPath, template: PodTemplateSpec | undefined, rules: WorkloadRules): void {
  if (template === undefined) {
    errors.push(required(path));
    return;
  }
  const labels = template.metadata?.labels ?? {};
  if (rules.selector !== undefined && !isEmptySelector(rules.selector) && !matchesLabels(rules.selector, labels)) {
    errors.push(invalid(path.child("metadata", "labels"), template.metadata?.labels, "`selector` does not match template `labels`"));
  }
  checkPodTemplate(errors, path, template);
  for (const error of alwaysRunningFaults(path, template, rules.deadlineOwner)) errors.push(error);
}

function alwaysRunningFaults(path: FieldPath, template: PodTemplateSpec, owner: string): FieldError[] {
  const errors: FieldError[] = [], policy = template.spec?.restartPolicy;
  if (policy !== "Always") errors.push(notSupported(path.child("spec", "restartPolicy"), policy ?? "", ["Always"]));
  if (template.spec?.activeDeadlineSeconds !== undefined) errors.push(forbiddenField(path.child("spec", "activeDeadlineSeconds"), `activeDeadlineSeconds in ${owner} is not Supported`));
  return errors;
}
