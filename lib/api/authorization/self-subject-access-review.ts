/** SelfSubjectAccessReview. Counterpart: kubernetes pkg/registry/authorization. */
import { defineResource } from "../define-resource.ts";
import type { SelfSubjectAccessReview } from "../schema/generated/models.ts";
import { selfsubjectaccessreviews } from "../schema/generated/references.ts";

export const selfSubjectAccessReviewDefinition = defineResource<SelfSubjectAccessReview>({
  reference: selfsubjectaccessreviews,
});
