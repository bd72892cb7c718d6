/** A step of a request's way, and what the steps need. */
import type { Authenticator, Authorizer } from "../contracts.ts";
import type { Handler } from "../http/exchange.ts";

/** Sees the request, then calls `next` or answers itself. Rejects by throwing StatusError. */
export type Filter = (next: Handler) => Handler;

export interface FilterDeps {
  /** Always yields a user (anonymous, where that is allowed) or throws Unauthorized. */
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly inFlight: InFlightLimits;
}

/** 0: without a limit. */
export interface InFlightLimits { readonly readsMax: number; readonly writesMax: number }
