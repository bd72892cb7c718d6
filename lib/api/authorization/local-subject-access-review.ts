/** LocalSubjectAccessReview: may they, in this namespace? Created, answered, not stored; the server checks and answers it. Counterpart: kubernetes `registry/authorization/localsubjectaccessreview`. */
import { defineResource } from "../define-resource.ts";
import type { LocalSubjectAccessReview } from "../schema/generated/models.ts";
import { localsubjectaccessreviews } from "../schema/generated/references.ts";

export const localSubjectAccessReviewDefinition = defineResource<LocalSubjectAccessReview>({
  reference: localsubjectaccessreviews,
});
