/** StatefulSet. Counterpart: kubernetes pkg/registry/apps. */
import { defineResource } from "../define-resource.ts";
import type { StatefulSet } from "../schema/generated/models.ts";
import { statefulsets } from "../schema/generated/references.ts";

export const statefulSetDefinition = defineResource<StatefulSet>({
  reference: statefulsets,
  shortNames: ["sts"],
  categories: ["all"],
  scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas", labelSelectorPath: ".spec.selector" },
  hasGeneration: true,
  notRunYet: true,
});
