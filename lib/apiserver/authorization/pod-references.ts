/** What a pod or a volume refers to, by kind and name. Counterpart: `pkg/api/v1/pod` `VisitPodSecretNames` and siblings. */
import type { Container, EphemeralContainer, PersistentVolume, Pod } from "../../api/schema/generated/models.ts";

export type ReferenceKind = "secret" | "configmap" | "persistentvolumeclaim" | "serviceaccount" | "resourceclaim";
export const referenceKey = (kind: ReferenceKind, namespace: string, name: string): string => `${kind}:${namespace}/${name}`;

/** Keys of everything in its namespace the pod needs on its node, each once. */
export function podReferences(pod: Pod): string[] {
  const namespace = pod.metadata.namespace ?? "", spec = pod.spec, found = new Set<string>();
  if (spec === undefined) return [];
  const add = (kind: ReferenceKind, name: string | undefined): void => { if (name !== undefined && name !== "") found.add(referenceKey(kind, namespace, name)); };
  add("serviceaccount", spec.serviceAccountName);
  for (const secret of spec.imagePullSecrets ?? []) add("secret", secret.name);
  for (const container of [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])]) addContainer(container, add);
  for (const volume of spec.volumes ?? []) {
    add("configmap", volume.configMap?.name);
    add("persistentvolumeclaim", volume.persistentVolumeClaim?.claimName);
    if (volume.ephemeral !== undefined) add("persistentvolumeclaim", `${pod.metadata.name}-${volume.name}`);
    for (const source of volume.projected?.sources ?? []) { add("secret", source.secret?.name); add("configmap", source.configMap?.name); }
    for (const source of Object.values(volume)) for (const secret of secretsOf(source)) add("secret", secret.name);
  }
  for (const claim of spec.resourceClaims ?? []) {
    add("resourceclaim", claim.resourceClaimName ?? (pod.status?.resourceClaimStatuses ?? []).find((status) => status.name === claim.name)?.resourceClaimName);
  }
  return [...found];
}

function addContainer(container: Container | EphemeralContainer, add: (kind: ReferenceKind, name: string | undefined) => void): void {
  for (const source of container.envFrom ?? []) { add("secret", source.secretRef?.name); add("configmap", source.configMapRef?.name); }
  for (const { valueFrom } of container.env ?? []) { add("secret", valueFrom?.secretKeyRef?.name); add("configmap", valueFrom?.configMapKeyRef?.name); }
}

/** Secrets a volume source names, under whichever of the names upstream's sources use. */
function secretsOf(source: unknown): { name: string; namespace: string }[] {
  if (typeof source !== "object" || source === null) return [];
  const found: { name: string; namespace: string }[] = [];
  for (const [field, value] of Object.entries(source)) {
    if (field === "secretName" && typeof value === "string") {
      const { secretNamespace } = source as { secretNamespace?: string };
      found.push({ name: value, namespace: secretNamespace ?? "" });
    } else if (/secretref$/i.test(field) && typeof value === "object" && value !== null) {
      const { name, namespace } = value as { name?: string; namespace?: string };
      if (name !== undefined) found.push({ name, namespace: namespace ?? "" });
    }
  }
  return found;
}

/** Keys of the secrets a bound volume needs on the node; those without a namespace are in the claim's. */
export function volumeSecretReferences(volume: PersistentVolume): string[] {
  const claimNamespace = volume.spec?.claimRef?.namespace ?? "";
  return Object.values(volume.spec ?? {}).flatMap(secretsOf).map((secret) => referenceKey("secret", secret.namespace === "" ? claimNamespace : secret.namespace, secret.name));
}
