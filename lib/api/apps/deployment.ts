/** Deployment. Counterpart: kubernetes pkg/registry/apps. */
import { defineResource } from "../define-resource.ts";
import type { Deployment } from "../schema/generated/models.ts";
import { deployments } from "../schema/generated/references.ts";

export const deploymentDefinition = defineResource<Deployment>({
  reference: deployments,
  shortNames: ["deploy"],
  categories: ["all"],
  scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas", labelSelectorPath: ".spec.selector" },
  hasGeneration: true,
});
