/** ControllerRevision. Counterpart: kubernetes pkg/registry/apps. */
import { defineResource } from "../define-resource.ts";
import type { ControllerRevision } from "../schema/generated/models.ts";
import { controllerrevisions } from "../schema/generated/references.ts";

export const controllerRevisionDefinition = defineResource<ControllerRevision>({
  reference: controllerrevisions,
});
