/** SubjectAccessReview: may they? Created, answered, not stored; the server checks and answers it. Counterpart: kubernetes `registry/authorization/subjectaccessreview`. */
import { defineResource } from "../define-resource.ts";
import type { SubjectAccessReview } from "../schema/generated/models.ts";
import { subjectaccessreviews } from "../schema/generated/references.ts";

export const subjectAccessReviewDefinition = defineResource<SubjectAccessReview>({
  reference: subjectaccessreviews,
});
