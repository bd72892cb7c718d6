/** The condition that tells why something other than its owner deleted a pod. Counterpart: KEP-3329, kubernetes `pkg/util/pod`. */
import { podCondition } from "../../api/helpers/pod-status.ts";
import { toTimestamp } from "../../api/helpers/timestamps.ts";
import { pods } from "../../api/schema/generated/references.ts";
import type { Pod } from "../../api/schema/generated/models.ts";
import type { Client } from "../../client/client.ts";

/** Puts DisruptionTarget on the pod's status, and its phase to Failed when told to. Throws NotFound and Conflict as they come. */
export async function markDisrupted(client: Client, pod: Pod, why: { reason: string; message: string; failed?: boolean }, now: Date, signal: AbortSignal): Promise<void> {
  const { reason, message, failed } = why, old = podCondition(pod, "DisruptionTarget");
  if (old?.status === "True" && old.reason === reason && (failed !== true || pod.status?.phase === "Failed")) return;
  const condition = { type: "DisruptionTarget", status: "True", reason, message, lastTransitionTime: toTimestamp(now), ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }) };
  await client.patch(pods, pod.metadata, "strategic", { metadata: { uid: pod.metadata.uid }, status: { ...(failed === true ? { phase: "Failed" } : {}), conditions: [condition] } }, { subresource: "status" }, signal);
}
