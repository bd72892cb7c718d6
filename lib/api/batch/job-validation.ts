/** What a Job must be, and what of it may change. Counterpart: `ValidateJob` and siblings in kubernetes `apis/batch/validation`. */
import { checkPodTemplate } from "../core/pod-template-spec.ts";
import { readSelector } from "../apps/workload-validation.ts";
import { invalid, notSupported, required, tooLong } from "../field-error.ts";
import { METADATA, SPEC, type FieldPath } from "../field-path.ts";
import { matchesLabels } from "../helpers/label-selector.ts";
import type { Job, JobSpec, ObjectMeta, PodTemplateSpec } from "../schema/generated/models.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { checkDomainPrefixedPath, checkImmutable, checkNonNegative, checkOptionalOneOf, type Errors } from "../validation/checks.ts";
import { checkLabelSelector } from "../validation/labels.ts";
import { byteLength, isDns1123Label } from "../validation/names.ts";
import { checkFailurePolicy, checkSuccessPolicy } from "./job-policy-validation.ts";

export const CONTROLLER_UID = "batch.kubernetes.io/controller-uid", JOB_NAME = "batch.kubernetes.io/job-name";
export const LEGACY_CONTROLLER_UID = "controller-uid", LEGACY_JOB_NAME = "job-name";
const MANAGED_BY_MAX = 63;
const INDEXED_MAX = 100_000;
const COMPLETIONS_SOFT_MAX = 100_000;
const HIGH_COMPLETIONS_MAX = 10_000;
const COUNTS = ["parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished", "backoffLimitPerIndex", "maxFailedIndexes"] as const;
const EMPTY: JobSpec = { template: {} };

/** `old`: what an update starts from. */
export function checkJob(errors: Errors, job: Job, old: Job | undefined): void {
  const spec = job.spec ?? EMPTY, { selector, completions = 0 } = spec, path = SPEC.child("selector");
  const hadLabels = old?.spec.template.metadata?.labels ?? {};
  checkGeneratedSelector(errors, job, old === undefined || (hadLabels[JOB_NAME] !== undefined && hadLabels[CONTROLLER_UID] !== undefined));
  checkJobSpec(errors, SPEC, spec);
  if (selector === undefined) errors.push(required(path));
  else checkLabelSelector(errors, path, selector);
  const matcher = readSelector(selector), labels = spec.template?.metadata?.labels;
  if (matcher !== undefined && !matchesLabels(matcher, labels ?? {})) errors.push(invalid(SPEC.child("template", "metadata", "labels"), labels ?? null, "`selector` does not match template `labels`"));
  if (spec.completionMode !== "Indexed" || completions <= 0) return;
  const hostname = `${job.metadata.name}-${completions - 1}`;
  if (isDns1123Label(hostname).length > 0) errors.push(invalid(METADATA.child("name"), job.metadata.name, `will not able to create pod with invalid DNS label: ${hostname}`));
}

function checkGeneratedSelector(errors: Errors, { metadata, spec }: Job, prefixed: boolean): void {
  if (spec?.manualSelector === true || spec?.selector === undefined) return;
  const uid = metadata.uid ?? "", name = metadata.name ?? "";
  if (uid === "") errors.push(required(METADATA.child("uid")));
  const expected: Record<string, string> = { [LEGACY_CONTROLLER_UID]: uid, [LEGACY_JOB_NAME]: name, ...(prefixed ? { [CONTROLLER_UID]: uid, [JOB_NAME]: name } : {}) };
  for (const [key, value] of Object.entries(expected)) checkHasLabel(errors, SPEC.child("template", "metadata"), spec.template?.metadata, key, value);
  const matcher = readSelector(spec.selector);
  if (matcher !== undefined && !matchesLabels(matcher, expected)) errors.push(invalid(SPEC.child("selector"), spec.selector, "`selector` not auto-generated"));
}

function checkHasLabel(errors: Errors, path: FieldPath, meta: ObjectMeta | undefined, key: string, expected: string): void {
  const value = meta?.labels?.[key], at = path.child("labels").key(key);
  if (value === undefined) errors.push(required(at, `must be '${expected}'`));
  else if (value !== expected) errors.push(invalid(at, meta?.labels, `must be '${expected}'`));
}

/** Everything but the selector, which the templates of a CronJob do not have. */
export function checkJobSpec(errors: Errors, path: FieldPath, spec: JobSpec): void {
  for (const field of COUNTS) checkNonNegative(errors, path.child(field), spec[field]);
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) errors.push(required(path.child("backoffLimitPerIndex"), "when maxFailedIndexes is specified"));
  if (spec.managedBy !== undefined) {
    checkDomainPrefixedPath(errors, path.child("managedBy"), spec.managedBy);
    if (byteLength(spec.managedBy) > MANAGED_BY_MAX) errors.push(tooLong(path.child("managedBy"), MANAGED_BY_MAX));
  }
  checkOptionalOneOf(errors, path.child("completionMode"), spec.completionMode, ["NonIndexed", "Indexed"]);
  if (spec.completionMode === "Indexed") checkIndexed(errors, path, spec);
  else if ((spec.completionMode ?? "NonIndexed") === "NonIndexed") {
    for (const field of ["backoffLimitPerIndex", "maxFailedIndexes"] as const) if (spec[field] !== undefined) errors.push(invalid(path.child(field), spec[field], "requires indexed completion mode"));
  }
  if (spec.podFailurePolicy !== undefined) checkFailurePolicy(errors, path.child("podFailurePolicy"), spec);
  if (spec.successPolicy !== undefined) {
    if (spec.completionMode === "Indexed") checkSuccessPolicy(errors, path.child("successPolicy", "rules"), spec);
    else errors.push(invalid(path.child("successPolicy"), spec.successPolicy, "requires indexed completion mode"));
  }
  checkOptionalOneOf(errors, path.child("podReplacementPolicy"), spec.podReplacementPolicy, spec.podFailurePolicy === undefined ? ["Failed", "TerminatingOrFailed"] : ["Failed"]);
  checkPodTemplate(errors, path.child("template"), spec.template ?? {});
  checkRestartPolicy(errors, path.child("template", "spec", "restartPolicy"), spec);
}

