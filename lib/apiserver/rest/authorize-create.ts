/** PUT and apply may create: who does so must be allowed to create. Counterpart: apiserver `endpoints/handlers/update.go` withAuthorization. */
import { forbiddenRequest } from "../authorization/forbidden-request.ts";
import type { ApiRequest } from "../http/exchange.ts";
import { attributesOf } from "../filters/authorize.ts";
import type { Api } from "./api.ts";

/** Throws Forbidden unless the user may create the object of the URL. */
export function authorizeCreate(api: Api, request: ApiRequest): void {
  const attributes = { ...attributesOf(request, request.user), verb: "create" }, { decision, reason } = api.authorizer.authorize(attributes);
  if (decision !== "allow") throw forbiddenRequest(attributes, reason);
}
