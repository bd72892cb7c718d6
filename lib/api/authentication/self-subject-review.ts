/** SelfSubjectReview: who am I? Created, answered, not stored; the server answers it. Counterpart: kubernetes `registry/authentication/selfsubjectreview`. */
import { defineResource } from "../define-resource.ts";
import type { SelfSubjectReview } from "../schema/generated/models.ts";
import { selfsubjectreviews } from "../schema/generated/references.ts";

export const selfSubjectReviewDefinition = defineResource<SelfSubjectReview>({
  reference: selfsubjectreviews,
});