function checkRestartPolicy(errors: Errors, path: FieldPath, spec: JobSpec): void {
  const policy = spec.template?.spec?.restartPolicy ?? "";
  if (policy === "Always" || policy === "") errors.push(required(path, 'valid values: "OnFailure", "Never"'));
  else if (policy !== "OnFailure" && policy !== "Never") errors.push(notSupported(path, policy, ["OnFailure", "Never"]));
  else if (spec.podFailurePolicy !== undefined && policy !== "Never") errors.push(invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified'));
}

function checkIndexed(errors: Errors, path: FieldPath, spec: JobSpec): void {
  const { completions, parallelism = 0, maxFailedIndexes } = spec;
  const atMost = (field: "parallelism" | "maxFailedIndexes", max: number, more: string): void => {
    if (spec[field] !== undefined && spec[field] > max) errors.push(invalid(path.child(field), spec[field], `must be less than or equal to ${max}${more}`));
  };
  if (completions === undefined) errors.push(required(path.child("completions"), "when completion mode is Indexed"));
  atMost("parallelism", INDEXED_MAX, " when completion mode is Indexed");
  if (completions !== undefined && maxFailedIndexes !== undefined && maxFailedIndexes > completions) errors.push(invalid(path.child("maxFailedIndexes"), maxFailedIndexes, "must be less than or equal to completions"));
  atMost("maxFailedIndexes", INDEXED_MAX, "");
  if (completions === undefined || completions <= COMPLETIONS_SOFT_MAX || spec.backoffLimitPerIndex === undefined) return;
  const why = ` when completions are above ${COMPLETIONS_SOFT_MAX} and used with backoff limit per index`;
  if (maxFailedIndexes === undefined) errors.push(required(path.child("maxFailedIndexes"), `must be specified when completions is above ${COMPLETIONS_SOFT_MAX}`));
  if (parallelism > HIGH_COMPLETIONS_MAX) atMost("parallelism", HIGH_COMPLETIONS_MAX, why);
  atMost("maxFailedIndexes", HIGH_COMPLETIONS_MAX, why);
}

export function checkJobUpdate(errors: Errors, job: Job, old: Job): void {
  const spec = job.spec ?? EMPTY, was = old.spec;
  if (!semanticEqual(spec.completions, was.completions)) {
    const path = SPEC.child("completions");
    if (spec.completionMode !== "Indexed") checkImmutable(errors, path, spec.completions, was.completions);
    else if (spec.completions !== undefined && spec.completions !== spec.parallelism) errors.push(invalid(path, spec.completions, "can only be modified in tandem with spec.parallelism"));
  }
  checkImmutable(errors, SPEC.child("selector"), spec.selector, was.selector);
  checkImmutable(errors, SPEC.child("template"), spec.template, isTemplateOpen(old) ? withSchedulingOf(was.template, spec.template) : was.template);
  for (const field of ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"] as const) checkImmutable(errors, SPEC.child(field), spec[field], was[field]);
}

/** A suspended Job without pods may still be told where its pods go and what they get. */
function isTemplateOpen({ spec, status }: Job): boolean {
  if (spec.suspend !== true) return false;
  const isSuspended = status?.conditions?.some((condition) => condition.type === "Suspended" && condition.status === "True") === true;
  return status?.startTime === undefined || (isSuspended && (status.active ?? 0) === 0);
}

/** `old` with those fields of `now` that may differ. */
function withSchedulingOf(old: PodTemplateSpec, now: PodTemplateSpec): PodTemplateSpec {
  const copy = structuredClone(old), from = now.spec, to = copy.spec;
  copy.metadata = { ...copy.metadata, annotations: now.metadata?.annotations, labels: now.metadata?.labels } as ObjectMeta;
  if (from === undefined || to === undefined) return copy;
  const { nodeAffinity: _, ...others } = to.affinity ?? {}, { nodeAffinity } = from.affinity ?? {};
  if (from.affinity !== undefined) to.affinity = { ...others, ...(nodeAffinity === undefined ? {} : { nodeAffinity }) };
  else if (Object.keys(others).length === 0) delete to.affinity;
  to.nodeSelector = from.nodeSelector;
  to.tolerations = from.tolerations;
  to.schedulingGates = from.schedulingGates;
  for (const list of ["containers", "initContainers"] as const) {
    to[list]?.forEach((container, i) => { if (from[list]?.[i] !== undefined) container.resources = from[list][i].resources; });
  }
  return copy;
}
