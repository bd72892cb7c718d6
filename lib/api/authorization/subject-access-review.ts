/** SubjectAccessReview. Counterpart: kubernetes pkg/registry/authorization. */
import { defineResource } from "../define-resource.ts";
import type { SubjectAccessReview } from "../schema/generated/models.ts";
import { subjectaccessreviews } from "../schema/generated/references.ts";

export const subjectAccessReviewDefinition = defineResource<SubjectAccessReview>({
  reference: subjectaccessreviews,
});
