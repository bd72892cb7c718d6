/** Access reviews: may this user do this? Counterpart: `pkg/registry/authorization/{subject,localsubject,selfsubject}accessreview`. */
import { escapeFieldValue } from "../../api/helpers/field-selector.ts";
import { type FieldError, invalid, invalidError, required } from "../../api/field-error.ts";
import type { FieldSelectorAttributes, NonResourceAttributes, ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec, SubjectAccessReviewStatus } from "../../api/schema/generated/models.ts";
import { badRequest } from "../../api/status-error.ts";
import type { Authorizer, CreateHandler, RequestAttributes, UserInfo } from "../contracts.ts";

type Asked = Pick<SubjectAccessReviewSpec, "resourceAttributes" | "nonResourceAttributes">;

export function subjectAccessReviewHandler(authorizer: Authorizer): CreateHandler {
  return (object) => {
    const review = object as SubjectAccessReview;
    refuse("SubjectAccessReview", [...validateAsked(review.spec), ...validateSubject(review.spec)]);
    return answer(review, "SubjectAccessReview", authorizer, subjectOf(review.spec), review.spec);
  };
}

export function localSubjectAccessReviewHandler(authorizer: Authorizer): CreateHandler {
  return (object, context) => {
    const review = object as SubjectAccessReview, { spec } = review, inside = spec.resourceAttributes?.namespace ?? "";
    const errors: FieldError[] = spec.nonResourceAttributes === undefined ? [] : [invalid("spec.nonResourceAttributes", spec.nonResourceAttributes, "disallowed on this kind of request")];
    refuse("LocalSubjectAccessReview", [...validateAsked(spec), ...validateSubject(spec), ...errors]);
    if (inside !== context.namespace) throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${context.namespace}`);
    return answer(review, "LocalSubjectAccessReview", authorizer, subjectOf(spec), spec);
  };
}

export function selfSubjectAccessReviewHandler(authorizer: Authorizer): CreateHandler {
  return (object, context) => {
    const review = object as SubjectAccessReview;
    refuse("SelfSubjectAccessReview", validateAsked(review.spec));
    return answer(review, "SelfSubjectAccessReview", authorizer, context.user, review.spec);
  };
}

function answer(review: SubjectAccessReview, kind: string, authorizer: Authorizer, user: UserInfo, asked: Asked): SubjectAccessReview {
  const { decision, reason } = authorizer.authorize(attributesOf(user, asked));
  const status: SubjectAccessReviewStatus = { allowed: decision === "allow", ...(decision === "deny" ? { denied: true } : {}), ...(reason === "" ? {} : { reason }) };
  return { ...review, kind, apiVersion: "authorization.k8s.io/v1", status };
}

function refuse(kind: string, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidError("authorization.k8s.io", kind, "", errors);
}

function validateAsked(spec: Asked): FieldError[] {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  if (resource !== undefined && path !== undefined) return [invalid("spec.nonResourceAttributes", path, "cannot be specified in combination with resourceAttributes")];
  return resource === undefined && path === undefined ? [invalid("spec.resourceAttributes", resource, "exactly one of nonResourceAttributes or resourceAttributes must be specified")] : [];
}

const validateSubject = (spec: SubjectAccessReviewSpec): FieldError[] =>
  ((spec.user ?? "") === "" && (spec.groups ?? []).length === 0 ? [required("spec.user", "at least one of user or group must be specified")] : []);

const subjectOf = (spec: SubjectAccessReviewSpec): UserInfo => ({ name: spec.user ?? "", groups: spec.groups ?? [], ...(spec.uid === undefined ? {} : { uid: spec.uid }), ...(spec.extra === undefined ? {} : { extra: spec.extra }) });

function attributesOf(user: UserInfo, asked: Asked): RequestAttributes {
  const resource = asked.resourceAttributes;
  if (resource === undefined) return nonResource(user, asked.nonResourceAttributes ?? {});
  const fieldSelector = fieldSelectorOf(resource.fieldSelector);
  return {
    user, verb: resource.verb ?? "", isResourceRequest: true, path: "", apiGroup: resource.group ?? "", apiVersion: resource.version ?? "", resource: resource.resource ?? "",
    subresource: resource.subresource ?? "", namespace: resource.namespace ?? "", name: resource.name ?? "", ...(fieldSelector === "" ? {} : { fieldSelector }),
  } satisfies RequestAttributes & { verb: ResourceAttributes["verb"] };
}

const nonResource = (user: UserInfo, asked: NonResourceAttributes): RequestAttributes =>
  ({ user, verb: asked.verb ?? "", isResourceRequest: false, path: asked.path ?? "", apiGroup: "", apiVersion: "", resource: "", subresource: "", namespace: "", name: "" });

/** A selector given as requirements, as text; requirements field selectors cannot express are left out, which never allows more. */
function fieldSelectorOf(selector: FieldSelectorAttributes | undefined): string {
  if (selector?.rawSelector !== undefined && selector.rawSelector !== "") return selector.rawSelector;
  return (selector?.requirements ?? []).filter((each) => each.operator === "In" && each.values?.length === 1).map((each) => `${each.key}=${escapeFieldValue(each.values![0]!)}`).join(",");
}
