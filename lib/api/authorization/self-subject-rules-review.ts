/** SelfSubjectRulesReview: what may I? Created, answered, not stored; the server answers it. Counterpart: kubernetes `registry/authorization/selfsubjectrulesreview`. */
import { defineResource } from "../define-resource.ts";
import type { SelfSubjectRulesReview } from "../schema/generated/models.ts";
import { selfsubjectrulesreviews } from "../schema/generated/references.ts";

export const selfSubjectRulesReviewDefinition = defineResource<SelfSubjectRulesReview>({
  reference: selfsubjectrulesreviews,
});
