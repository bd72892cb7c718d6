import { StatusError } from "../../api/status-error.ts";
import type { ApiResponse } from "../http/exchange.ts";
import { isLongRunning } from "../request-info.ts";
import type { Filter, FilterDeps } from "./filter.ts";

const READ_VERBS = new Set(["get", "list", "watch"]);
/** They must get through, or the cluster cannot mend itself. */
const EXEMPT_GROUP = "system:masters";

const tooMany = (): StatusError => new StatusError("TooManyRequests", "Too many requests, please try again later.", { details: { retryAfterSeconds: 1 } });

/** Refuses more requests at once than the limits allow. Counterpart: apiserver `server/filters/maxinflight.go`. */
export function limitInFlight({ inFlight }: FilterDeps): Filter {
  const counts = { reads: 0, writes: 0 };
  return (next) => (request) => {
    const { info } = request;
    if (isLongRunning(info)) return next(request);
    const kind = READ_VERBS.has(info.verb) ? "reads" : "writes", max = kind === "reads" ? inFlight.readsMax : inFlight.writesMax;
    if (max > 0 && counts[kind] >= max && !request.user.groups.includes(EXEMPT_GROUP)) throw tooMany();
    counts[kind]++;
    let answer: ApiResponse | Promise<ApiResponse>;
    try { answer = next(request); }
    catch (error) { counts[kind]--; throw error; }
    if (!(answer instanceof Promise)) { counts[kind]--; return answer; }
    return answer.finally(() => { counts[kind]--; });
  };
}
