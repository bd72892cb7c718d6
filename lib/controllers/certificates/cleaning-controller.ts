/**
 * Removes certificate requests that are done with: an hour after they were issued, denied or failed, a day after nobody decided.
 * Counterpart: kubernetes `pkg/controller/certificates/cleaner`.
 */
import { certificatesigningrequests } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import { Controller } from "../../runtime/controller.ts";
import { isDecided, isIssued } from "./request-state.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { CertificateSigningRequest } from "../../api/schema/generated/models.ts";
import type { Runnable } from "../../util/runnable.ts";

const HOUR_MS = 3_600_000;
export const DECIDED_KEPT_MS = HOUR_MS, PENDING_KEPT_MS = 24 * HOUR_MS;

/** When the request may go, in milliseconds since the epoch. */
export function goesAtMs(request: CertificateSigningRequest): number {
  const madeMs = Date.parse(request.metadata.creationTimestamp ?? ""), changes = (request.status?.conditions ?? []).map((condition) => Date.parse(condition.lastUpdateTime ?? "")).filter((ms) => !Number.isNaN(ms));
  return isDecided(request) || isIssued(request) || changes.length > 0 ? Math.max(madeMs, ...changes) + DECIDED_KEPT_MS : madeMs + PENDING_KEPT_MS;
}

export function createCleaningController(context: ControllerContext): Runnable {
  const { client, clock } = context, requests = context.informers.get(certificatesigningrequests);
  const controller = new Controller(context, {
    name: "certificatesigningrequest-cleaner-controller", workers: 1, waitFor: [requests],
    async reconcile(key, signal) {
      const request = requests.get(key);
      if (request === undefined) return {};
      const leftMs = goesAtMs(request) - clock.now().getTime();
      if (leftMs > 0) return { requeueAfterMs: leftMs };
      try { await client.delete(certificatesigningrequests, { name: key }, {}, signal); }
      catch (error) { if (!hasReason(error, "NotFound")) throw error; }
      return {};
    },
  });
  requests.onChange(({ type, object }) => { if (type !== "deleted") controller.queue.add(object.metadata.name); });
  return controller;
}
