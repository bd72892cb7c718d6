/** Limits on a pod's local storage. Pure. Counterpart: kubelet `eviction_manager.go` localStorageEviction; messages are upstream's. */
import { quantityValue } from "../../api/quantity.ts";
import type { Pod } from "../../api/schema/generated/models.ts";

const EPHEMERAL = "ephemeral-storage";

export const hasStorageLimit = (pod: Pod): boolean =>
  (pod.spec.volumes ?? []).some((volume) => volume.emptyDir?.sizeLimit !== undefined && volume.emptyDir.medium !== "Memory") || pod.spec.containers.some((container) => container.resources?.limits?.[EPHEMERAL] !== undefined);

/** Why the pod has to go; undefined while it keeps to its limits. Sizes are bytes on disk, by emptyDir and by container (its layer and logs). */
export function exceededStorage(pod: Pod, emptyDirs: ReadonlyMap<string, number>, containers: ReadonlyMap<string, number>): string | undefined {
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    const limit = emptyDir?.sizeLimit;
    if (limit !== undefined && quantityValue(limit) > 0 && (emptyDirs.get(name) ?? 0) > quantityValue(limit)) return `Usage of EmptyDir volume "${name}" exceeds the limit "${limit}". `;
  }
  const limits = pod.spec.containers.map((container) => container.resources?.limits?.[EPHEMERAL]);
  if (limits.every((limit) => limit !== undefined)) {
    const total = limits.reduce((sum, limit) => sum + quantityValue(limit), 0), used = [...emptyDirs.values(), ...containers.values()].reduce((sum, size) => sum + size, 0);
    if (used > total) return `Pod ephemeral local storage usage exceeds the total limit of containers ${limits.length === 1 ? limits[0] : total}. `;
  }
  for (const { name, resources } of pod.spec.containers) {
    const limit = resources?.limits?.[EPHEMERAL];
    if (limit !== undefined && (containers.get(name) ?? 0) > quantityValue(limit)) return `Container ${name} exceeded its local ephemeral storage limit "${limit}". `;
  }
  return undefined;
}
