/** VolumeAttachment. Counterpart: kubernetes pkg/registry/storage. */
import { defineResource } from "../define-resource.ts";
import type { VolumeAttachment } from "../schema/generated/models.ts";
import { volumeattachments } from "../schema/generated/references.ts";

export const volumeAttachmentDefinition = defineResource<VolumeAttachment>({
  reference: volumeattachments,
  allowUnconditionalUpdate: false,
  notRunYet: true,
});
