/**
 * Metrics as autoscaling/v1 keeps them in annotations: older names, one field for each kind of target.
 * Counterpart: the metric conversions of kubernetes `apis/autoscaling/v1/conversion.go`.
 */
import type { LabelSelector, V2CrossVersionObjectReference, V2MetricIdentifier, V2MetricSpec, V2MetricStatus, V2MetricTarget, V2MetricValueStatus } from "../schema/generated/models.ts";

interface OldResource { name: string; targetAverageUtilization?: number | undefined; targetAverageValue?: string | undefined; container?: string | undefined }
export interface OldMetricSpec {
  type: string;
  object?: { target: V2CrossVersionObjectReference; metricName: string; targetValue: string; selector?: LabelSelector | undefined; averageValue?: string | undefined } | undefined;
  pods?: { metricName: string; targetAverageValue: string; selector?: LabelSelector | undefined } | undefined;
  resource?: OldResource | undefined;
  containerResource?: OldResource | undefined;
  external?: { metricName: string; metricSelector?: LabelSelector | undefined; targetValue?: string | undefined; targetAverageValue?: string | undefined } | undefined;
}
interface OldResourceStatus { name: string; currentAverageUtilization?: number | undefined; currentAverageValue: string; container?: string | undefined }
export interface OldMetricStatus {
  type: string;
  object?: { target: V2CrossVersionObjectReference; metricName: string; currentValue: string; selector?: LabelSelector | undefined; averageValue?: string | undefined } | undefined;
  pods?: { metricName: string; currentAverageValue: string; selector?: LabelSelector | undefined } | undefined;
  resource?: OldResourceStatus | undefined;
  containerResource?: OldResourceStatus | undefined;
  external?: { metricName: string; metricSelector?: LabelSelector | undefined; currentValue: string; currentAverageValue?: string | undefined } | undefined;
}

/** Leaves out what is not set, at every depth. */
export const compact = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

// Upstream's structs are never missing: what a client left out of a metric is empty, and no validation looks at those of the status.
const metricOf = ({ metric }: { metric?: V2MetricIdentifier }): V2MetricIdentifier => metric ?? { name: "" };
const targetOf = ({ target }: { target?: V2MetricTarget }): V2MetricTarget => target ?? { type: "" };
const currentOf = ({ current }: { current?: V2MetricValueStatus }): V2MetricValueStatus => current ?? {};

export function toOldSpec({ type, object, pods, resource, containerResource, external }: V2MetricSpec): OldMetricSpec {
  const old: OldMetricSpec = { type };
  if (object !== undefined) old.object = { target: object.describedObject, metricName: metricOf(object).name, targetValue: targetOf(object).value ?? "0", selector: metricOf(object).selector, averageValue: targetOf(object).averageValue };
  if (pods !== undefined) old.pods = { metricName: metricOf(pods).name, targetAverageValue: targetOf(pods).averageValue ?? "0", selector: metricOf(pods).selector };
  if (resource !== undefined) old.resource = { name: resource.name, targetAverageUtilization: targetOf(resource).averageUtilization, targetAverageValue: targetOf(resource).averageValue };
  if (containerResource !== undefined) {
    const { name, container } = containerResource, target = targetOf(containerResource);
    old.containerResource = { name, targetAverageUtilization: target.averageUtilization, targetAverageValue: target.averageValue, container };
  }
  if (external !== undefined) old.external = { metricName: metricOf(external).name, metricSelector: metricOf(external).selector, targetValue: targetOf(external).value, targetAverageValue: targetOf(external).averageValue };
  return old;
}

const resourceTarget = ({ targetAverageUtilization: averageUtilization, targetAverageValue: averageValue }: OldResource) => ({ type: averageUtilization === undefined ? "AverageValue" : "Utilization", averageValue, averageUtilization });

export function fromOldSpec({ type, object, pods, resource, containerResource, external }: OldMetricSpec): V2MetricSpec {
  const metric: V2MetricSpec = { type };
  if (object !== undefined) {
    const target = { type: object.averageValue === undefined ? "Value" : "AverageValue", value: object.targetValue, averageValue: object.averageValue };
    metric.object = { describedObject: object.target, target, metric: { name: object.metricName, selector: object.selector } };
  }
  if (pods !== undefined) metric.pods = { metric: { name: pods.metricName, selector: pods.selector }, target: { type: "AverageValue", averageValue: pods.targetAverageValue } };
  if (resource !== undefined) metric.resource = { name: resource.name, target: resourceTarget(resource) };
  if (containerResource !== undefined) metric.containerResource = { name: containerResource.name, container: containerResource.container ?? "", target: resourceTarget(containerResource) };
  if (external !== undefined) {
    const target = { type: external.targetValue === undefined ? "AverageValue" : "Value", value: external.targetValue, averageValue: external.targetAverageValue };
    metric.external = { metric: { name: external.metricName, selector: external.metricSelector }, target };
  }
  return compact(metric);
}

export function toOldStatus({ type, object, pods, resource, containerResource, external }: V2MetricStatus): OldMetricStatus {
  const old: OldMetricStatus = { type };
  if (object !== undefined) old.object = { target: object.describedObject, metricName: metricOf(object).name, currentValue: currentOf(object).value ?? "0", selector: metricOf(object).selector, averageValue: currentOf(object).averageValue };
  if (pods !== undefined) old.pods = { metricName: metricOf(pods).name, currentAverageValue: currentOf(pods).averageValue ?? "0", selector: metricOf(pods).selector };
  if (resource !== undefined) old.resource = { name: resource.name, currentAverageUtilization: currentOf(resource).averageUtilization, currentAverageValue: currentOf(resource).averageValue ?? "0" };
  if (containerResource !== undefined) {
    const { name, container } = containerResource, current = currentOf(containerResource);
    old.containerResource = { name, currentAverageUtilization: current.averageUtilization, currentAverageValue: current.averageValue ?? "0", container };
  }
  if (external !== undefined) old.external = { metricName: metricOf(external).name, metricSelector: metricOf(external).selector, currentValue: currentOf(external).value ?? "0", currentAverageValue: currentOf(external).averageValue };
  return old;
}

const resourceValue = ({ currentAverageUtilization: averageUtilization, currentAverageValue: averageValue }: OldResourceStatus) => ({ averageValue, averageUtilization });

export function fromOldStatus({ type, object, pods, resource, containerResource, external }: OldMetricStatus): V2MetricStatus {
  const metric: V2MetricStatus = { type };
  if (object !== undefined) metric.object = { metric: { name: object.metricName, selector: object.selector }, current: { value: object.currentValue, averageValue: object.averageValue }, describedObject: object.target };
  if (pods !== undefined) metric.pods = { metric: { name: pods.metricName, selector: pods.selector }, current: { averageValue: pods.currentAverageValue } };
  if (resource !== undefined) metric.resource = { name: resource.name, current: resourceValue(resource) };
  if (containerResource !== undefined) metric.containerResource = { name: containerResource.name, container: containerResource.container ?? "", current: resourceValue(containerResource) };
  if (external !== undefined) metric.external = { metric: { name: external.metricName, selector: external.metricSelector }, current: { value: external.currentValue, averageValue: external.currentAverageValue } };
  return compact(metric);
}
