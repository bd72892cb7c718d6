/**
 * What a Job's status may say, and how it may go on: a finished Job stays finished, counts only grow.
 * Rules about a field hold when that field changed, so other writes are not held up by what is there already.
 * Counterpart: `validateJobStatus` in kubernetes `apis/batch/validation` and `getStatusValidationOptions` in its registry.
 */
import { duplicate, invalid, invalidUnshown, required } from "../field-error.ts";
import { STATUS } from "../field-path.ts";
import type { Job, UncountedTerminatedPods } from "../schema/generated/models.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { checkNonNegative, type Errors } from "../validation/checks.ts";
import { commonIndex, countIndexes } from "./job-indexes.ts";

type ConditionType = "Complete" | "Failed" | "FailureTarget" | "SuccessCriteriaMet" | "Suspended";
export const hasJobCondition = ({ status }: Job, type: ConditionType): boolean => status?.conditions?.some((condition) => condition.type === type && condition.status === "True") === true;

const CONDITIONS = STATUS.child("conditions");

export function checkJobStatusUpdate(errors: Errors, job: Job, old: Job): void {
  const status = job.status ?? {};
  for (const field of ["active", "succeeded", "failed", "ready", "terminating"] as const) checkNonNegative(errors, STATUS.child(field), status[field]);
  if (status.uncountedTerminatedPods !== undefined) checkUncounted(errors, status.uncountedTerminatedPods);
  checkConditionsFit(errors, job, old);
  checkTimes(errors, job, old);
  checkFinished(errors, job, old);
  checkIndexes(errors, job, old);
  checkProgress(errors, job, old);
}

function checkUncounted(errors: Errors, pods: UncountedTerminatedPods): void {
  const seen = new Set<string>();
  for (const list of ["succeeded", "failed"] as const) {
    pods[list]?.forEach((uid, i) => {
      const path = STATUS.child("uncountedTerminatedPods", list).index(i);
      if (uid === "") errors.push(invalid(path, uid, "must not be empty"));
      else if (seen.has(uid)) errors.push(duplicate(path, uid));
      seen.add(uid);
    });
  }
}

function checkConditionsFit(errors: Errors, job: Job, old: Job): void {
  const changed = (type: ConditionType): boolean => hasJobCondition(job, type) !== hasJobCondition(old, type);
  const forbid = (a: ConditionType, b: ConditionType, detail: string): void => { if (hasJobCondition(job, a) && hasJobCondition(job, b)) errors.push(invalidUnshown(CONDITIONS, detail)); };
  if (changed("Complete") || changed("Failed")) forbid("Complete", "Failed", "cannot set Complete=True and Failed=true conditions");
  if (changed("Complete") || changed("FailureTarget")) forbid("Complete", "FailureTarget", "cannot set Complete=True and FailureTarget=true conditions");
  if (changed("Failed") && hasJobCondition(job, "Failed") && !hasJobCondition(job, "FailureTarget")) errors.push(invalidUnshown(CONDITIONS, "cannot set Failed=True condition without the FailureTarget=true condition"));
  if (changed("Complete") && hasJobCondition(job, "Complete") && !hasJobCondition(job, "SuccessCriteriaMet")) errors.push(invalidUnshown(CONDITIONS, "cannot set Complete=True condition without the SuccessCriteriaMet=true condition"));
  forbid("SuccessCriteriaMet", "Failed", "cannot set SuccessCriteriaMet=True and Failed=true conditions");
  forbid("SuccessCriteriaMet", "FailureTarget", "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions");
  if (job.spec?.successPolicy !== undefined && hasJobCondition(job, "Complete") && !hasJobCondition(job, "SuccessCriteriaMet")) {
    errors.push(invalidUnshown(CONDITIONS, "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"));
  }
}

function checkTimes(errors: Errors, job: Job, old: Job): void {
  const { startTime, completionTime } = job.status ?? {}, was = old.status ?? {}, path = STATUS.child("completionTime");
  const isComplete = hasJobCondition(job, "Complete"), completionChanged = completionTime !== was.completionTime;
  if (completionChanged || isComplete !== hasJobCondition(old, "Complete")) {
    if (completionTime !== undefined && !isComplete) errors.push(invalid(path, completionTime, "cannot set completionTime when there is no Complete=True condition"));
    if (completionTime === undefined && isComplete) errors.push(required(path, "completionTime is required for Complete jobs"));
  }
  const startChanged = startTime !== was.startTime;
  if ((startChanged || completionChanged) && startTime !== undefined && completionTime !== undefined && Date.parse(completionTime) < Date.parse(startTime)) {
    errors.push(invalid(path, completionTime, "completionTime cannot be set before startTime"));
  }
}

