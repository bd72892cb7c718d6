/** What a pod may ask for that this release cannot do: refused by name, never ignored. Pure. */
import type { Container, Pod } from "../api/schema/generated/models.ts";

export interface HostAbilities { readonly appArmor: boolean; readonly seLinux: boolean }

const containersOf = (pod: Pod): Container[] => [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];

/** The first thing that cannot be done, as a path in the spec and why; undefined when all can. */
export function findUnsupported(pod: Pod, host: HostAbilities): string | undefined {
  const { spec } = pod;
  if (spec.hostUsers === false) return "spec.hostUsers: user namespaces are not supported by this release";
  if (spec.os?.name === "windows") return "spec.os.name: this node runs linux";
  if ((spec.resourceClaims?.length ?? 0) > 0) return "spec.resourceClaims: dynamic resource allocation is not supported by this release";
  for (const container of containersOf(pod)) {
    const at = `container ${JSON.stringify(container.name)}`;
    if ((container.volumeDevices?.length ?? 0) > 0) return `${at}: volumeDevices: block volumes are not supported by this release`;
    if (container.volumeMounts?.some((mount) => mount.recursiveReadOnly === "Enabled")) return `${at}: volumeMounts: recursiveReadOnly "Enabled" is not supported by this runtime`;
    if (container.env?.some((variable) => variable.valueFrom?.fileKeyRef !== undefined)) return `${at}: env: fileKeyRef is not supported by this release`;
    const appArmor = container.securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile;
    if (appArmor !== undefined && appArmor.type !== "Unconfined" && !host.appArmor) return `${at}: Cannot enforce AppArmor: AppArmor is not enabled on the host`;
    const seLinux = container.securityContext?.seLinuxOptions ?? spec.securityContext?.seLinuxOptions;
    if (seLinux !== undefined && !host.seLinux) return `${at}: seLinuxOptions: SELinux is not enabled on the host`;
  }
  return undefined;
}
