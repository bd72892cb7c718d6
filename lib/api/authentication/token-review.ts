/** TokenReview: whose token is this? Created, answered, not stored; the server answers it. Counterpart: kubernetes `registry/authentication/tokenreview`. */
import { defineResource } from "../define-resource.ts";
import type { TokenReview } from "../schema/generated/models.ts";
import { tokenreviews } from "../schema/generated/references.ts";

export const tokenReviewDefinition = defineResource<TokenReview>({
  reference: tokenreviews,
});
