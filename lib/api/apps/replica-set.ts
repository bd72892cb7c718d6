/** ReplicaSet. Counterpart: kubernetes pkg/registry/apps. */
import { defineResource } from "../define-resource.ts";
import type { ReplicaSet } from "../schema/generated/models.ts";
import { replicasets } from "../schema/generated/references.ts";

export const replicaSetDefinition = defineResource<ReplicaSet>({
  reference: replicasets,
  shortNames: ["rs"],
  categories: ["all"],
  scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas", labelSelectorPath: ".spec.selector" },
  hasGeneration: true,
});
