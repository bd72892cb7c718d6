import { requestInfo } from "../request-info.ts";
import type { Filter } from "./filter.ts";

/** Works out what the request asks for. */
export const readRequestInfo = (): Filter => (next) => (request) => {
  request.info = requestInfo(request.method, request.path, request.query);
  return next(request);
};
