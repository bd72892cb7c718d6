/**
 * The history of a StatefulSet's templates: the one pods had and the one they are to get, as ControllerRevisions.
 * Counterpart: getStatefulSetRevisions and truncateHistory in kubernetes `pkg/controller/statefulset/stateful_set_control.go`.
 */
import { hasReason } from "../../api/status-error.ts";
import { controllerrevisions, statefulsets } from "../../api/schema/generated/references.ts";
import { byRevision, isRevisionOf, newRevision, nextRevisionNumber, planRevisionCleanup } from "../shared/controller-revisions.ts";
import { revisionOf } from "./identity.ts";
import type { Client } from "../../client/client.ts";
import type { ControllerRevision, Pod, StatefulSet } from "../../api/schema/generated/models.ts";

const HASH_LABEL = "controller.kubernetes.io/hash";
const COLLISIONS_MAX = 20;

export interface StatefulHistory { readonly current: ControllerRevision; readonly update: ControllerRevision; readonly collisionCount: number }

/** `owned` are the revisions that were claimed. Makes the one of the template as it is now, or numbers an old one anew. */
export async function resolveRevisions(client: Client, set: StatefulSet, owned: readonly ControllerRevision[], signal: AbortSignal): Promise<StatefulHistory> {
  const ordered = owned.toSorted(byRevision), same = ordered.findLast((revision) => isRevisionOf(revision, set.spec.template)), number = nextRevisionNumber(ordered);
  let update = same, collisionCount = set.status?.collisionCount ?? 0;
  if (same === undefined) ({ update, collisionCount } = await take(client, set, number, collisionCount, signal));
  else if (same !== ordered.at(-1)) update = await client.update(controllerrevisions, { ...same, revision: number }, {}, signal);
  return { current: ordered.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update!, update: update!, collisionCount };
}

async function take(client: Client, set: StatefulSet, number: number, collisions: number, signal: AbortSignal): Promise<{ update: ControllerRevision; collisionCount: number }> {
  for (let collisionCount = collisions; ; collisionCount++) {
    const revision = newRevision(set, statefulsets, number, collisionCount, HASH_LABEL);
    try { return { update: await client.create(controllerrevisions, revision, {}, signal), collisionCount }; }
    catch (error) {
      if (!hasReason(error, "AlreadyExists") || collisionCount - collisions >= COLLISIONS_MAX) throw error;
      const existing = await client.get(controllerrevisions, revision.metadata, signal);
      if (isRevisionOf(existing, set.spec.template)) return { update: existing, collisionCount };
    }
  }
}

export async function cleanRevisions(client: Client, set: StatefulSet, owned: readonly ControllerRevision[], { current, update }: StatefulHistory, pods: readonly Pod[], signal: AbortSignal): Promise<void> {
  const live = new Set([current.metadata.name, update.metadata.name, ...pods.map(revisionOf)]), limit = set.spec.revisionHistoryLimit ?? 10, old = owned.filter(({ metadata }) => !live.has(metadata.name));
  for (const revision of limit < 0 ? [] : planRevisionCleanup(old, limit, () => false)) {
    try { await client.delete(controllerrevisions, revision.metadata, {}, signal); }
    catch (error) { if (!hasReason(error, "NotFound")) throw error; }
  }
}
