/**
 * A pod goes only where its volumes are. Claims must be bound already: this release's scheduler binds none itself, so a claim that waits
 * for its first consumer keeps the pod waiting, with upstream's words for "no volume found".
 * Counterpart: scheduler `volumebinding`, of it PreFilter and the check of bound volumes.
 */
import { matchesNodeSelector } from "../../api/helpers/node-affinity.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "../../api/schema/generated/models.ts";
import type { PodInfo } from "../cache/pod-info.ts";
import { rejectForGood, type Plugin, type Rejection, type VolumeListers } from "../framework/plugin.ts";

const BIND_COMPLETED = "pv.kubernetes.io/bind-completed";
const UNBOUND = rejectForGood("pod has unbound immediate PersistentVolumeClaims");
const NONE_FOUND = rejectForGood("node(s) didn't find available persistent volumes to bind");
const ELSEWHERE = rejectForGood("node(s) didn't match PersistentVolume's node affinity");
const LOST = rejectForGood("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)");

interface ClaimName { readonly claim: string; readonly isEphemeral: boolean }

/** Names of the claims the pod uses. */
const claimNames = ({ pod, name }: PodInfo): ClaimName[] => (pod.spec?.volumes ?? []).flatMap((volume): ClaimName[] => {
  if (volume.persistentVolumeClaim !== undefined) return [{ claim: volume.persistentVolumeClaim.claimName, isEphemeral: false }];
  return volume.ephemeral === undefined ? [] : [{ claim: `${name}-${volume.name}`, isEphemeral: true }];
});

/** The claims, or why the pod cannot have them. */
function findClaims(pod: PodInfo, volumes: VolumeListers): PersistentVolumeClaim[] | Rejection {
  const claims: PersistentVolumeClaim[] = [];
  for (const { claim: name, isEphemeral } of claimNames(pod)) {
    const claim = volumes.claim(`${pod.namespace}/${name}`), quoted = JSON.stringify(name);
    if (claim === undefined) return rejectForGood(isEphemeral ? `waiting for ephemeral volume controller to create the persistentvolumeclaim ${quoted}` : `persistentvolumeclaim ${quoted} not found`);
    if (claim.status?.phase === "Lost") return rejectForGood(`persistentvolumeclaim ${quoted} bound to non-existent persistentvolume ${JSON.stringify(claim.spec?.volumeName ?? "")}`);
    if (claim.metadata.deletionTimestamp !== undefined) return rejectForGood(`persistentvolumeclaim ${quoted} is being deleted`);
    if (isEphemeral && claim.metadata.ownerReferences?.some(({ controller, uid }) => controller === true && uid === pod.pod.metadata.uid) !== true) {
      return rejectForGood(`PVC ${pod.namespace}/${name} was not created for pod ${pod.key} (pod is not owner)`);
    }
    claims.push(claim);
  }
  return claims;
}

const isBound = ({ metadata, spec }: PersistentVolumeClaim): boolean => (spec?.volumeName ?? "") !== "" && Object.hasOwn(metadata.annotations ?? {}, BIND_COMPLETED);

function waitsForConsumer({ spec }: PersistentVolumeClaim, volumes: VolumeListers): boolean {
  return (spec?.volumeName ?? "") === "" && volumes.storageClass(spec?.storageClassName ?? "")?.volumeBindingMode === "WaitForFirstConsumer";
}

export const volumeBinding: Plugin = {
  name: "VolumeBinding",
  beginFilter(pod, { volumes }) {
    if (claimNames(pod).length === 0) return undefined;
    const claims = findClaims(pod, volumes);
    if ("reasons" in claims) return claims;
    const unbound = claims.filter((claim) => !isBound(claim));
    if (unbound.some((claim) => !waitsForConsumer(claim, volumes))) return UNBOUND;
    const bound = claims.filter(isBound).map(({ spec }): PersistentVolume | undefined => volumes.volume(spec!.volumeName!));
    return {
      filter({ node }) {
        for (const volume of bound) {
          if (volume === undefined) return LOST;
          const required = volume.spec?.nodeAffinity?.required;
          if (required !== undefined && !matchesNodeSelector(required, node)) return ELSEWHERE;
        }
        return unbound.length === 0 ? undefined : NONE_FOUND;
      },
    };
  },
  mayHelp: (event) => event.kind === "volume-changed" || event.kind === "node-added" || (event.kind === "node-updated" && event.aspects.has("labels")),
};
