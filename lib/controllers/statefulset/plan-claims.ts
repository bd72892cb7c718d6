/**
 * Who owns the claims of a StatefulSet, and so takes them along: nobody, the set (whenDeleted), or the pod that is scaled away (whenScaled). Pure.
 * Counterpart: isClaimOwnerUpToDate and updateClaimOwnerRefForSetAndPod in kubernetes `pkg/controller/statefulset/stateful_set_utils.go`.
 */
import { newControllerRef } from "../../api/helpers/owner-references.ts";
import { pods, statefulsets } from "../../api/schema/generated/references.ts";
import { semanticEqual } from "../../api/semantic-equal.ts";
import { isWanted, ordinalOf } from "./identity.ts";
import type { OwnerReference, PersistentVolumeClaim, Pod, StatefulSet } from "../../api/schema/generated/models.ts";

type Owner = StatefulSet | Pod;
const isNamed = (reference: OwnerReference, kind: "StatefulSet" | "Pod", owner: Owner): boolean => reference.kind === kind && reference.apiVersion === (kind === "Pod" ? "v1" : "apps/v1") && reference.name === owner.metadata.name;

/** The references the claim should have; undefined when they are right, or not ours to touch. */
export function planClaimOwners(set: StatefulSet, pod: Pod, claim: PersistentVolumeClaim): OwnerReference[] | undefined {
  const references = claim.metadata.ownerReferences ?? [], isOfSet = (reference: OwnerReference): boolean => isNamed(reference, "StatefulSet", set), isOfPod = (reference: OwnerReference): boolean => isNamed(reference, "Pod", pod);
  // A namesake's from before: the garbage collector's matter.
  if (references.some((reference) => (isOfSet(reference) && reference.uid !== set.metadata.uid) || (isOfPod(reference) && reference.uid !== pod.metadata.uid))) return undefined;
  const { whenScaled = "Retain", whenDeleted = "Retain" } = set.spec.persistentVolumeClaimRetentionPolicy ?? {}, others = references.filter((reference) => !isOfSet(reference) && !isOfPod(reference));
  const isForeign = (whenScaled === "Delete" || whenDeleted === "Delete") && others.some((reference) => reference.controller === true), ordinal = ordinalOf(set, pod), isScaledAway = ordinal === undefined || !isWanted(set, ordinal);
  const wanted = [...others];
  if (!isForeign) {
    if (whenScaled === "Delete" && isScaledAway) wanted.push(newControllerRef(pod, pods));
    else if (whenDeleted === "Delete") wanted.push(newControllerRef(set, statefulsets));
  }
  const key = (reference: OwnerReference): string => `${reference.uid}/${reference.controller === true}`;
  return semanticEqual(wanted.map(key).sort(), references.map(key).sort()) ? undefined : wanted;
}

/** A claim that waits to go with a pod of before: a new pod must not take it up. */
export const isStaleClaim = (set: StatefulSet, podName: string, claim: PersistentVolumeClaim | undefined): boolean =>
  set.spec.persistentVolumeClaimRetentionPolicy?.whenScaled === "Delete" && claim?.metadata.ownerReferences?.some((reference) => reference.kind === "Pod" && reference.apiVersion === "v1" && reference.name === podName) === true;
