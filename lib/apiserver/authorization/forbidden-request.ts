/** The 403 for a request that no authorizer allows, in upstream's words. Counterpart: apiserver `responsewriters.Forbidden`. */
import { StatusError } from "../../api/status-error.ts";
import type { RequestAttributes } from "../contracts.ts";

/** `User "x" cannot get resource "pods" in API group "" in the namespace "default"`. */
export function forbiddenMessage(attributes: RequestAttributes): string {
  const quote = JSON.stringify, user = quote(attributes.user.name);
  if (!attributes.isResourceRequest) return `User ${user} cannot ${attributes.verb} path ${quote(attributes.path)}`;
  const resource = attributes.subresource === "" ? attributes.resource : `${attributes.resource}/${attributes.subresource}`;
  const where = attributes.namespace === "" ? "at the cluster scope" : `in the namespace ${quote(attributes.namespace)}`;
  return `User ${user} cannot ${attributes.verb} resource ${quote(resource)} in API group ${quote(attributes.apiGroup)} ${where}`;
}

export function forbiddenRequest(attributes: RequestAttributes, reason: string): StatusError {
  const why = reason === "" ? forbiddenMessage(attributes) : `${forbiddenMessage(attributes)}: ${reason}`;
  const { resource, apiGroup, name } = attributes;
  if (!attributes.isResourceRequest || resource === "") return new StatusError("Forbidden", `forbidden: ${why}`, { details: {} });
  const qualified = apiGroup === "" ? resource : `${resource}.${apiGroup}`;
  return new StatusError("Forbidden", `${qualified}${name === "" ? "" : ` ${JSON.stringify(name)}`} is forbidden: ${why}`,
    { details: { ...(name === "" ? {} : { name }), ...(apiGroup === "" ? {} : { group: apiGroup }), kind: resource } });
}
