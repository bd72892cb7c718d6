/** StorageClass. Counterpart: kubernetes pkg/registry/storage. */
import { defineResource } from "../define-resource.ts";
import type { StorageClass } from "../schema/generated/models.ts";
import { storageclasses } from "../schema/generated/references.ts";

export const storageClassDefinition = defineResource<StorageClass>({
  reference: storageclasses,
  shortNames: ["sc"],
  notRunYet: true,
});
