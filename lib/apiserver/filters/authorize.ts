import { forbiddenRequest } from "../authorization/forbidden-request.ts";
import type { RequestAttributes, UserInfo } from "../contracts.ts";
import type { ApiRequest } from "../http/exchange.ts";
import type { Filter, FilterDeps } from "./filter.ts";

export function attributesOf(request: ApiRequest, user: UserInfo): RequestAttributes {
  const { info, query } = request;
  const fieldSelector = query.get("fieldSelector"), labelSelector = query.get("labelSelector");
  return {
    user, verb: info.verb, isResourceRequest: info.isResourceRequest, path: request.path,
    apiGroup: info.apiGroup, apiVersion: info.apiVersion, resource: info.resource, subresource: info.subresource, namespace: info.namespace, name: info.name,
    ...(fieldSelector === null ? {} : { fieldSelector }), ...(labelSelector === null ? {} : { labelSelector }),
  };
}

/** Lets through what the user may do. */
export const authorize = ({ authorizer }: FilterDeps): Filter => (next) => (request) => {
  const attributes = attributesOf(request, request.user), { decision, reason } = authorizer.authorize(attributes);
  if (decision !== "allow") throw forbiddenRequest(attributes, reason);
  return next(request);
};
