/**
 * Claiming: which objects an owner manages, which orphans it adopts and which of its own it lets go.
 *
 * Promises: nothing controlled by another is touched; an owner on its way out adopts and releases nothing; before the first adoption
 * the owner is read live, so a stale cache cannot adopt for an owner that was deleted; patches carry the object's uid, so a
 * namesake made meanwhile is not hit. Counterpart: kubernetes `pkg/controller/controller_ref_manager.go`.
 */
import { hasReason } from "../../api/status-error.ts";
import { controllerOf, newControllerRef } from "../../api/helpers/owner-references.ts";
import { matchesLabels, type LabelMatcher } from "../../api/helpers/label-selector.ts";
import type { ResourceReference } from "../../api/reference.ts";
import type { Client, HasMeta } from "../../client/client.ts";

export interface ClaimPlan<T> { readonly owned: T[]; readonly adopt: T[]; readonly release: T[] }

/** Decides over `candidates`, which are of the owner's namespace. */
export function planClaims<T extends HasMeta>(owner: HasMeta, selector: LabelMatcher, candidates: readonly T[]): ClaimPlan<T> {
  const plan: ClaimPlan<T> = { owned: [], adopt: [], release: [] };
  const ownerLeaves = owner.metadata.deletionTimestamp !== undefined;
  for (const object of candidates) {
    const controller = controllerOf(object), matches = matchesLabels(selector, object.metadata.labels);
    if (controller !== undefined) {
      if (controller.uid !== owner.metadata.uid) continue;
      if (matches) plan.owned.push(object);
      else if (!ownerLeaves) plan.release.push(object);
    } else if (matches && !ownerLeaves && object.metadata.deletionTimestamp === undefined) plan.adopt.push(object);
  }
  return plan;
}

export interface ClaimResources<O extends HasMeta, T extends HasMeta> {
  readonly owner: ResourceReference<O>;
  readonly object: ResourceReference<T>;
  /** Put on what is adopted and taken off what is let go. */
  readonly finalizers?: readonly string[];
}

/** Carries out the plan and returns what the owner manages now, adopted ones included. Throws the first failure that matters. */
export async function claim<O extends HasMeta, T extends HasMeta>(client: Client, resources: ClaimResources<O, T>, owner: O, selector: LabelMatcher, candidates: readonly T[], signal: AbortSignal): Promise<T[]> {
  const { owned, adopt, release } = planClaims(owner, selector, candidates);
  const claimed = [...owned];
  if (adopt.length > 0) {
    const live = await client.get(resources.owner, owner.metadata, signal);
    if (live.metadata.uid !== owner.metadata.uid) throw new Error(`Cannot adopt for ${resources.owner.kind} "${owner.metadata.name}": it was deleted and made anew`);
    if (live.metadata.deletionTimestamp !== undefined) throw new Error(`Cannot adopt for ${resources.owner.kind} "${owner.metadata.name}": it is being deleted`);
    for (const object of adopt) {
      const adopted = await adoptOne(client, resources, owner, object, signal);
      if (adopted !== undefined) claimed.push(adopted);
    }
  }
  for (const object of release) await releaseOne(client, resources, owner, object, signal);
  return claimed;
}

/** The object as it is now; undefined when it is gone. */
async function adoptOne<O extends HasMeta, T extends HasMeta>(client: Client, resources: ClaimResources<O, T>, owner: O, object: T, signal: AbortSignal): Promise<T | undefined> {
  const { finalizers = [] } = resources;
  const patch = { metadata: { ownerReferences: [newControllerRef(owner, resources.owner)], uid: object.metadata.uid, ...(finalizers.length === 0 ? {} : { finalizers }) } };
  try { return await client.patch(resources.object, object.metadata, "strategic", patch, {}, signal); }
  catch (error) { if (hasReason(error, "NotFound")) return undefined; throw error; }
}

async function releaseOne<O extends HasMeta, T extends HasMeta>(client: Client, resources: ClaimResources<O, T>, owner: O, object: T, signal: AbortSignal): Promise<void> {
  const { finalizers = [] } = resources;
  const patch = { metadata: { ownerReferences: [{ $patch: "delete", uid: owner.metadata.uid }], uid: object.metadata.uid, ...(finalizers.length === 0 ? {} : { "$deleteFromPrimitiveList/finalizers": finalizers }) } };
  try { await client.patch(resources.object, object.metadata, "strategic", patch, {}, signal); }
  catch (error) { if (!hasReason(error, "NotFound", "Invalid")) throw error; } // Invalid: it has no owner any more, or another uid.
}
