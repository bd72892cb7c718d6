/**
 * Impersonation: a user who may, acts as another. Every part of the other's identity is asked for by itself.
 * Counterpart: apiserver `endpoints/filters/impersonation`.
 */
import { badRequest } from "../../api/status-error.ts";
import { firstHeaderValue, headerValues, prefixedHeaderValues, type Headers } from "../authentication/header-values.ts";
import { ANONYMOUS_NAME, AUTHENTICATED_GROUP, UNAUTHENTICATED_GROUP } from "../authentication/request-authenticator.ts";
import { serviceAccountGroups, splitServiceAccountUserName } from "../authentication/service-account-names.ts";
import type { Authorizer, RequestAttributes, UserInfo } from "../contracts.ts";
import { forbiddenRequest } from "./forbidden-request.ts";

const USER = "impersonate-user", GROUP = "impersonate-group", UID = "impersonate-uid", EXTRA = "impersonate-extra-";

/** Cheap test that lets nearly every request skip the rest. */
export function asksImpersonation(headers: Headers["headers"]): boolean {
  if (headers[USER] !== undefined || headers[GROUP] !== undefined || headers[UID] !== undefined) return true;
  for (const name in headers) if (name.startsWith(EXTRA)) return true;
  return false;
}

/** The user to act as: `user` itself when no header asks. Throws BadRequest and Forbidden. */
export function impersonate(user: UserInfo, headers: Headers, authorizer: Authorizer): UserInfo {
  if (!asksImpersonation(headers.headers)) return user;
  const name = firstHeaderValue(headers, [USER]), groups = headerValues(headers, GROUP), uid = firstHeaderValue(headers, [UID]), extra = prefixedHeaderValues(headers, EXTRA);
  if (name === "") {
    if (groups.length + Object.keys(extra).length > 0 || uid !== "") throw badRequest("requested groups, uid or extra without impersonating a user");
    return user;
  }
  const check = (part: Pick<RequestAttributes, "resource" | "name"> & Partial<RequestAttributes>): void => {
    const attributes: RequestAttributes = { user, verb: "impersonate", isResourceRequest: true, path: "", apiGroup: "", apiVersion: "", subresource: "", namespace: "", ...part };
    const { decision, reason } = authorizer.authorize(attributes);
    if (decision !== "allow") throw forbiddenRequest(attributes, reason);
  };
  const account = splitServiceAccountUserName(name);
  if (account === undefined) check({ resource: "users", name });
  else check({ resource: "serviceaccounts", namespace: account.namespace, name: account.name });
  for (const group of groups) check({ resource: "groups", name: group });
  for (const [key, values] of Object.entries(extra)) for (const value of values) check({ apiGroup: "authentication.k8s.io", apiVersion: "v1", resource: "userextras", subresource: key, name: value });
  if (uid !== "") check({ apiGroup: "authentication.k8s.io", apiVersion: "v1", resource: "uids", name: uid });
  const asked = groups.length === 0 && account !== undefined ? serviceAccountGroups(account.namespace) : groups;
  return { name, groups: completeGroups(name, asked), ...(uid === "" ? {} : { uid }), ...(Object.keys(extra).length === 0 ? {} : { extra }) };
}

function completeGroups(name: string, groups: readonly string[]): string[] {
  if (name === ANONYMOUS_NAME) return groups.includes(UNAUTHENTICATED_GROUP) ? [...groups] : [...groups, UNAUTHENTICATED_GROUP];
  return groups.includes(AUTHENTICATED_GROUP) || groups.includes(UNAUTHENTICATED_GROUP) ? [...groups] : [...groups, AUTHENTICATED_GROUP];
}
