/** Who uses a claim, a volume or a class of volume attributes. Pure. Counterpart: kubernetes `pkg/controller/volume/{pvc,pv,vac}protection`. */
import { isPodTerminal } from "../../api/helpers/pod-status.ts";
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "../../api/schema/generated/models.ts";
import { joinKey } from "../../runtime/object-key.ts";

export const CLAIM_FINALIZER = "kubernetes.io/pvc-protection", VOLUME_FINALIZER = "kubernetes.io/pv-protection", CLASS_FINALIZER = "kubernetes.io/vac-protection";

/** Keys of the claims a pod may use. One that has no node uses none: no kubelet starts it with a claim that is being deleted. */
export function claimsOf(pod: Pod): string[] {
  if ((pod.spec.nodeName ?? "") === "") return [];
  return (pod.spec.volumes ?? []).flatMap((volume) => {
    const name = volume.persistentVolumeClaim?.claimName ?? (volume.ephemeral === undefined ? undefined : `${pod.metadata.name}-${volume.name}`);
    return name === undefined ? [] : [joinKey(pod.metadata.namespace, name)];
  });
}

/** Whether a pod uses the claim: names it, or made it for a volume of its own and is not over. */
export function usesClaim(pod: Pod, claim: PersistentVolumeClaim): boolean {
  if ((pod.spec.nodeName ?? "") === "" || pod.metadata.namespace !== claim.metadata.namespace) return false;
  const isOwn = (claim.metadata.ownerReferences ?? []).some((owner) => owner.controller === true && owner.uid === pod.metadata.uid);
  return (pod.spec.volumes ?? []).some((volume) =>
    volume.persistentVolumeClaim?.claimName === claim.metadata.name || (volume.ephemeral !== undefined && isOwn && !isPodTerminal(pod) && `${pod.metadata.name}-${volume.name}` === claim.metadata.name));
}

export const isBound = (volume: PersistentVolume): boolean => volume.status?.phase === "Bound";

/** Classes of volume attributes that a claim has, had or is to have. */
export const classesOfClaim = ({ spec, status }: PersistentVolumeClaim): string[] =>
  [spec?.volumeAttributesClassName, status?.currentVolumeAttributesClassName, status?.modifyVolumeStatus?.targetVolumeAttributesClassName].filter((name) => name !== undefined && name !== "") as string[];
export const classesOfVolume = ({ spec }: PersistentVolume): string[] => ((spec?.volumeAttributesClassName ?? "") === "" ? [] : [spec!.volumeAttributesClassName!]);
