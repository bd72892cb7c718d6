/** DaemonSet. Counterpart: kubernetes pkg/registry/apps. */
import { defineResource } from "../define-resource.ts";
import type { DaemonSet } from "../schema/generated/models.ts";
import { daemonsets } from "../schema/generated/references.ts";

export const daemonSetDefinition = defineResource<DaemonSet>({
  reference: daemonsets,
  shortNames: ["ds"],
  categories: ["all"],
  hasGeneration: true,
  notRunYet: true,
});
