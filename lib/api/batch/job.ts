/** Job: pods that run until enough of them have succeeded. Counterpart: kubernetes `registry/batch/job`. */
import { templateWarnings } from "../apps/workload-validation.ts";
import { ageColumn, column, containerColumns, nameColumn } from "../columns.ts";
import { defaultPodTemplate } from "../core/pod-template-spec.ts";
import { defineResource } from "../define-resource.ts";
import { SPEC, type FieldPath } from "../field-path.ts";
import { ageSince, humanDuration } from "../helpers/human-duration.ts";
import { formatLabelSelector } from "../helpers/label-selector.ts";
import type { Job, JobSpec, ObjectMeta } from "../schema/generated/models.ts";
import { jobs } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { collect } from "../validation/collect.ts";
import { isDns1123Label } from "../validation/names.ts";
import { checkJobStatusUpdate, hasJobCondition } from "./job-status-validation.ts";
import { CONTROLLER_UID, JOB_NAME, LEGACY_CONTROLLER_UID, LEGACY_JOB_NAME, checkJob, checkJobUpdate } from "./job-validation.ts";

const BACKOFF_LIMIT = 6, BACKOFF_UNLIMITED = 2_147_483_647;

/** What holds for a CronJob's template too. */
export function defaultJobTemplate(spec: JobSpec): void {
  for (const rule of spec.podFailurePolicy?.rules ?? []) for (const pattern of rule.onPodConditions ?? []) pattern.status ||= "True";
  defaultPodTemplate((spec.template ??= {}));
}

function defaults(job: Job): void {
  const spec = (job.spec ??= { template: {} });
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? BACKOFF_LIMIT : BACKOFF_UNLIMITED;
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed";
  spec.manualSelector ??= false;
  defaultJobTemplate(spec);
}

/** Labels that belong to this one Job on its pods, a selector for them, and the same labels on the Job unless it has its own. */
function generateSelector({ metadata, spec }: Job): void {
  const hasOwnLabels = Object.keys(metadata.labels ?? {}).length > 0;
  if (spec.manualSelector !== true) {
    const labels = ((spec.template.metadata ??= {} as ObjectMeta).labels ??= {});
    for (const key of [LEGACY_JOB_NAME, JOB_NAME]) labels[key] ??= metadata.name ?? "";
    for (const key of [LEGACY_CONTROLLER_UID, CONTROLLER_UID]) labels[key] ??= metadata.uid ?? "";
    ((spec.selector ??= {}).matchLabels ??= {})[CONTROLLER_UID] ??= metadata.uid ?? "";
  }
  if (!hasOwnLabels && spec.template.metadata?.labels !== undefined) metadata.labels = { ...spec.template.metadata.labels };
}

export function jobSpecWarnings(path: FieldPath, spec: JobSpec): string[] {
  const isHuge = spec.completionMode === "Indexed" && (spec.completions ?? 0) > 100_000 && (spec.parallelism ?? 0) > 10_000;
  return [
    ...(isHuge ? [`${path.toString()}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`] : []),
    ...templateWarnings(spec.template, path.child("template")),
  ];
}

/** Pods take their names, and so their host names, from it. */
export function podNameWarnings({ name = "" }: { readonly name?: string | undefined }): string[] {
  const faults = isDns1123Label(name);
  return faults.length === 0 ? [] : [`metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${faults.join(" ")}]`];
}

function warnings(job: Job, old: Job | undefined): string[] {
  if (old !== undefined && semanticEqual(job.spec, old.spec)) return [];
  return [...(old === undefined ? podNameWarnings(job.metadata) : []), ...jobSpecWarnings(SPEC, job.spec)];
}

function statusCell(job: Job): string {
  if (hasJobCondition(job, "Complete")) return "Complete";
  if (hasJobCondition(job, "Failed")) return "Failed";
  if (job.metadata.deletionTimestamp !== undefined) return "Terminating";
  if (hasJobCondition(job, "Suspended")) return "Suspended";
  return hasJobCondition(job, "FailureTarget") ? "FailureTarget" : "Running";
}

function completionsCell({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0, parallelism = spec?.parallelism ?? 0;
  if (spec?.completions !== undefined) return `${succeeded}/${spec.completions}`;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationCell({ status }: Job, now: Date): string {
  const { startTime, completionTime } = status ?? {};
  if (startTime === undefined) return "";
  return completionTime === undefined ? ageSince(startTime, now) : humanDuration(Date.parse(completionTime) - Date.parse(startTime));
}

export const jobDefinition = defineResource<Job>({
  reference: jobs,
  categories: ["all"],
  hasGeneration: true,
  generationChanged: (job, old) => !semanticEqual(job.spec, old.spec),
  defaultPropagation: "orphan",
  defaults,
  prepareForCreate: (job) => {
    generateSelector(job);
    job.status = {};
  },
  prepareForUpdate: (job, old) => void (job.status = old.status),
  prepareForStatusUpdate: (job, old) => void (job.spec = old.spec),
  validate: (job) => collect((errors) => checkJob(errors, job, undefined)),
  validateUpdate: (job, old) => collect((errors) => {
    checkJob(errors, job, old);
    checkJobUpdate(errors, job, old);
  }),
  validateStatusUpdate: (job, old) => collect((errors) => checkJobStatusUpdate(errors, job, old)),
  warnings,
  columns: [
    nameColumn,
    column("Status", statusCell, { description: "Status of the job." }),
    column("Completions", completionsCell, { description: "How many pods have succeeded, of how many." }),
    column("Duration", durationCell, { description: "Time required to complete the job." }),
    ageColumn,
    ...containerColumns(({ spec }: Job) => spec?.template),
    column("Selector", ({ spec }) => formatLabelSelector(spec?.selector), { wide: true, description: "Which pods are its own." }),
  ],
  selectableFields: ({ status }) => ({ "status.successful": String(status?.succeeded ?? 0) }),
});
