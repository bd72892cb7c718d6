/** What a HorizontalPodAutoscaler must be, in its v2 form. Counterpart: kubernetes `apis/autoscaling/validation`. */
import { forbiddenField, invalid, notSupported, required } from "../field-error.ts";
import { SPEC, STATUS, type FieldPath } from "../field-path.ts";
import { checkContainerResourceName } from "../core/resource-requirements-validation.ts";
import { compareQuantity } from "../quantity.ts";
import type {
  V2CrossVersionObjectReference, V2HPAScalingPolicy, V2HPAScalingRules, V2HorizontalPodAutoscaler, V2MetricIdentifier, V2MetricSpec, V2MetricTarget,
} from "../schema/generated/models.ts";
import { checkDnsLabel, checkNonNegative, checkNonNegativeQuantity, checkReferenceName, checkText, type Errors } from "../validation/checks.ts";
import { isPathSegmentName } from "../validation/names.ts";

const STABILIZATION_SECONDS_MAX = 3600, PERIOD_SECONDS_MAX = 1800;
const SOURCES = { Object: "object", External: "external", Pods: "pods", Resource: "resource", ContainerResource: "containerResource" } as const;
const TYPES = Object.keys(SOURCES).sort();
type Source = (typeof SOURCES)[keyof typeof SOURCES];

/** `mayBeZero`: fewer than one replica is allowed because there are none already. */
export function checkAutoscaler(errors: Errors, { spec }: V2HorizontalPodAutoscaler, mayBeZero: boolean): void {
  const { minReplicas: min, maxReplicas: max = 0, metrics = [], scaleTargetRef, behavior } = (spec as Partial<V2HorizontalPodAutoscaler["spec"]> | undefined) ?? {};
  const lowest = mayBeZero ? 0 : 1, path = SPEC.child("metrics");
  if (min !== undefined && min < lowest) errors.push(invalid(SPEC.child("minReplicas"), min, `must be greater than or equal to ${lowest}`));
  if (max < 1) errors.push(invalid(SPEC.child("maxReplicas"), max, "must be greater than 0"));
  if (min !== undefined && max < min) errors.push(invalid(SPEC.child("maxReplicas"), max, "must be greater than or equal to `minReplicas`"));
  checkObject(errors, SPEC.child("scaleTargetRef"), scaleTargetRef);
  metrics.forEach((metric, i) => checkMetric(errors, path.index(i), metric));
  if (min === 0 && !metrics.some(({ type }) => type === "Object" || type === "External")) errors.push(forbiddenField(path, "must specify at least one Object or External metric to support scaling to zero replicas"));
  for (const direction of ["scaleUp", "scaleDown"] as const) checkRules(errors, SPEC.child("behavior", direction), behavior?.[direction]);
}

export function checkAutoscalerStatus(errors: Errors, { status }: V2HorizontalPodAutoscaler): void {
  checkNonNegative(errors, STATUS.child("currentReplicas"), status?.currentReplicas);
  checkNonNegative(errors, STATUS.child("desiredReplicas"), status?.desiredReplicas);
}

function checkObject(errors: Errors, path: FieldPath, reference: V2CrossVersionObjectReference | undefined): void {
  checkReferenceName(errors, path.child("kind"), reference?.kind);
  checkReferenceName(errors, path.child("name"), reference?.name);
}

function checkMetric(errors: Errors, path: FieldPath, metric: V2MetricSpec): void {
  const type = metric.type ?? "", expected: Source | undefined = type in SOURCES ? SOURCES[type as keyof typeof SOURCES] : undefined;
  const present = Object.values(SOURCES).filter((source) => metric[source] !== undefined), first = present[0];
  if (type === "") errors.push(required(path.child("type"), "must specify a metric source type"));
  if (expected === undefined) errors.push(notSupported(path.child("type"), type, TYPES));
  if (first !== undefined) checkSource(errors, path.child(first), first, metric);
  if (expected !== undefined && metric[expected] === undefined) errors.push(required(path.child(expected), "must populate information for the given metric source"));
  if (present.length !== 1) for (const source of present) if (source !== expected) errors.push(forbiddenField(path.child(source), "must populate the given metric source only"));
}

