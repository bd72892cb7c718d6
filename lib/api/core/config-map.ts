/** ConfigMap. Counterpart: kubernetes pkg/registry/core. */
import { defineResource } from "../define-resource.ts";
import type { ConfigMap } from "../schema/generated/models.ts";
import { configmaps } from "../schema/generated/references.ts";

export const configMapDefinition = defineResource<ConfigMap>({
  reference: configmaps,
  shortNames: ["cm"],
});
