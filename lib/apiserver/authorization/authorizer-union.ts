/** Authorizers asked in turn; the first with an opinion decides. Counterpart: apiserver `authorization/union` and `authorizerfactory`. */
import type { Authorizer, Decision, RequestAttributes } from "../contracts.ts";

export const SUPERUSER_GROUP = "system:masters";

/** Members of `system:masters` may do anything: the way back in when every role is broken. */
export const superuserAuthorizer: Authorizer = {
  authorize: (attributes) => (attributes.user.groups.includes(SUPERUSER_GROUP) ? { decision: "allow", reason: "" } : { decision: "no-opinion", reason: "" }),
};
export const alwaysAllow: Authorizer = { authorize: () => ({ decision: "allow", reason: "" }) };
export const alwaysDeny: Authorizer = { authorize: () => ({ decision: "no-opinion", reason: "Everything is forbidden." }) };

export function authorizerUnion(authorizers: readonly Authorizer[]): Authorizer {
  return {
    authorize(attributes: RequestAttributes): { decision: Decision; reason: string } {
      let reasons = "";
      for (const authorizer of authorizers) {
        const { decision, reason } = authorizer.authorize(attributes);
        if (decision !== "no-opinion") return { decision, reason };
        if (reason !== "") reasons = reasons === "" ? reason : `${reasons}\n${reason}`;
      }
      return { decision: "no-opinion", reason: reasons };
    },
  };
}
