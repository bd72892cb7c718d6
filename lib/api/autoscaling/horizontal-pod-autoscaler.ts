/** HorizontalPodAutoscaler in its v1 form: one target, CPU. It is stored, checked and shown as v2. Counterpart: kubernetes `apis/autoscaling/v1`. */
import { defineResource } from "../define-resource.ts";
import type { Column } from "../resource-definition.ts";
import type { HorizontalPodAutoscaler, V2HorizontalPodAutoscaler } from "../schema/generated/models.ts";
import { autoscalingHorizontalpodautoscalers, autoscalingV2Horizontalpodautoscalers } from "../schema/generated/references.ts";
import { collect } from "../validation/collect.ts";
import { autoscalerColumns } from "./horizontal-pod-autoscaler-v2.ts";
import { CONDITIONS, CURRENT_METRICS, toV1, toV2 } from "./hpa-conversion.ts";
import { checkAutoscaler, checkAutoscalerStatus } from "./hpa-validation.ts";

const asV2 = (one: Column<V2HorizontalPodAutoscaler>): Column<HorizontalPodAutoscaler> => ({ ...one, cell: (autoscaler, now) => one.cell(toV2(autoscaler), now) });

/** These annotations are status in disguise: only /status writes them. */
function keepStatusAnnotations(autoscaler: HorizontalPodAutoscaler, old: HorizontalPodAutoscaler | undefined): void {
  for (const key of [CURRENT_METRICS, CONDITIONS]) {
    const value = old?.metadata.annotations?.[key];
    if (value !== undefined) (autoscaler.metadata.annotations ??= {})[key] = value;
    else delete autoscaler.metadata.annotations?.[key];
  }
}

export const horizontalPodAutoscalerDefinition = defineResource<HorizontalPodAutoscaler>({
  reference: autoscalingHorizontalpodautoscalers,
  shortNames: ["hpa"],
  categories: ["all"],
  notRunYet: true,
  storage: { reference: autoscalingV2Horizontalpodautoscalers, toStorage: toV2, fromStorage: (stored) => toV1(stored as V2HorizontalPodAutoscaler) },
  defaults: (autoscaler) => void ((autoscaler.spec ??= { maxReplicas: 0, scaleTargetRef: { kind: "", name: "" } }).minReplicas ??= 1),
  prepareForCreate: (autoscaler) => {
    keepStatusAnnotations(autoscaler, undefined);
    autoscaler.status = { currentReplicas: 0, desiredReplicas: 0 };
  },
  prepareForUpdate: (autoscaler, old) => {
    keepStatusAnnotations(autoscaler, old);
    autoscaler.status = old.status;
  },
  prepareForStatusUpdate: (autoscaler, old) => void (autoscaler.spec = old.spec),
  validate: (autoscaler) => collect((errors) => checkAutoscaler(errors, toV2(autoscaler), false)),
  validateUpdate: (autoscaler, old) => collect((errors) => checkAutoscaler(errors, toV2(autoscaler), old.spec.minReplicas === 0)),
  validateStatusUpdate: (autoscaler) => collect((errors) => checkAutoscalerStatus(errors, toV2(autoscaler))),
  columns: autoscalerColumns.map(asV2),
});
