/** TokenReview: whose token is this? Counterpart: `pkg/registry/authentication/tokenreview`. */
import type { TokenReview, UserInfo as UserInfoModel } from "../../api/schema/generated/models.ts";
import { badRequest } from "../../api/status-error.ts";
import type { CreateHandler, UserInfo } from "../contracts.ts";
import { withAuthenticatedGroup } from "./request-authenticator.ts";
import type { TokenAuthenticator } from "./token-authenticator.ts";

/** A user as review objects write it. */
export function userInfoModel(user: UserInfo): UserInfoModel {
  const extra = Object.entries(user.extra ?? {}).map(([key, values]): [string, string[]] => [key, [...values]]);
  return {
    username: user.name, ...((user.uid ?? "") === "" ? {} : { uid: user.uid }), groups: [...user.groups],
    ...(extra.length === 0 ? {} : { extra: Object.fromEntries(extra) }),
  };
}

/** `apiAudiences` are asked for when the review names none. */
export function tokenReviewHandler(tokens: TokenAuthenticator, apiAudiences: readonly string[]): CreateHandler {
  return async (object) => {
    const review = object as TokenReview, spec = (review.spec ?? {}) as Partial<TokenReview["spec"]>, { token = "", audiences: asked = [] } = spec;
    if (token === "") throw badRequest("token is required for TokenReview in authentication");
    const answer = (status: TokenReview["status"]): TokenReview => ({ ...review, kind: "TokenReview", apiVersion: "authentication.k8s.io/v1", status });
    try {
      const identity = await tokens.authenticateToken(token, asked.length > 0 ? asked : apiAudiences);
      if (identity === undefined) return answer({ user: {} });
      return answer({ authenticated: true, user: userInfoModel(withAuthenticatedGroup(identity.user)), ...(identity.audiences === undefined ? {} : { audiences: [...identity.audiences] }) });
    } catch (error) {
      return answer({ user: {}, error: (error as Error).message });
    }
  };
}
