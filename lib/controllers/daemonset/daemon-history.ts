/**
 * The history of a DaemonSet's templates, kept as ControllerRevisions: finds or makes the current one, removes old ones beyond the limit.
 * Counterpart: kubernetes `pkg/controller/daemon/update.go` constructHistory, snapshot and cleanupHistory.
 */
import { hasReason } from "../../api/status-error.ts";
import { controllerrevisions, daemonsets, pods } from "../../api/schema/generated/references.ts";
import { REVISION_HASH_LABEL, byRevision, isRevisionOf, newRevision, nextRevisionNumber, planRevisionCleanup } from "../shared/controller-revisions.ts";
import type { Client } from "../../client/client.ts";
import type { ControllerRevision, DaemonSet, Pod } from "../../api/schema/generated/models.ts";

export interface DaemonHistory { readonly current: ControllerRevision; readonly old: readonly ControllerRevision[] }

/** `owned` are the revisions that were claimed, `mine` the pods. */
export async function resolveHistory(client: Client, set: DaemonSet, owned: readonly ControllerRevision[], mine: readonly Pod[], signal: AbortSignal): Promise<DaemonHistory> {
  const matching = owned.filter((revision) => isRevisionOf(revision, set.spec.template)), old = owned.filter((revision) => !matching.includes(revision));
  const number = nextRevisionNumber(old);
  let current = matching.length === 0 ? await takeSnapshot(client, set, number, signal) : matching.toSorted(byRevision).at(-1)!;
  for (const double of matching.filter((revision) => revision !== current)) {
    await relabel(client, mine, double, current, signal);
    await client.delete(controllerrevisions, double.metadata, {}, signal);
  }
  // An old template that is asked for again becomes the newest.
  if (current.revision < number) current = await client.update(controllerrevisions, { ...current, revision: number }, {}, signal);
  return { current, old };
}

export const hashOf = (revision: ControllerRevision): string => revision.metadata.labels?.[REVISION_HASH_LABEL] ?? "";

async function relabel(client: Client, mine: readonly Pod[], from: ControllerRevision, to: ControllerRevision, signal: AbortSignal): Promise<void> {
  for (const pod of mine) {
    if (pod.metadata.labels?.[REVISION_HASH_LABEL] !== hashOf(from)) continue;
    await client.patch(pods, pod.metadata, "strategic", { metadata: { uid: pod.metadata.uid, labels: { [REVISION_HASH_LABEL]: hashOf(to) } } }, {}, signal);
  }
}

/** Throws after counting a collision: the next try makes another name. */
async function takeSnapshot(client: Client, set: DaemonSet, number: number, signal: AbortSignal): Promise<ControllerRevision> {
  const revision = newRevision(set, daemonsets, number, set.status?.collisionCount, REVISION_HASH_LABEL);
  try { return await client.create(controllerrevisions, revision, {}, signal); }
  catch (error) {
    if (!hasReason(error, "AlreadyExists")) throw error;
    const existing = await client.get(controllerrevisions, revision.metadata, signal);
    if (isRevisionOf(existing, set.spec.template)) return existing;
    const live = await client.get(daemonsets, set.metadata, signal);
    if ((live.status?.collisionCount ?? 0) !== (set.status?.collisionCount ?? 0)) throw new Error(`Cannot make a revision of DaemonSet "${set.metadata.name}": its copy here is old`, { cause: error });
    await client.update(daemonsets, { ...live, status: { ...live.status!, collisionCount: (live.status?.collisionCount ?? 0) + 1 } }, { subresource: "status" }, signal);
    throw error;
  }
}

export async function cleanHistory(client: Client, set: DaemonSet, { old }: DaemonHistory, mine: readonly Pod[], signal: AbortSignal): Promise<void> {
  const live = new Set(mine.map((pod) => pod.metadata.labels?.[REVISION_HASH_LABEL]));
  for (const revision of planRevisionCleanup(old, set.spec.revisionHistoryLimit ?? 10, (candidate) => live.has(hashOf(candidate)))) {
    try { await client.delete(controllerrevisions, revision.metadata, {}, signal); }
    catch (error) { if (!hasReason(error, "NotFound")) throw error; }
  }
}
