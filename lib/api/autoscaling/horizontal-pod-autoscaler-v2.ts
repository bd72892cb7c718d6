/** HorizontalPodAutoscaler. Counterpart: kubernetes pkg/registry/autoscaling. */
import { defineResource } from "../define-resource.ts";
import type { V2HorizontalPodAutoscaler } from "../schema/generated/models.ts";
import { autoscalingV2Horizontalpodautoscalers } from "../schema/generated/references.ts";

export const horizontalPodAutoscalerV2Definition = defineResource<V2HorizontalPodAutoscaler>({
  reference: autoscalingV2Horizontalpodautoscalers,
  shortNames: ["hpa"],
  categories: ["all"],
  notRunYet: true,
});
