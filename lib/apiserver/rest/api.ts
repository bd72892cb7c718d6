/** What handlers share: one value made at start. */
import type { ResourceDefinition } from "../../api/resource-definition.ts";
import type { Logger } from "../../util/logger.ts";
import type { AdmissionChain } from "../admission/admission-chain.ts";
import type { WatchCache } from "../cache/watch-cache.ts";
import type { Authorizer, CreateHandlers, StreamHandler } from "../contracts.ts";
import type { Resource } from "../registry/resource.ts";

export interface Api {
  readonly cache: WatchCache;
  /** Every served resource by `group/version/plural`. */
  readonly definitions: ReadonlyMap<string, ResourceDefinition>;
  /** Those that are stored. */
  readonly resources: ReadonlyMap<string, Resource>;
  readonly admission: AdmissionChain;
  /** For what a request does beside what its path says. */
  readonly authorizer: Authorizer;
  readonly createHandlers: CreateHandlers;
  /** By `plural[.group]/subresource`. */
  readonly streamHandlers: ReadonlyMap<string, StreamHandler>;
  readonly log: Logger;
  readonly random: () => number;
  /** Aborts when the server stops: watches end. */
  readonly shutdown: AbortSignal;
}
