/**
 * Emptying a node before it leaves: no new pods, then every pod evicted as its disruption budget allows, within a time limit.
 *
 * Promises: a pod under a budget is never deleted around it; pods of DaemonSets and static pods stay (they go with the node); run again it goes on.
 * Counterpart: kubectl drain --ignore-daemonsets --delete-emptydir-data --force.
 */
import { nodes, pods } from "../../api/schema/generated/references.ts";
import type { Pod } from "../../api/schema/generated/models.ts";
import { hasReason, StatusError } from "../../api/status-error.ts";
import { type Client, ConnectionError } from "../../client/client.ts";
import type { Clock } from "../../util/clock.ts";

const RETRY_MS = 2_000, MIRROR = "kubernetes.io/config.mirror";
export interface DrainOptions { readonly node: string; readonly timeoutMs: number }

const nameOf = (pod: Pod): string => `${pod.metadata.namespace}/${pod.metadata.name}`;
/** Whether a pod must be gone before its node may be. */
export function mustLeave(pod: Pod): boolean {
  if (pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed") return false;
  if (pod.metadata.annotations?.[MIRROR] !== undefined) return false;
  return !(pod.metadata.ownerReferences ?? []).some((owner) => owner.controller === true && owner.kind === "DaemonSet");
}

/** Asks for one pod's eviction. Returns why it was put off, or undefined. */
async function evict(client: Client, pod: Pod, signal: AbortSignal): Promise<string | undefined> {
  const { namespace, name, uid } = pod.metadata;
  try {
    await client.createSubresource(pods, { namespace, name: name! }, "eviction", { apiVersion: "policy/v1", kind: "Eviction", metadata: { namespace, name }, deleteOptions: { preconditions: { uid } } }, signal);
    return undefined;
  } catch (error) {
    if (signal.aborted) return "its disruption budget is still being counted"; // The client waits as long as the server tells it to.
    if (hasReason(error, "NotFound", "Conflict")) return undefined; // Gone, or another pod of its name; the next look tells.
    if (hasReason(error, "TooManyRequests") || (error instanceof StatusError && error.code >= 500) || error instanceof ConnectionError) return (error as Error).message;
    throw error;
  }
}

/** Cordons the node and empties it. Returns how many pods left. Throws with the pods that would not go. A node that is not there is empty. */
export async function drain(client: Client, { node, timeoutMs }: DrainOptions, clock: Clock): Promise<number> {
  try { await client.patch(nodes, { name: node }, "merge", { spec: { unschedulable: true } }); }
  catch (error) { if (hasReason(error, "NotFound")) return 0; throw error; }
  const late = new AbortController(), cancel = clock.after(timeoutMs, () => late.abort()), seen = new Set<string>();
  try {
    for (;;) {
      // A node that does not answer ends no pod: they count as gone once they are told to go, and go with the node.
      const ready = (await client.get(nodes, { name: node })).status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") === true;
      const { items } = await client.list(pods, { fieldSelector: `spec.nodeName=${node}` }), left = items.filter(mustLeave).filter((pod) => ready || pod.metadata.deletionTimestamp === undefined);
      if (left.length === 0) return seen.size;
      for (const pod of left) seen.add(pod.metadata.uid!);
      const held = (await Promise.all(left.filter((pod) => pod.metadata.deletionTimestamp === undefined).map(async (pod) => { const why = await evict(client, pod, late.signal); return why === undefined ? [] : [`${nameOf(pod)} (${why})`]; }))).flat();
      if (late.signal.aborted) {
        const shown = held.length > 0 ? held : left.map((pod) => `${nameOf(pod)} (still ending)`);
        throw new Error(`Cannot drain node "${node}" within ${timeoutMs / 1000} s: ${shown.length} pods are left: ${shown.slice(0, 5).join("; ")}${shown.length > 5 ? " …" : ""}; see "kubectl get pdb -A", or give it more time with --drain-timeout`);
      }
      await clock.sleep(RETRY_MS, late.signal).catch(() => undefined); // Late: one more look, then its error.
    }
  } finally { cancel(); late.abort(); }
}
