/**
 * What a Job's podFailurePolicy says of a failed pod, and whether its successPolicy is met. Pure.
 * Counterpart: kubernetes `pkg/controller/job` pod_failure_policy.go and success_policy.go.
 */
import { IndexRanges } from "./index-ranges.ts";
import type { ContainerStatus, Job, Pod, PodCondition, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule } from "../../api/schema/generated/models.ts";

export interface FailureVerdict {
  /** Undefined when no rule speaks of the pod. */
  readonly action: "Ignore" | "Count" | "FailJob" | "FailIndex" | undefined;
  /** Whether the failure counts towards a limit. */
  readonly counts: boolean;
  /** Why the Job fails at once. */
  readonly failJobMessage?: string;
}
const UNSPOKEN: FailureVerdict = { action: undefined, counts: true };

/** The first rule that fits the pod decides. */
export function judgeFailure(job: Job, pod: Pod): FailureVerdict {
  const rules = job.spec.podFailurePolicy?.rules ?? [];
  for (const [index, rule] of rules.entries()) {
    const found = matchRule(rule, pod);
    if (found === undefined) continue;
    switch (rule.action) {
      case "Ignore": return { action: "Ignore", counts: false };
      case "Count": return { action: "Count", counts: true };
      case "FailIndex": return { action: "FailIndex", counts: true };
      case "FailJob": return { action: "FailJob", counts: true, failJobMessage: `${found} matching FailJob rule at index ${index}` };
      default: // An action of a later release.
    }
  }
  return UNSPOKEN;
}

/** How the rule fits, as a message begins; undefined when it does not. */
function matchRule(rule: PodFailurePolicyRule, pod: Pod): string | undefined {
  const name = `${pod.metadata.namespace}/${pod.metadata.name}`, { containerStatuses = [], initContainerStatuses = [], conditions = [] } = pod.status ?? {};
  if (rule.onExitCodes !== undefined) {
    const status = findExit(containerStatuses, rule.onExitCodes) ?? findExit(initContainerStatuses, rule.onExitCodes);
    return status === undefined ? undefined : `Container ${status.name} for pod ${name} failed with exit code ${status.state!.terminated!.exitCode}`;
  }
  const condition = findCondition(conditions, rule.onPodConditions ?? []);
  return condition === undefined ? undefined : `Pod ${name} has condition ${condition.type}`;
}

function findExit(statuses: readonly ContainerStatus[], { containerName, operator, values }: PodFailurePolicyOnExitCodesRequirement): ContainerStatus | undefined {
  return statuses.find(({ name, state }) => {
    const code = state?.terminated?.exitCode;
    if (code === undefined || code === 0 || (containerName !== undefined && containerName !== name)) return false;
    return operator === "In" ? values.includes(code) : operator === "NotIn" && !values.includes(code);
  });
}

const findCondition = (conditions: readonly PodCondition[], patterns: readonly PodFailurePolicyOnPodConditionsPattern[]): PodCondition | undefined =>
  conditions.find(({ type, status }) => patterns.some((pattern) => pattern.type === type && (pattern.status ?? "True") === status));

/** Why the Job has succeeded already; undefined when no rule is met. */
export function matchSuccessPolicy(job: Job, succeeded: IndexRanges): string | undefined {
  if (succeeded.count === 0) return undefined;
  const rule = (job.spec.successPolicy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) return succeededCount !== undefined && succeeded.count >= succeededCount;
    const wanted = IndexRanges.parse(succeededIndexes, job.spec.completions ?? 0), reached = wanted.overlap(succeeded);
    return wanted.count > 0 && (reached === wanted.count || (succeededCount !== undefined && reached >= succeededCount));
  });
  return rule < 0 ? undefined : `Matched rules at index ${rule}`;
}
