/** LocalSubjectAccessReview. Counterpart: kubernetes pkg/registry/authorization. */
import { defineResource } from "../define-resource.ts";
import type { LocalSubjectAccessReview } from "../schema/generated/models.ts";
import { localsubjectaccessreviews } from "../schema/generated/references.ts";

export const localSubjectAccessReviewDefinition = defineResource<LocalSubjectAccessReview>({
  reference: localsubjectaccessreviews,
});
