import { StatusError } from "../../api/status-error.ts";
import type { UserInfo } from "../contracts.ts";
import type { ApiRequest, ApiResponse } from "../http/exchange.ts";
import type { Filter, FilterDeps } from "./filter.ts";

/** Finds out who is calling. Counterpart: apiserver `endpoints/filters/authentication.go`. */
export const authenticate = ({ authenticator }: FilterDeps): Filter => (next) => {
  const proceed = (request: ApiRequest, user: UserInfo | undefined): ApiResponse | Promise<ApiResponse> => {
    if (user === undefined) throw new StatusError("Unauthorized", "Unauthorized");
    request.user = user;
    return next(request);
  };
  return (request) => {
    const { headers, source } = request;
    const found = authenticator.authenticate({ clientCertificate: source.clientCertificate()?.der, authorization: headers.authorization, headers, rawHeaders: source.rawHeaders });
    return found instanceof Promise ? found.then((user) => proceed(request, user)) : proceed(request, found);
  };
};
