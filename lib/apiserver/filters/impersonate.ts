import { asksImpersonation, impersonate as actAs } from "../authorization/impersonation.ts";
import type { Filter, FilterDeps } from "./filter.ts";

/** Acts as another user where the caller may. Counterpart: apiserver `endpoints/filters/impersonation`. */
export const impersonate = ({ authorizer }: FilterDeps): Filter => (next) => (request) => {
  if (asksImpersonation(request.headers)) request.user = actAs(request.user, { headers: request.headers, rawHeaders: request.source.rawHeaders }, authorizer);
  return next(request);
};