function checkFinished(errors: Errors, job: Job, old: Job): void {
  const isFinished = hasJobCondition(job, "Complete") || hasJobCondition(job, "Failed"), wasFinished = hasJobCondition(old, "Complete") || hasJobCondition(old, "Failed");
  const status = job.status ?? {}, was = old.status ?? {}, uncounted = status.uncountedTerminatedPods, changed = isFinished !== wasFinished;
  if (!isFinished) return;
  if ((changed || status.active !== was.active) && (status.active ?? 0) > 0) errors.push(invalid(STATUS.child("active"), status.active, "active>0 is invalid for finished job"));
  if ((changed || status.startTime !== was.startTime) && status.startTime === undefined) errors.push(required(STATUS.child("startTime"), "startTime is required for finished job"));
  if ((changed || !semanticEqual(uncounted, was.uncountedTerminatedPods)) && (uncounted?.failed ?? []).length + (uncounted?.succeeded ?? []).length > 0) {
    errors.push(invalid(STATUS.child("uncountedTerminatedPods"), uncounted, "uncountedTerminatedPods needs to be empty for finished job"));
  }
  if ((changed || status.terminating !== was.terminating) && (status.terminating ?? 0) > 0) errors.push(invalid(STATUS.child("terminating"), status.terminating, "terminating>0 is invalid for finished job"));
}

function checkIndexes(errors: Errors, job: Job, old: Job): void {
  const { completedIndexes = "", failedIndexes } = job.status ?? {}, { completions, backoffLimitPerIndex, completionMode } = job.spec ?? {};
  const completedChanged = completedIndexes !== (old.status?.completedIndexes ?? ""), failedChanged = failedIndexes !== old.status?.failedIndexes;
  const checkFormat = (field: "completedIndexes" | "failedIndexes", text: string): void => {
    const counted = countIndexes(text, completions!);
    if ("fault" in counted) errors.push(invalid(STATUS.child(field), text, `error parsing ${field}: ${counted.fault}`));
  };
  if (completedChanged && completions !== undefined) checkFormat("completedIndexes", completedIndexes);
  if (failedChanged && completions !== undefined && backoffLimitPerIndex !== undefined && failedIndexes !== undefined) checkFormat("failedIndexes", failedIndexes);
  if (completedChanged && completedIndexes !== "" && completionMode !== "Indexed") errors.push(invalid(STATUS.child("completedIndexes"), completedIndexes, "cannot set non-empty completedIndexes when non-indexed completion mode"));
  if (failedChanged && backoffLimitPerIndex === undefined && failedIndexes !== undefined) errors.push(invalid(STATUS.child("failedIndexes"), failedIndexes, "cannot set non-null failedIndexes when backoffLimitPerIndex is null"));
  if ((completedChanged || failedChanged) && completions !== undefined && failedIndexes !== undefined) {
    const common = commonIndex(completedIndexes, failedIndexes, completions);
    if (common !== undefined) errors.push(invalid(STATUS.child("failedIndexes"), failedIndexes, `failedIndexes and completedIndexes overlap at index: ${common}`));
  }
}

function checkProgress(errors: Errors, job: Job, old: Job): void {
  const { spec, status = {} } = job, was = old.status ?? {};
  if ((status.ready !== was.ready || status.active !== was.active) && (status.ready ?? 0) > (status.active ?? 0)) errors.push(invalid(STATUS.child("ready"), status.ready, "cannot set more ready pods than active"));
  for (const type of ["Failed", "Complete", "FailureTarget"] as const) {
    if (hasJobCondition(old, type) && !hasJobCondition(job, type)) errors.push(invalidUnshown(CONDITIONS, `cannot disable the terminal ${type}=True condition`));
  }
  if ((status.failed ?? 0) < (was.failed ?? 0)) errors.push(invalid(STATUS.child("failed"), status.failed ?? 0, "cannot decrease the failed counter"));
  const isElastic = spec?.completionMode === "Indexed" && spec.completions === spec.parallelism;
  if (!isElastic && (status.succeeded ?? 0) < (was.succeeded ?? 0)) errors.push(invalid(STATUS.child("succeeded"), status.succeeded ?? 0, "cannot decrease the succeeded counter"));
  if (status.completionTime !== undefined && was.completionTime !== undefined && status.completionTime !== was.completionTime) {
    errors.push(invalid(STATUS.child("completionTime"), status.completionTime, "completionTime cannot be mutated"));
  }
  const isResuming = hasJobCondition(old, "Suspended") && !hasJobCondition(job, "Suspended"); // It begins anew then.
  if (was.startTime !== undefined && status.startTime !== was.startTime && spec?.suspend !== true && !isResuming) errors.push(invalid(STATUS.child("startTime"), status.startTime ?? null, "field is immutable for unsuspended job once set"));
  if (hasJobCondition(old, "SuccessCriteriaMet") && !hasJobCondition(job, "SuccessCriteriaMet")) errors.push(invalidUnshown(CONDITIONS, "cannot disable the SuccessCriteriaMet=True condition"));
  if (hasJobCondition(old, "Complete") && !hasJobCondition(old, "SuccessCriteriaMet") && hasJobCondition(job, "SuccessCriteriaMet")) {
    errors.push(invalidUnshown(CONDITIONS, "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"));
  }
}
