/** VolumeAttributesClass. Counterpart: kubernetes pkg/registry/storage. */
import { defineResource } from "../define-resource.ts";
import type { VolumeAttributesClass } from "../schema/generated/models.ts";
import { volumeattributesclasses } from "../schema/generated/references.ts";

export const volumeAttributesClassDefinition = defineResource<VolumeAttributesClass>({
  reference: volumeattributesclasses,
  shortNames: ["vac"],
  notRunYet: true,
});
