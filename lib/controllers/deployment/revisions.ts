/**
 * Revisions: which replica set belongs to the current template, and the annotations that number and describe the rest. Pure.
 * Counterpart: kubernetes `pkg/controller/deployment/util/deployment_util.go`.
 */
import { semanticEqual } from "../../api/semantic-equal.ts";
import { byCreation, desiredReplicas, resolveFenceposts } from "./fenceposts.ts";
import type { Deployment, ReplicaSet, PodTemplateSpec } from "../../api/schema/generated/models.ts";

export const POD_TEMPLATE_HASH_LABEL = "pod-template-hash";
export const REVISION_ANNOTATION = "deployment.kubernetes.io/revision";
export const REVISION_HISTORY_ANNOTATION = "deployment.kubernetes.io/revision-history";
export const DESIRED_REPLICAS_ANNOTATION = "deployment.kubernetes.io/desired-replicas";
export const MAX_REPLICAS_ANNOTATION = "deployment.kubernetes.io/max-replicas";
const NOT_COPIED = new Set(["kubectl.kubernetes.io/last-applied-configuration", REVISION_ANNOTATION, REVISION_HISTORY_ANNOTATION, DESIRED_REPLICAS_ANNOTATION, MAX_REPLICAS_ANNOTATION, "deprecated.deployment.rollback.to"]);
const REVISION_HISTORY_CHARACTERS_MAX = 2_000;

export const revisionOf = (object: { metadata: { annotations?: Record<string, string> | undefined } }): number => Number(object.metadata.annotations?.[REVISION_ANNOTATION] ?? 0) || 0;

function withoutHash(template: PodTemplateSpec | undefined): PodTemplateSpec {
  if (template?.metadata?.labels === undefined) return template ?? {};
  const { [POD_TEMPLATE_HASH_LABEL]: _, ...labels } = template.metadata.labels;
  return { ...template, metadata: { ...template.metadata, labels } };
}

export const equalIgnoringHash = (a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean => semanticEqual(withoutHash(a), withoutHash(b));

/** The oldest set with the deployment's template, so that two namesakes of a race resolve to one. */
export const findNewSet = (deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined =>
  sets.toSorted(byCreation).find((set) => equalIgnoringHash(set.spec.template, deployment.spec.template));

export const findOldSets = (sets: readonly ReplicaSet[], newSet: ReplicaSet | undefined): ReplicaSet[] => sets.filter((set) => set.metadata.uid !== newSet?.metadata.uid);

/** The annotations of the new set; the same object when nothing changes. `exists`: it was there before. */
export function newSetAnnotations(deployment: Deployment, set: ReplicaSet, revision: number, exists: boolean): Record<string, string> {
  const old = set.metadata.annotations ?? {}, fresh: Record<string, string> = { ...old };
  for (const [name, value] of Object.entries(deployment.metadata.annotations ?? {})) if (!NOT_COPIED.has(name)) fresh[name] = value;
  const oldRevision = old[REVISION_ANNOTATION];
  if ((Number(oldRevision ?? 0) || 0) < revision) {
    fresh[REVISION_ANNOTATION] = String(revision);
    if (exists && oldRevision !== undefined) fresh[REVISION_HISTORY_ANNOTATION] = appendHistory(old[REVISION_HISTORY_ANNOTATION], oldRevision);
  }
  if (!exists) Object.assign(fresh, sizeAnnotations(deployment));
  return semanticEqual(old, fresh) ? old : fresh;
}

function appendHistory(history: string | undefined, revision: string): string {
  const revisions = [...(history === undefined || history === "" ? [] : history.split(",")), revision];
  while (revisions.length > 1 && revisions.join(",").length > REVISION_HISTORY_CHARACTERS_MAX) revisions.shift();
  return revisions.join(",");
}

/** What the sets remember of the deployment's size, to tell scaling from a rollout. */
export const sizeAnnotations = (deployment: Deployment): Record<string, string> => {
  const desired = desiredReplicas(deployment);
  return { [DESIRED_REPLICAS_ANNOTATION]: String(desired), [MAX_REPLICAS_ANNOTATION]: String(desired + resolveFenceposts(deployment).maxSurge) };
};

/** Old sets beyond the history limit, oldest revision first; only such that hold and are about to hold no pods. */
export function planCleanup(deployment: Deployment, oldSets: readonly ReplicaSet[]): ReplicaSet[] {
  const limit = deployment.spec.revisionHistoryLimit;
  if (limit === undefined || limit === 2_147_483_647) return [];
  const alive = oldSets.filter((set) => set.metadata.deletionTimestamp === undefined), surplus = alive.length - limit;
  if (surplus <= 0) return [];
  return alive.toSorted((a, b) => revisionOf(a) - revisionOf(b)).slice(0, surplus)
    .filter((set) => (set.status?.replicas ?? 0) === 0 && (set.spec.replicas ?? 1) === 0 && (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0));
}
