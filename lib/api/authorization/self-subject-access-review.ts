/** SelfSubjectAccessReview: may I? Created, answered, not stored; the server checks and answers it. Counterpart: kubernetes `registry/authorization/selfsubjectaccessreview`. */
import { defineResource } from "../define-resource.ts";
import type { SelfSubjectAccessReview } from "../schema/generated/models.ts";
import { selfsubjectaccessreviews } from "../schema/generated/references.ts";

export const selfSubjectAccessReviewDefinition = defineResource<SelfSubjectAccessReview>({
  reference: selfsubjectaccessreviews,
});
