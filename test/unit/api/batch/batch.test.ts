import test from "ava";
import { cronJobDefinition } from "../../../../lib/api/batch/cron-job.ts";
import { commonIndex, countIndexes } from "../../../../lib/api/batch/job-indexes.ts";
import { jobDefinition } from "../../../../lib/api/batch/job.ts";
import type { Job } from "../../../../lib/api/schema/generated/models.ts";
import { faults, prepared, row, statusFaults, updateFaults } from "../run-definition.ts";

const template = { spec: { containers: [{ name: "c", image: "pi" }], restartPolicy: "Never" } };
const written = (spec: object = {}): Record<string, unknown> => ({ metadata: { name: "pi" }, spec: { template, ...spec } });

test("a job's defaults and its selector", (t) => {
  const { metadata, spec } = prepared(jobDefinition, written());
  const { template: made, selector, ...rest } = spec;
  t.deepEqual(rest, { backoffLimit: 6, completionMode: "NonIndexed", completions: 1, manualSelector: false, parallelism: 1, podReplacementPolicy: "TerminatingOrFailed", suspend: false });
  const labels = { "batch.kubernetes.io/controller-uid": "u-1", "batch.kubernetes.io/job-name": "pi", "controller-uid": "u-1", "job-name": "pi" };
  t.deepEqual(selector, { matchLabels: { "batch.kubernetes.io/controller-uid": "u-1" } });
  t.deepEqual(made.metadata?.labels, labels);
  t.deepEqual(metadata.labels, labels);
  t.is(prepared(jobDefinition, written({ parallelism: 3 })).spec.completions, undefined);
});

