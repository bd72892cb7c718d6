/** HorizontalPodAutoscaler: as many replicas as there is work for; the stored form. Counterpart: kubernetes `registry/autoscaling/horizontalpodautoscaler`. */
import { ageColumn, column, nameColumn, orUnset } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import type { Column } from "../resource-definition.ts";
import type { V2HPAScalingRules, V2HorizontalPodAutoscaler, V2MetricSpec, V2MetricStatus } from "../schema/generated/models.ts";
import { autoscalingV2Horizontalpodautoscalers } from "../schema/generated/references.ts";
import { collect } from "../validation/collect.ts";
import { CPU_UTILIZATION_DEFAULT, cpuMetric } from "./hpa-conversion.ts";
import { checkAutoscaler, checkAutoscalerStatus } from "./hpa-validation.ts";

const METRICS_SHOWN_MAX = 2;
const PERIOD_SECONDS = 15;

function defaults(autoscaler: V2HorizontalPodAutoscaler): void {
  const spec = (autoscaler.spec ??= { maxReplicas: 0, scaleTargetRef: { kind: "", name: "" } });
  spec.minReplicas ??= 1;
  if ((spec.metrics ?? []).length === 0) spec.metrics = [cpuMetric(CPU_UTILIZATION_DEFAULT)];
  const { behavior } = spec;
  if (behavior === undefined) return;
  defaultRules((behavior.scaleUp ??= {}), true);
  defaultRules((behavior.scaleDown ??= {}), false);
}

function defaultRules(rules: V2HPAScalingRules, isUp: boolean): void {
  if (isUp) rules.stabilizationWindowSeconds ??= 0;
  rules.selectPolicy ??= "Max";
  const byShare = { type: "Percent", value: 100, periodSeconds: PERIOD_SECONDS };
  rules.policies ??= isUp ? [{ type: "Pods", value: 4, periodSeconds: PERIOD_SECONDS }, byShare] : [byShare];
}

/** `current/target` of one metric, e.g. `cpu: 12%/80%`. */
function metricText(metric: V2MetricSpec, status: V2MetricStatus | undefined): string {
  const unknown = "<unknown>";
  switch (metric.type) {
    case "External": case "Object": {
      const source = metric.type === "External" ? "external" : "object", { averageValue, value } = metric[source]?.target ?? {}, current = status?.[source]?.current;
      return averageValue === undefined ? `${current === undefined ? unknown : (current.value ?? "0")}/${value ?? "<nil>"}` : `${current?.averageValue ?? unknown}/${averageValue} (avg)`;
    }
    case "Pods": return `${status?.pods?.current.averageValue ?? unknown}/${metric.pods?.target.averageValue ?? "<nil>"}`;
    case "Resource": case "ContainerResource": {
      const source = metric.type === "Resource" ? "resource" : "containerResource", { name, target } = metric[source] ?? { name: "", target: {} }, current = status?.[source]?.current;
      if (target.averageValue !== undefined) return `${name}: ${current?.averageValue ?? unknown}/${target.averageValue}`;
      const percent = (value: number | undefined, none: string): string => (value === undefined ? none : `${value}%`);
      return `${name}: ${percent(current?.averageUtilization, unknown)}/${percent(target.averageUtilization, "<auto>")}`;
    }
    default: return "<unknown type>";
  }
}

function targetsCell({ spec, status }: V2HorizontalPodAutoscaler): string {
  const metrics = spec?.metrics ?? [];
  if (metrics.length === 0) return "<none>";
  const shown = metrics.slice(0, METRICS_SHOWN_MAX).map((metric, i) => metricText(metric, status?.currentMetrics?.[i])).join(", ");
  return metrics.length > METRICS_SHOWN_MAX ? `${shown} + ${metrics.length - METRICS_SHOWN_MAX} more...` : shown;
}

export const autoscalerColumns: readonly Column<V2HorizontalPodAutoscaler>[] = [
  nameColumn,
  column("Reference", ({ spec }) => `${spec?.scaleTargetRef?.kind ?? ""}/${spec?.scaleTargetRef?.name ?? ""}`, { description: "What it scales." }),
  column("Targets", targetsCell, { description: "The metrics now, and what they should be." }),
  column("MinPods", ({ spec }) => orUnset(spec?.minReplicas), { description: "The least replicas." }),
  column("MaxPods", ({ spec }) => spec?.maxReplicas ?? 0, { type: "string", description: "The most replicas." }),
  column("Replicas", ({ status }) => status?.currentReplicas ?? 0, { type: "string", description: "The replicas there are." }),
  ageColumn,
];

export const horizontalPodAutoscalerV2Definition = defineResource<V2HorizontalPodAutoscaler>({
  reference: autoscalingV2Horizontalpodautoscalers,
  shortNames: ["hpa"],
  categories: ["all"],
  notRunYet: true,
  defaults,
  prepareForCreate: (autoscaler) => void (autoscaler.status = { desiredReplicas: 0 }),
  prepareForUpdate: (autoscaler, old) => void (autoscaler.status = old.status),
  prepareForStatusUpdate: (autoscaler, old) => void (autoscaler.spec = old.spec),
  validate: (autoscaler) => collect((errors) => checkAutoscaler(errors, autoscaler, false)),
  validateUpdate: (autoscaler, old) => collect((errors) => checkAutoscaler(errors, autoscaler, old.spec.minReplicas === 0)),
  validateStatusUpdate: (autoscaler) => collect((errors) => checkAutoscalerStatus(errors, autoscaler)),
  columns: autoscalerColumns,
});