function checkSource(errors: Errors, path: FieldPath, source: Source, metric: V2MetricSpec): void {
  const target: Partial<V2MetricTarget> = metric[source]?.target ?? {}, at = path.child("target");
  switch (source) {
    case "object": checkObject(errors, path.child("describedObject"), metric.object?.describedObject); checkIdentifier(errors, path.child("metric"), metric.object?.metric); break;
    case "external": case "pods": checkIdentifier(errors, path.child("metric"), metric[source]?.metric); break;
    case "resource": if ((metric.resource?.name ?? "") === "") errors.push(required(path.child("name"), "must specify a resource name")); break;
    case "containerResource": checkContainerResource(errors, path, metric); break;
  }
  checkTarget(errors, at, target);
  const { value, averageValue, averageUtilization } = target;
  if (source === "pods") {
    if (averageValue === undefined) errors.push(required(at.child("averageValue"), "must specify a positive target averageValue"));
  } else if (source === "object") {
    if (value === undefined && averageValue === undefined) errors.push(required(at.child("averageValue"), "must set either a target value or averageValue"));
  } else if (source === "external") {
    if (value === undefined && averageValue === undefined) errors.push(required(at.child("averageValue"), "must set either a target value for metric or a per-pod target"));
    if (value !== undefined && averageValue !== undefined) errors.push(forbiddenField(at.child("value"), "may not set both a target value for metric and a per-pod target"));
  } else {
    if (averageUtilization === undefined && averageValue === undefined) errors.push(required(at.child("averageUtilization"), "must set either a target raw value or a target utilization"));
    if (averageUtilization !== undefined && averageValue !== undefined) errors.push(forbiddenField(at.child("averageValue"), "may not set both a target raw value and a target utilization"));
  }
}

function checkContainerResource(errors: Errors, path: FieldPath, { containerResource }: V2MetricSpec): void {
  const name = containerResource?.name ?? "", container = containerResource?.container ?? "";
  if (name === "") errors.push(required(path.child("name"), "must specify a resource name"));
  else checkContainerResourceName(errors, path.child("name"), name);
  if (container === "") errors.push(required(path.child("container"), "must specify a container"));
  else checkDnsLabel(errors, path.child("container"), container);
}

function checkIdentifier(errors: Errors, path: FieldPath, metric: V2MetricIdentifier | undefined): void {
  if ((metric?.name ?? "") === "") errors.push(required(path.child("name"), "must specify a metric name"));
  else checkText(errors, path.child("name"), metric!.name, isPathSegmentName);
}

function checkTarget(errors: Errors, path: FieldPath, { type = "", value, averageValue, averageUtilization }: Partial<V2MetricTarget>): void {
  if (type === "") errors.push(required(path.child("type"), "must specify a metric target type"));
  if (type !== "Utilization" && type !== "Value" && type !== "AverageValue") errors.push(invalid(path.child("type"), type, "must be either Utilization, Value, or AverageValue"));
  if (value !== undefined && compareQuantity(value, "0") <= 0) errors.push(invalid(path.child("value"), value, "must be positive"));
  if (averageValue !== undefined && compareQuantity(averageValue, "0") <= 0) errors.push(invalid(path.child("averageValue"), averageValue, "must be positive"));
  if (averageUtilization !== undefined && averageUtilization < 1) errors.push(invalid(path.child("averageUtilization"), averageUtilization, "must be greater than 0"));
}

function checkRules(errors: Errors, path: FieldPath, rules: V2HPAScalingRules | undefined): void {
  if (rules === undefined) return;
  const { stabilizationWindowSeconds: seconds, selectPolicy, policies = [], tolerance } = rules, at = path.child("stabilizationWindowSeconds");
  if (seconds !== undefined && seconds < 0) errors.push(invalid(at, seconds, "must be greater than or equal to zero"));
  if (seconds !== undefined && seconds > STABILIZATION_SECONDS_MAX) errors.push(invalid(at, seconds, `must be less than or equal to ${STABILIZATION_SECONDS_MAX}`));
  if (selectPolicy !== undefined && !["Disabled", "Max", "Min"].includes(selectPolicy)) errors.push(notSupported(path.child("selectPolicy"), selectPolicy, ["Disabled", "Max", "Min"]));
  if (policies.length === 0) errors.push(required(path.child("policies"), "must specify at least one Policy"));
  policies.forEach((policy, i) => checkPolicy(errors, path.child("policies").index(i), policy));
  if (tolerance !== undefined) checkNonNegativeQuantity(errors, path.child("tolerance"), tolerance);
}

function checkPolicy(errors: Errors, path: FieldPath, policy: V2HPAScalingPolicy): void {
  const { type = "", value = 0, periodSeconds = 0 } = policy as Partial<V2HPAScalingPolicy>;
  if (type !== "Pods" && type !== "Percent") errors.push(notSupported(path.child("type"), type, ["Percent", "Pods"]));
  if (value <= 0) errors.push(invalid(path.child("value"), value, "must be greater than zero"));
  if (periodSeconds <= 0) errors.push(invalid(path.child("periodSeconds"), periodSeconds, "must be greater than zero"));
  if (periodSeconds > PERIOD_SECONDS_MAX) errors.push(invalid(path.child("periodSeconds"), periodSeconds, `must be less than or equal to ${PERIOD_SECONDS_MAX}`));
}
