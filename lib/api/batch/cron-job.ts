/** CronJob: a Job made by the clock. Counterpart: kubernetes `registry/batch/cronjob`. */
import { ageColumn, column, containerColumns, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { invalid, notSupported, required } from "../field-error.ts";
import { METADATA, SPEC } from "../field-path.ts";
import { cronFault, isTimeZone } from "../helpers/cron-syntax.ts";
import { ageSince } from "../helpers/human-duration.ts";
import { formatLabelSelector } from "../helpers/label-selector.ts";
import type { CronJob, CronJobSpec } from "../schema/generated/models.ts";
import { cronjobs } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { checkNonNegative, checkOneOf, type Errors } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";
import { DNS_LABEL_MAX } from "../validation/names.ts";
import { defaultJobTemplate, jobSpecWarnings, podNameWarnings } from "./job.ts";
import { checkJobSpec } from "./job-validation.ts";

/** Jobs are called `<name>-<minutes since 1970>`. */
const NAME_MAX = DNS_LABEL_MAX - 11;
const JOB_SPEC = SPEC.child("jobTemplate", "spec"), SCHEDULE = SPEC.child("schedule"), TIME_ZONE = SPEC.child("timeZone");
const zonePartRegexp = /^[A-Za-z.\-_0-9+]{1,14}$/;

function defaults(cronJob: CronJob): void {
  const spec = (cronJob.spec ??= { schedule: "", jobTemplate: {} });
  spec.concurrencyPolicy ||= "Allow";
  spec.suspend ??= false;
  spec.successfulJobsHistoryLimit ??= 3;
  spec.failedJobsHistoryLimit ??= 1;
  defaultJobTemplate(((spec.jobTemplate ??= {}).spec ??= { template: {} }));
}

function checkSchedule(errors: Errors, spec: CronJobSpec, old: CronJobSpec | undefined): void {
  const schedule = spec.schedule ?? "", hasZone = schedule.includes("TZ"), mayHaveZone = old?.schedule.includes("TZ") === true;
  if (schedule === "") {
    errors.push(required(SCHEDULE));
    return;
  }
  const fault = cronFault(schedule);
  if (fault !== undefined) errors.push(invalid(SCHEDULE, schedule, fault));
  if (hasZone && !mayHaveZone) errors.push(invalid(SCHEDULE, schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"));
  else if (hasZone && spec.timeZone !== undefined) errors.push(invalid(SCHEDULE, schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule"));
}

function checkTimeZone(errors: Errors, zone: string): void {
  if (zone === "") errors.push(invalid(TIME_ZONE, zone, "timeZone must be nil or non-empty string"));
  else if (zone.toLowerCase() === "local") errors.push(invalid(TIME_ZONE, zone, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"));
  else if (!zone.split("/").every((part) => part !== "." && part !== ".." && !part.startsWith("-") && zonePartRegexp.test(part)) || !isTimeZone(zone)) {
    errors.push(invalid(TIME_ZONE, zone, `unknown time zone ${zone}`));
  }
}

function checkSpec(errors: Errors, spec: CronJobSpec, old: CronJobSpec | undefined): void {
  const jobSpec = spec.jobTemplate?.spec ?? { template: {} };
  checkSchedule(errors, spec, old);
  checkNonNegative(errors, SPEC.child("startingDeadlineSeconds"), spec.startingDeadlineSeconds);
  if (spec.timeZone !== undefined && spec.timeZone !== old?.timeZone) checkTimeZone(errors, spec.timeZone);
  checkOneOf(errors, SPEC.child("concurrencyPolicy"), spec.concurrencyPolicy, ["Allow", "Forbid", "Replace"]);
  checkJobSpec(errors, JOB_SPEC, jobSpec);
  if (jobSpec.selector !== undefined) errors.push(invalid(JOB_SPEC.child("selector"), jobSpec.selector, "`selector` will be auto-generated"));
  if (jobSpec.manualSelector === true) errors.push(notSupported(JOB_SPEC.child("manualSelector"), true, ["nil", "false"]));
  checkNonNegative(errors, SPEC.child("successfulJobsHistoryLimit"), spec.successfulJobsHistoryLimit);
  checkNonNegative(errors, SPEC.child("failedJobsHistoryLimit"), spec.failedJobsHistoryLimit);
}

function validate({ metadata, spec }: CronJob): ReturnType<typeof collect> {
  return collect((errors) => {
    checkSpec(errors, spec ?? { schedule: "", jobTemplate: {} }, undefined);
    if ((metadata.name ?? "").length > NAME_MAX) errors.push(invalid(METADATA.child("name"), metadata.name, `must be no more than ${NAME_MAX} characters`));
  });
}

function warnings({ metadata, spec }: CronJob, old: CronJob | undefined): string[] {
  const found = old === undefined ? podNameWarnings(metadata) : [];
  if (spec.jobTemplate.spec !== undefined && (old === undefined || !semanticEqual(spec, old.spec))) found.push(...jobSpecWarnings(JOB_SPEC, spec.jobTemplate.spec));
  if (old !== undefined && spec.schedule.includes("TZ")) {
    found.push(`cannot use TZ or CRON_TZ in ${SCHEDULE.toString()}, use timeZone field instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#time-zones for more details`);
  }
  return found;
}

const suspendTexts = new Map([[true, "True"], [false, "False"]]);

export const cronJobDefinition = defineResource<CronJob>({
  reference: cronjobs,
  shortNames: ["cj"],
  categories: ["all"],
  hasGeneration: true,
  generationChanged: (cronJob, old) => !semanticEqual(cronJob.spec, old.spec),
  defaults,
  prepareForCreate: (cronJob) => void (cronJob.status = {}),
  prepareForUpdate: (cronJob, old) => void (cronJob.status = old.status),
  prepareForStatusUpdate: (cronJob, old) => void (cronJob.spec = old.spec),
  validate,
  validateUpdate: ({ spec }, old) => collect((errors) => checkSpec(errors, spec ?? { schedule: "", jobTemplate: {} }, old.spec)),
  warnings,
  columns: [
    nameColumn,
    column("Schedule", ({ spec }) => spec?.schedule ?? "", { description: "When jobs are made, in Cron format." }),
    column("Timezone", ({ spec }) => spec?.timeZone ?? "<none>", { description: "Whose clock the schedule goes by." }),
    column("Suspend", ({ spec }) => suspendTexts.get(spec?.suspend ?? false) ?? "", { type: "boolean", description: "Whether no more jobs are made." }),
    column("Active", ({ status }) => status?.active?.length ?? 0, { type: "integer", description: "How many of its jobs run now." }),
    column("Last Schedule", ({ status }, now) => (status?.lastScheduleTime === undefined ? "<none>" : ageSince(status.lastScheduleTime, now)), { description: "How long ago a job was made." }),
    ageColumn,
    ...containerColumns(({ spec }: CronJob) => spec?.jobTemplate?.spec?.template),
    column("Selector", ({ spec }) => formatLabelSelector(spec?.jobTemplate?.spec?.selector), { wide: true, description: "Which pods are of its jobs." }),
  ],
});
