/** DeviceClass. Counterpart: kubernetes pkg/registry/resource. */
import { defineResource } from "../define-resource.ts";
import type { DeviceClass } from "../schema/generated/models.ts";
import { deviceclasses } from "../schema/generated/references.ts";

export const deviceClassDefinition = defineResource<DeviceClass>({
  reference: deviceclasses,
  hasGeneration: true,
  notRunYet: true,
});
