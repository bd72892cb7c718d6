/** SelfSubjectRulesReview. Counterpart: kubernetes pkg/registry/authorization. */
import { defineResource } from "../define-resource.ts";
import type { SelfSubjectRulesReview } from "../schema/generated/models.ts";
import { selfsubjectrulesreviews } from "../schema/generated/references.ts";

export const selfSubjectRulesReviewDefinition = defineResource<SelfSubjectRulesReview>({
  reference: selfsubjectrulesreviews,
});
