/** Access reviews: may this user do this? Counterpart: `pkg/registry/authorization/{subject,localsubject,selfsubject}accessreview`. */
import { escapeFieldValue } from "../../api/helpers/field-selector.ts";
import { type FieldError, invalid, invalidError, required } from "../../api/field-error.ts";
import type { KubeObject } from "../../api/resource-definition.ts";
import type { FieldSelectorAttributes, NonResourceAttributes, ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec, SubjectAccessReviewStatus } from "../../api/schema/generated/models.ts";
import type { Authorizer, CreateHandler, RequestAttributes, UserInfo } from "../contracts.ts";

type Asked = Pick<SubjectAccessReviewSpec, "resourceAttributes" | "nonResourceAttributes">;

export function subjectAccessReviewHandler(authorizer: Authorizer): CreateHandler {
  return (object) => {
    const review = withSpec(object);
    refuse("SubjectAccessReview", [...validateAsked(review.spec), ...validateSubject(review.spec), ...validateMetadata(review)]);
    return answer(review, "SubjectAccessReview", authorizer, subjectOf(review.spec), review.spec);
  };
}

export function localSubjectAccessReviewHandler(authorizer: Authorizer): CreateHandler {
  return (object, context) => {
    const review = withSpec(object), { spec } = review, inside = spec.resourceAttributes?.namespace ?? "";
    const errors = [...validateAsked(spec), ...validateSubject(spec), ...validateMetadata(review, true)];
    if (spec.resourceAttributes !== undefined && inside !== context.namespace) errors.push(invalid("spec.resourceAttributes.namespace", inside, "must match metadata.namespace"));
    if (spec.nonResourceAttributes !== undefined) errors.push(invalid("spec.nonResourceAttributes", spec.nonResourceAttributes, "disallowed on this kind of request"));
    refuse("LocalSubjectAccessReview", errors);
    return answer(review, "LocalSubjectAccessReview", authorizer, subjectOf(spec), spec);
  };
}

export function selfSubjectAccessReviewHandler(authorizer: Authorizer): CreateHandler {
  return (object, context) => {
    const review = withSpec(object);
    refuse("SelfSubjectAccessReview", [...validateAsked(review.spec), ...validateMetadata(review)]);
    return answer(review, "SelfSubjectAccessReview", authorizer, context.user, review.spec);
  };
}

/** A question that asks nothing has an empty spec. */
const withSpec = (object: KubeObject): SubjectAccessReview => ({ ...object, spec: (object as Partial<SubjectAccessReview>).spec ?? {} }) as SubjectAccessReview;

function answer(review: SubjectAccessReview, kind: string, authorizer: Authorizer, user: UserInfo, asked: Asked): SubjectAccessReview {
  const { decision, reason } = authorizer.authorize(attributesOf(user, asked));
  const status: SubjectAccessReviewStatus = { allowed: decision === "allow", ...(decision === "deny" ? { denied: true } : {}), ...(reason === "" ? {} : { reason }) };
  return { ...review, kind, apiVersion: "authorization.k8s.io/v1", status };
}

function refuse(kind: string, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidError("authorization.k8s.io", kind, "", errors);
}

function validateAsked(spec: Asked): FieldError[] {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec, errors: FieldError[] = [];
  if (resource !== undefined && path !== undefined) errors.push(invalid("spec.nonResourceAttributes", path, "cannot be specified in combination with resourceAttributes"));
  if (resource === undefined && path === undefined) errors.push(invalid("spec.resourceAttributes", null, "exactly one of nonResourceAttributes or resourceAttributes must be specified"));
  for (const which of ["fieldSelector", "labelSelector"] as const) {
    const selector = resource?.[which], at = `spec.resourceAttributes.${which}`;
    if (selector === undefined) continue;
    const isRaw = (selector.rawSelector ?? "") !== "", isListed = (selector.requirements ?? []).length > 0;
    if (isRaw && isListed) errors.push(invalid(`${at}.rawSelector`, selector.rawSelector, "may not specified at the same time as requirements"));
    if (!isRaw && !isListed) errors.push(required(`${at}.requirements`, `when ${at} is specified, requirements or rawSelector is required`));
  }
  return errors;
}

const validateSubject = (spec: SubjectAccessReviewSpec): FieldError[] =>
  ((spec.user ?? "") === "" && (spec.groups ?? []).length === 0 ? [invalid("spec.user", "", "at least one of user or group must be specified")] : []);

/** A question has no name and no labels; what the server sets on every new object does not count. */
function validateMetadata({ metadata }: SubjectAccessReview, namespaced = false): FieldError[] {
  const { managedFields: _fields, uid: _uid, creationTimestamp: _created, selfLink: _link, ...rest } = metadata ?? {};
  const isEmpty = Object.entries(rest).every(([key, value]) => value === undefined || value === "" || namespaced && key === "namespace");
  return isEmpty ? [] : [invalid("metadata", rest, namespaced ? "must be empty except for namespace" : "must be empty")];
}

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
