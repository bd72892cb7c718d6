/** SelfSubjectRulesReview: all I may do in a namespace; `kubectl auth can-i --list`. Counterpart: `pkg/registry/authorization/selfsubjectrulesreview`. */
import type { NonResourceRule, ResourceRule, SelfSubjectRulesReview } from "../../api/schema/generated/models.ts";
import { badRequest } from "../../api/status-error.ts";
import type { CreateHandler } from "../contracts.ts";
import { nodeOf } from "./node-authorizer.ts";
import type { RbacIndex } from "./rbac-index.ts";

export function selfSubjectRulesReviewHandler(index: RbacIndex): CreateHandler {
  return (object, context) => {
    const review = object as SelfSubjectRulesReview, namespace = review.spec?.namespace ?? "";
    if (namespace === "") throw badRequest("no namespace on request");
    const held = index.rulesOf(context.user, namespace), resourceRules: ResourceRule[] = [], nonResourceRules: NonResourceRule[] = [];
    for (const { rule } of held.rules) {
      if ((rule.resources ?? []).length > 0) resourceRules.push({ verbs: rule.verbs, ...(rule.apiGroups === undefined ? {} : { apiGroups: rule.apiGroups }), resources: rule.resources!, ...(rule.resourceNames === undefined ? {} : { resourceNames: rule.resourceNames }) });
      if ((rule.nonResourceURLs ?? []).length > 0) nonResourceRules.push({ verbs: rule.verbs, nonResourceURLs: rule.nonResourceURLs! });
    }
    const errors = [...new Set(held.errors), ...(nodeOf(context.user) === undefined ? [] : ["node authorizer does not support user rule resolution"])];
    return {
      ...review, kind: "SelfSubjectRulesReview", apiVersion: "authorization.k8s.io/v1",
      status: { resourceRules, nonResourceRules, incomplete: errors.length > 0, ...(errors.length === 0 ? {} : { evaluationError: errors.join(", ") }) },
    } as SelfSubjectRulesReview;
  };
}
