/**
 * ControllerRevisions: the templates a DaemonSet or StatefulSet has had, numbered, for `kubectl rollout undo`. Pure.
 * Counterpart: kubernetes `pkg/controller/history` and getPatch of `pkg/controller/daemon` and `pkg/controller/statefulset`.
 */
import { newControllerRef } from "../../api/helpers/owner-references.ts";
import { timestampMs } from "../../api/helpers/timestamps.ts";
import { semanticEqual } from "../../api/semantic-equal.ts";
import { podTemplateHash } from "./pod-template-hash.ts";
import type { ControllerRevision, ObjectMeta, PodTemplateSpec } from "../../api/schema/generated/models.ts";
import type { ResourceReference } from "../../api/reference.ts";

/** On pods and revisions: which template they are of. */
export const REVISION_HASH_LABEL = "controller-revision-hash";
const NAME_MAX = 223;

interface Owner { readonly metadata: ObjectMeta; readonly spec: { readonly template?: PodTemplateSpec | undefined } }

/** What a revision holds: a strategic patch that puts the template in place of another. */
export const templatePatch = (template: PodTemplateSpec | undefined): unknown => ({ spec: { template: { ...template, $patch: "replace" } } });

export const isRevisionOf = (revision: ControllerRevision, template: PodTemplateSpec | undefined): boolean => semanticEqual(revision.data, templatePatch(template));

/** A revision of the owner's template as it is now. `collisions` makes another name for the same template. */
export function newRevision(owner: Owner, resource: ResourceReference, revision: number, collisions: number | undefined, hashLabel: string): ControllerRevision {
  const { name, namespace, annotations } = owner.metadata, hash = podTemplateHash(owner.spec.template, collisions);
  return {
    metadata: {
      name: `${name.slice(0, NAME_MAX)}-${hash}`, namespace, labels: { ...owner.spec.template?.metadata?.labels, [hashLabel]: hash },
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }), ownerReferences: [newControllerRef(owner, resource)],
    },
    revision, data: templatePatch(owner.spec.template),
  };
}

/** Oldest number first; age and name decide between equals. */
export const byRevision = (a: ControllerRevision, b: ControllerRevision): number =>
  a.revision - b.revision || (timestampMs(a.metadata.creationTimestamp) ?? 0) - (timestampMs(b.metadata.creationTimestamp) ?? 0) || (a.metadata.name < b.metadata.name ? -1 : 1);

export const nextRevisionNumber = (others: readonly ControllerRevision[]): number => Math.max(0, ...others.map((revision) => revision.revision)) + 1;

/** Old revisions beyond the limit, oldest first; those that pods still run are never among them. */
export function planRevisionCleanup(old: readonly ControllerRevision[], limit: number, isLive: (revision: ControllerRevision) => boolean): ControllerRevision[] {
  return old.toSorted(byRevision).filter((revision) => !isLive(revision)).slice(0, Math.max(0, old.length - limit));
}