test("a job's faults", (t) => {
  t.deepEqual(faults(jobDefinition, written()), []);
  t.deepEqual(faults(jobDefinition, written({ template: { spec: template.spec.containers[0] === undefined ? {} : { containers: template.spec.containers } } })), ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"']);
  t.deepEqual(faults(jobDefinition, written({ backoffLimit: -1 })), ["spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0"]);
  t.deepEqual(faults(jobDefinition, written({ completionMode: "Indexed", parallelism: 2 })), ["spec.completions: Required value: when completion mode is Indexed"]);
  t.deepEqual(faults(jobDefinition, written({ podFailurePolicy: { rules: [{ action: "FailJob", onExitCodes: { operator: "In", values: [0, 2, 1] } }] } })), [
    "spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator", "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [0,2,1]: must be ordered",
  ]);
});

test("a job's template is immutable, but for where its pods go while it is suspended", (t) => {
  t.regex(updateFaults(jobDefinition, written(), (job) => void (job.spec.template.spec!.containers[0]!.image = "e"))[0] ?? "", /^spec\.template: Invalid value: .*: field is immutable$/);
  const place = (job: Job): void => void (job.spec.template.spec!.nodeSelector = { disk: "ssd" });
  t.is(updateFaults(jobDefinition, written(), place).length, 1);
  t.deepEqual(updateFaults(jobDefinition, written({ suspend: true }), place), []);
});

test("a job that is done stays done", (t) => {
  const done = prepared(jobDefinition, written());
  done.status = {
    conditions: [{ type: "SuccessCriteriaMet", status: "True" }, { type: "Complete", status: "True" }], succeeded: 1, startTime: "2026-05-01T11:00:00Z", completionTime: "2026-05-01T11:05:00Z",
  };
  t.deepEqual(statusFaults(jobDefinition, done, (job) => void (job.status!.conditions = [])), [
    "status.completionTime: Invalid value: \"2026-05-01T11:05:00Z\": cannot set completionTime when there is no Complete=True condition", "status.conditions: Invalid value: cannot disable the terminal Complete=True condition",
    "status.conditions: Invalid value: cannot disable the SuccessCriteriaMet=True condition",
  ]);
  t.deepEqual(statusFaults(jobDefinition, done, (job) => void (job.status!.succeeded = 0)), ["status.succeeded: Invalid value: 0: cannot decrease the succeeded counter"]);
});

test("a Job's start stays, but for a Job that is suspended or goes on again", (t) => {
  const job = prepared(jobDefinition, written());
  job.status = { startTime: "2026-05-01T11:00:00Z" };
  const later = (on: Job): void => { on.status = { ...on.status, startTime: "2026-05-01T12:00:00Z" }; };
  t.deepEqual(statusFaults(jobDefinition, job, later), ['status.startTime: Invalid value: "2026-05-01T12:00:00Z": field is immutable for unsuspended job once set']);
  t.deepEqual(statusFaults(jobDefinition, job, (on) => void delete on.status!.startTime), ["status.startTime: Invalid value: null: field is immutable for unsuspended job once set"]);
  job.status.conditions = [{ type: "Suspended", status: "True" }];
  t.deepEqual(statusFaults(jobDefinition, job, (on) => { later(on); on.status!.conditions = [{ type: "Suspended", status: "False" }]; }), []);
});

test("indexes as text", (t) => {
  t.deepEqual(countIndexes("0,2-4", 5), { value: 4 });
  t.deepEqual(countIndexes("0,9", 5), { fault: 'too large index: "9"' });
  t.deepEqual(countIndexes("3,1", 5), { fault: "non-increasing order, previous: 3, current: 1" });
  t.is(commonIndex("0-3", "2-5", 10), 2);
  t.is(commonIndex("0-3", "4", 10), undefined);
});

test("a job's row", (t) => {
  const job = prepared(jobDefinition, written());
  t.is(row(jobDefinition, job), "pi | Running | 0/1 |  | 60m");
  job.status = { startTime: "2026-05-01T11:00:00Z", completionTime: "2026-05-01T11:01:30Z", succeeded: 1, conditions: [{ type: "Complete", status: "True" }] };
  t.is(row(jobDefinition, job, { wide: true }), "pi | Complete | 1/1 | 90s | 60m | c | pi | batch.kubernetes.io/controller-uid=u-1");
  t.is(row(jobDefinition, prepared(jobDefinition, written({ parallelism: 3 }))), "pi | Running | 0/1 of 3 |  | 60m");
  const suspended = prepared(jobDefinition, written({ suspend: true }));
  suspended.status = { conditions: [{ type: "Suspended", status: "True" }] };
  t.is(row(jobDefinition, suspended), "pi | Suspended | 0/1 |  | 60m");
});

const cron = (spec: object = {}, name = "c"): Record<string, unknown> => ({ metadata: { name }, spec: { schedule: "*/5 * * * *", jobTemplate: { spec: { template } }, ...spec } });

test("cron jobs", (t) => {
  const made = prepared(cronJobDefinition, cron());
  t.is(made.spec.concurrencyPolicy, "Allow");
  t.is(made.spec.successfulJobsHistoryLimit, 3);
  t.is(made.spec.failedJobsHistoryLimit, 1);
  t.is(row(cronJobDefinition, made), "c | */5 * * * * | <none> | False | 0 | <none> | 60m");
  t.deepEqual(faults(cronJobDefinition, cron()), []);
  t.deepEqual(faults(cronJobDefinition, cron({ schedule: "* * * *" })), ['spec.schedule: Invalid value: "* * * *": expected exactly 5 fields, found 4: [* * * *]']);
  t.deepEqual(faults(cronJobDefinition, cron({ schedule: "61 * * * *" })), ['spec.schedule: Invalid value: "61 * * * *": end of range (61) above maximum (59): 61']);
  t.deepEqual(faults(cronJobDefinition, cron({ schedule: "TZ=UTC 0 0 * * *" })), ['spec.schedule: Invalid value: "TZ=UTC 0 0 * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead']);
  t.deepEqual(faults(cronJobDefinition, cron({ timeZone: "Mars/Olympus" })), ['spec.timeZone: Invalid value: "Mars/Olympus": unknown time zone Mars/Olympus']);
  t.deepEqual(faults(cronJobDefinition, cron({}, "x".repeat(53))), [`metadata.name: Invalid value: "${"x".repeat(53)}": must be no more than 52 characters`]);
});
