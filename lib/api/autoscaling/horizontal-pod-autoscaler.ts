/** HorizontalPodAutoscaler. Counterpart: kubernetes pkg/registry/autoscaling. */
import { defineResource } from "../define-resource.ts";
import type { HorizontalPodAutoscaler } from "../schema/generated/models.ts";
import { autoscalingHorizontalpodautoscalers } from "../schema/generated/references.ts";

export const horizontalPodAutoscalerDefinition = defineResource<HorizontalPodAutoscaler>({
  reference: autoscalingHorizontalpodautoscalers,
  shortNames: ["hpa"],
  categories: ["all"],
  notRunYet: true,
});
