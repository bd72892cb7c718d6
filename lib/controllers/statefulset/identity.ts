/**
 * Who is who in a StatefulSet: ordinals, names, the pod and the claims that belong to one. Pure.
 * Counterpart: kubernetes `pkg/controller/statefulset/stateful_set_utils.go`.
 */
import { statefulsets } from "../../api/schema/generated/references.ts";
import { REVISION_HASH_LABEL } from "../shared/controller-revisions.ts";
import { podFromTemplate } from "../shared/pod-control.ts";
import type { ControllerRevision, PersistentVolumeClaim, Pod, PodTemplateSpec, StatefulSet, Volume } from "../../api/schema/generated/models.ts";

export const POD_NAME_LABEL = "statefulset.kubernetes.io/pod-name";
export const POD_INDEX_LABEL = "apps.kubernetes.io/pod-index";
const NAME = /^(.*)-(\d{1,9})$/;

export const replicasOf = ({ spec }: StatefulSet): number => spec.replicas ?? 1;
export const startOf = ({ spec }: StatefulSet): number => spec.ordinals?.start ?? 0;
export const podNameOf = (set: StatefulSet, ordinal: number): string => `${set.metadata.name}-${ordinal}`;
export const claimNameOf = (set: StatefulSet, template: PersistentVolumeClaim, ordinal: number): string => `${template.metadata.name}-${set.metadata.name}-${ordinal}`;

/** Undefined for a pod whose name is not of the set. */
export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const match = NAME.exec(pod.metadata.name);
  return match !== null && match[1] === set.metadata.name && String(Number(match[2])) === match[2] ? Number(match[2]) : undefined;
}

export const isWanted = (set: StatefulSet, ordinal: number): boolean => ordinal >= startOf(set) && ordinal < startOf(set) + replicasOf(set);

/** Pods are labelled with the revision's name here, not with its hash. */
export const revisionOf = (pod: Pod): string => pod.metadata.labels?.[REVISION_HASH_LABEL] ?? "";

/** Whether the pod bears the labels of its name. */
export const hasIdentity = (pod: Pod): boolean => pod.metadata.labels?.[POD_NAME_LABEL] === pod.metadata.name;

export const identityLabels = (set: StatefulSet, ordinal: number): Record<string, string> => ({ [POD_NAME_LABEL]: podNameOf(set, ordinal), [POD_INDEX_LABEL]: String(ordinal) });

function volumesOf(set: StatefulSet, ordinal: number, own: readonly Volume[] = []): Volume[] {
  const claims = (set.spec.volumeClaimTemplates ?? []).map((template): Volume => ({ name: template.metadata.name, persistentVolumeClaim: { claimName: claimNameOf(set, template, ordinal) } }));
  return [...claims, ...own.filter(({ name }) => !claims.some((claim) => claim.name === name))];
}

/** The template a revision keeps. */
export function templateOf(revision: ControllerRevision): PodTemplateSpec {
  const { spec } = revision.data as { spec?: { template?: PodTemplateSpec & { $patch?: string } } }, { $patch: _, ...template } = spec?.template ?? {};
  return template;
}

export function newStatefulPod(set: StatefulSet, revision: ControllerRevision, ordinal: number): Pod {
  const pod = podFromTemplate(templateOf(revision), set, statefulsets), { generateName: _, ...metadata } = pod.metadata, volumes = volumesOf(set, ordinal, pod.spec.volumes);
  return {
    metadata: { ...metadata, name: podNameOf(set, ordinal), labels: { ...metadata.labels, ...identityLabels(set, ordinal), [REVISION_HASH_LABEL]: revision.metadata.name } },
    spec: { ...pod.spec, hostname: podNameOf(set, ordinal), ...((set.spec.serviceName ?? "") === "" ? {} : { subdomain: set.spec.serviceName }), ...(volumes.length === 0 ? {} : { volumes }) },
  };
}

/** The claims of one ordinal, as they are made. */
export function newClaims(set: StatefulSet, ordinal: number): PersistentVolumeClaim[] {
  return (set.spec.volumeClaimTemplates ?? []).map((template) => {
    const { labels, annotations } = template.metadata;
    return {
      metadata: { name: claimNameOf(set, template, ordinal), namespace: set.metadata.namespace, labels: { ...labels, ...set.spec.selector.matchLabels }, ...(annotations === undefined ? {} : { annotations: { ...annotations } }) },
      spec: template.spec,
    };
  });
}
