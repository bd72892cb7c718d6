/**
 * How a request travels through the server: first in the list is first to see it.
 * Counterpart: apiserver `server/config.go` DefaultBuildHandlerChain.
 */
import type { Handler } from "./http/exchange.ts";
import { authenticate } from "./filters/authenticate.ts";
import { authorize } from "./filters/authorize.ts";
import type { FilterDeps, Filter } from "./filters/filter.ts";
import { impersonate } from "./filters/impersonate.ts";
import { limitInFlight } from "./filters/in-flight.ts";
import { readRequestInfo } from "./filters/read-request-info.ts";

/** Between authentication and impersonation is the place of the audit log. */
export const filters = (deps: FilterDeps): readonly Filter[] => [
  readRequestInfo(),
  authenticate(deps),
  impersonate(deps),
  limitInFlight(deps),
  authorize(deps),
];

/** One handler of the filters and what comes behind them. */
export const chain = (list: readonly Filter[], last: Handler): Handler => list.reduceRight<Handler>((next, filter) => filter(next), last);
