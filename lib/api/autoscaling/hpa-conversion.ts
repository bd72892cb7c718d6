/**
 * autoscaling/v1 and v2 are two forms of one stored thing. v1 knows one target, CPU; the rest travels in its annotations.
 * Counterpart: kubernetes `apis/autoscaling/v1/conversion.go`.
 */
import type {
  HorizontalPodAutoscaler, V2HPAScalingRules, V2HorizontalPodAutoscaler, V2HorizontalPodAutoscalerBehavior, V2HorizontalPodAutoscalerCondition, V2HorizontalPodAutoscalerStatus, V2MetricSpec,
} from "../schema/generated/models.ts";
import { compact, fromOldSpec, fromOldStatus, toOldSpec, toOldStatus, type OldMetricSpec, type OldMetricStatus } from "./hpa-old-metrics.ts";

const PREFIX = "autoscaling.alpha.kubernetes.io/";
const METRICS = `${PREFIX}metrics`, BEHAVIOR = `${PREFIX}behavior`;
export const CURRENT_METRICS = `${PREFIX}current-metrics`, CONDITIONS = `${PREFIX}conditions`;
export const CPU_UTILIZATION_DEFAULT = 80;

export const cpuMetric = (averageUtilization: number): V2MetricSpec => ({ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization } } });
const isCpuTarget = ({ type, resource }: V2MetricSpec): boolean => type === "Resource" && resource?.name === "cpu" && resource.target?.averageUtilization !== undefined;

/** An annotation's JSON; undefined where there is none or it cannot be read. */
function readJson<T>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}
/** Upstream writes this one with the names of Go's fields, and reads it without regard to case. */
const toGoNames = (value: unknown): unknown => renamed(value, (key) => key[0]!.toUpperCase() + key.slice(1));
const fromGoNames = (value: unknown): unknown => renamed(value, (key) => key[0]!.toLowerCase() + key.slice(1));
function renamed(value: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, rename));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null && field !== undefined).map(([key, field]) => [rename(key), renamed(field, rename)]));
}

export function toV2(old: HorizontalPodAutoscaler): V2HorizontalPodAutoscaler {
  const { targetCPUUtilizationPercentage: cpu, ...spec } = old.spec ?? {}, annotations = { ...old.metadata.annotations };
  const others = readJson<OldMetricSpec[]>(annotations[METRICS])?.map(fromOldSpec) ?? [];
  const metrics = cpu === undefined ? others : [...others, cpuMetric(cpu)];
  const behavior = fromGoNames(readJson(annotations[BEHAVIOR])) as V2HorizontalPodAutoscalerBehavior | undefined;
  const status = statusToV2(old, annotations);
  for (const key of [METRICS, BEHAVIOR, CURRENT_METRICS, CONDITIONS]) delete annotations[key];
  return compact<V2HorizontalPodAutoscaler>({
    apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler",
    metadata: { ...old.metadata, annotations: Object.keys(annotations).length === 0 ? undefined : annotations },
    spec: { ...spec, metrics: metrics.length === 0 ? [cpuMetric(CPU_UTILIZATION_DEFAULT)] : metrics, behavior },
    ...(status === undefined ? {} : { status }),
  });
}

function statusToV2({ status }: HorizontalPodAutoscaler, annotations: Record<string, string>): V2HorizontalPodAutoscalerStatus | undefined {
  if (status === undefined) return undefined;
  const { currentCPUUtilizationPercentage: cpu, ...rest } = status;
  const fromCpu = cpu === undefined ? undefined : [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: cpu } } }];
  return {
    ...rest,
    currentMetrics: readJson<OldMetricStatus[]>(annotations[CURRENT_METRICS])?.map(fromOldStatus) ?? fromCpu,
    conditions: readJson<V2HorizontalPodAutoscalerCondition[]>(annotations[CONDITIONS]),
  };
}

export function toV1(stored: V2HorizontalPodAutoscaler): HorizontalPodAutoscaler {
  const { metrics = [], behavior, ...spec } = stored.spec ?? {}, { currentMetrics = [], conditions = [], ...status } = stored.status ?? {};
  const annotations: Record<string, string> = { ...stored.metadata.annotations }, others = metrics.filter((metric) => !isCpuTarget(metric));
  if (others.length > 0) annotations[METRICS] = JSON.stringify(others.map(toOldSpec));
  if (currentMetrics.length > 0) annotations[CURRENT_METRICS] = JSON.stringify(currentMetrics.map(toOldStatus));
  if (conditions.length > 0) annotations[CONDITIONS] = JSON.stringify(conditions);
  if (behavior !== undefined) annotations[BEHAVIOR] = JSON.stringify(toGoNames({ scaleUp: orderedRules(behavior.scaleUp), scaleDown: orderedRules(behavior.scaleDown) }));
  const currentCpu = currentMetrics.find(({ type, resource }) => type === "Resource" && resource?.name === "cpu" && resource.current?.averageUtilization !== undefined);
  return compact<HorizontalPodAutoscaler>({
    apiVersion: "autoscaling/v1", kind: "HorizontalPodAutoscaler",
    metadata: { ...stored.metadata, annotations: Object.keys(annotations).length === 0 ? undefined : annotations },
    spec: { ...spec, targetCPUUtilizationPercentage: metrics.find(isCpuTarget)?.resource?.target.averageUtilization },
    ...(stored.status === undefined ? {} : { status: { currentReplicas: 0, ...status, currentCPUUtilizationPercentage: currentCpu?.resource?.current.averageUtilization } }),
  } as HorizontalPodAutoscaler);
}

const orderedRules = (rules: V2HPAScalingRules | undefined): object | undefined =>
  rules && { stabilizationWindowSeconds: rules.stabilizationWindowSeconds, selectPolicy: rules.selectPolicy, policies: rules.policies?.map(({ type, value, periodSeconds }) => ({ type, value, periodSeconds })), tolerance: rules.tolerance };
