/** SelfSubjectReview: who am I? `kubectl auth whoami`. Counterpart: `pkg/registry/authentication/selfsubjectreview`. */
import type { SelfSubjectReview } from "../../api/schema/generated/models.ts";
import type { Clock } from "../../util/clock.ts";
import type { CreateHandler } from "../contracts.ts";
import { userInfoModel } from "./token-review.ts";

export const selfSubjectReviewHandler = (clock: Pick<Clock, "now">): CreateHandler => (_object, context): SelfSubjectReview => ({
  kind: "SelfSubjectReview", apiVersion: "authentication.k8s.io/v1",
  metadata: { creationTimestamp: clock.now().toISOString().replace(/\.\d+Z$/, "Z") } as SelfSubjectReview["metadata"],
  status: { userInfo: userInfoModel(context.user) },
});
