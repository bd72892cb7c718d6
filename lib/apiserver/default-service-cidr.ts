/**
 * The ServiceCIDR `kubernetes`: the ranges of `--service-cluster-ip-range` as an object, made again when somebody deletes it, never changed but
 * to gain a second family. Counterpart: kubernetes `controlplane/controller/defaultservicecidr`.
 */
import { isDeepStrictEqual } from "node:util";
import { toTimestamp } from "../api/helpers/timestamps.ts";
import type { Condition } from "../api/schema/generated/models.ts";
import { servicecidrs } from "../api/schema/generated/references.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import type { CacheReader, InternalWriter } from "./contracts.ts";

const NAME = "kubernetes";

export interface DefaultServiceCidrDeps { readonly cache: CacheReader; readonly writer: InternalWriter; readonly clock: Clock; readonly log: Logger }

/** Creates or mends it. Throws StatusError. */
export async function reconcileDefaultServiceCidr({ cache, writer, clock, log }: DefaultServiceCidrDeps, cidrs: readonly string[]): Promise<void> {
  let range = cache.get(servicecidrs, "", NAME);
  range ??= await writer.create(servicecidrs, { apiVersion: "networking.k8s.io/v1", kind: "ServiceCIDR", metadata: { name: NAME }, spec: { cidrs: [...cidrs] } });
  const found = range.spec.cidrs ?? [];
  if (cidrs.length === 2 && found.length === 1 && found[0] === cidrs[0]) range = await writer.update(servicecidrs, { ...range, spec: { cidrs: [...cidrs] } });
  else if (!isDeepStrictEqual(found, cidrs)) return log.warn({ found, configured: cidrs }, "the ServiceCIDR kubernetes does not match --service-cluster-ip-range");
  if (range.metadata.deletionTimestamp !== undefined || range.status?.conditions?.some(({ type, status }) => type === "Ready" && status !== "Unknown") === true) return;
  const ready: Condition = { type: "Ready", status: "True", reason: "", message: "Kubernetes default Service CIDR is ready", lastTransitionTime: toTimestamp(clock.now()) };
  await writer.update(servicecidrs, { ...range, status: { conditions: [ready] } }, "status");
}
