/** TokenReview. Counterpart: kubernetes pkg/registry/authentication. */
import { defineResource } from "../define-resource.ts";
import type { TokenReview } from "../schema/generated/models.ts";
import { tokenreviews } from "../schema/generated/references.ts";

export const tokenReviewDefinition = defineResource<TokenReview>({
  reference: tokenreviews,
});
