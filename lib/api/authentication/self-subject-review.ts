/** SelfSubjectReview. Counterpart: kubernetes pkg/registry/authentication. */
import { defineResource } from "../define-resource.ts";
import type { SelfSubjectReview } from "../schema/generated/models.ts";
import { selfsubjectreviews } from "../schema/generated/references.ts";

export const selfSubjectReviewDefinition = defineResource<SelfSubjectReview>({
  reference: selfsubjectreviews,
});
