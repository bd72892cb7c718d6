/** ReplicationController. Counterpart: kubernetes pkg/registry/core. */
import { defineResource } from "../define-resource.ts";
import type { ReplicationController } from "../schema/generated/models.ts";
import { replicationcontrollers } from "../schema/generated/references.ts";

export const replicationControllerDefinition = defineResource<ReplicationController>({
  reference: replicationcontrollers,
  shortNames: ["rc"],
  categories: ["all"],
  scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas", labelSelectorPath: ".spec.selector" },
  hasGeneration: true,
  defaultPropagation: "orphan",
  notRunYet: true,
});
