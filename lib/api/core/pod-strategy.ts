/** What the server does to a pod that is created or changed. Counterpart: kubernetes `registry/core/pod/strategy.go`. */
import { computePodQos } from "../helpers/pod-qos.ts";
import type { AppArmorProfile, Container, EphemeralContainer, LabelSelector, Pod, PodAffinity, PodAffinityTerm, PodCondition, PodSpec } from "../schema/generated/models.ts";
import { semanticEqual } from "../semantic-equal.ts";

type Labels = Readonly<Record<string, string>>;
const APPARMOR = "container.apparmor.security.beta.kubernetes.io/";

export function preparePodForCreate(pod: Pod): void {
  const spec = (pod.spec ??= { containers: [] });
  const conditions: PodCondition[] = (spec.schedulingGates ?? []).length === 0 ? [] : [{
    type: "PodScheduled", status: "False", reason: "SchedulingGated", message: "Scheduling is blocked due to non-empty scheduling gates",
  }];
  pod.status = { phase: "Pending", qosClass: computePodQos(spec), ...(conditions.length === 0 ? {} : { conditions }) };
  if (spec.affinity !== undefined) for (const affinity of [spec.affinity.podAffinity, spec.affinity.podAntiAffinity]) mergeAffinityKeys(affinity, pod.metadata.labels ?? {});
  for (const constraint of spec.topologySpreadConstraints ?? []) mergeLabelKeys(constraint.labelSelector, constraint.matchLabelKeys, "In", pod.metadata.labels ?? {});
  if (pod.metadata.annotations !== undefined) takeAppArmorAnnotations(pod, spec);
}

/** The pod's own values of the named labels become part of the selector. */
function mergeLabelKeys(selector: LabelSelector | undefined, keys: readonly string[] | undefined, operator: "In" | "NotIn", labels: Labels): void {
  if (selector === undefined || keys === undefined) return;
  for (const key of keys) if (labels[key] !== undefined) (selector.matchExpressions ??= []).push({ key, operator, values: [labels[key]] });
}
function mergeAffinityKeys(affinity: PodAffinity | undefined, labels: Labels): void {
  if (affinity === undefined) return;
  const terms: PodAffinityTerm[] = [
    ...(affinity.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((weighted) => weighted.podAffinityTerm),
    ...(affinity.requiredDuringSchedulingIgnoredDuringExecution ?? []),
  ];
  for (const term of terms) {
    if ((term as PodAffinityTerm | undefined) === undefined) continue; // Validation tells.
    mergeLabelKeys(term.labelSelector, term.matchLabelKeys, "In", labels);
    mergeLabelKeys(term.labelSelector, term.mismatchLabelKeys, "NotIn", labels);
  }
}

/** Profiles given by the old annotation are moved to the field that replaced it. */
function takeAppArmorAnnotations(pod: Pod, spec: PodSpec): void {
  const annotations = pod.metadata.annotations!;
  if (spec.os?.name === "windows" || !Object.keys(annotations).some((key) => key.startsWith(APPARMOR))) return;
  const containers: (Container | EphemeralContainer)[] = [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])];
  for (const container of containers) {
    const profile = profileOf(annotations[APPARMOR + container.name]);
    if (profile === undefined || container.securityContext?.appArmorProfile !== undefined || semanticEqual(profile, spec.securityContext?.appArmorProfile)) continue;
    (container.securityContext ??= {}).appArmorProfile = profile;
  }
}
function profileOf(annotation: string | undefined): AppArmorProfile | undefined {
  if (annotation === "unconfined") return { type: "Unconfined" };
  if (annotation === "runtime/default") return { type: "RuntimeDefault" };
  const localhostProfile = annotation?.startsWith("localhost/") === true ? annotation.slice("localhost/".length) : "";
  return localhostProfile === "" ? undefined : { type: "Localhost", localhostProfile };
}

export function preparePodStatusUpdate(pod: Pod, old: Pod): void {
  pod.spec = old.spec;
  pod.metadata.deletionTimestamp = old.metadata.deletionTimestamp;
  pod.metadata.ownerReferences = old.metadata.ownerReferences;
  const status = (pod.status ??= {});
  status.qosClass ||= old.status?.qosClass;
  status.observedGeneration ||= old.status?.observedGeneration;
  keepConditionGenerations(status.conditions ?? [], old.status?.conditions ?? []);
}

/** A kubelet that does not know which generation it saw may not unlearn what was told before. */
function keepConditionGenerations(conditions: readonly PodCondition[], old: readonly PodCondition[]): void {
  const generations = new Map<string, (number | undefined)[]>();
  for (const condition of old) generations.set(condition.type, [...(generations.get(condition.type) ?? []), condition.observedGeneration]);
  for (const condition of conditions) {
    const before = generations.get(condition.type)?.shift();
    if ((condition.observedGeneration ?? 0) === 0 && before !== undefined) condition.observedGeneration = before;
  }
}

/** Metadata that a subresource may not touch. Counterpart: `metav1.ResetObjectMetaForStatus`. */
export function keepMetadata(object: Pick<Pod, "metadata">, old: Pick<Pod, "metadata">): void {
  for (const field of ["deletionTimestamp", "generation", "selfLink", "labels", "annotations", "finalizers", "ownerReferences", "managedFields"] as const) Object.assign(object.metadata, { [field]: old.metadata[field] });
}

export function prepareEphemeralUpdate(pod: Pod, old: Pod): void {
  const ephemeralContainers = pod.spec?.ephemeralContainers;
  keepMetadata(pod, old);
  pod.status = old.status;
  pod.spec = { ...(old.spec ?? { containers: [] }), ephemeralContainers };
}

/** Takes only resources and resize policies; containers that were renamed or added are left for validation to refuse. */
export function prepareResize(pod: Pod, old: Pod): void {
  const spec = pod.spec ?? { containers: [] }, was = old.spec ?? { containers: [] };
  const lists = ["containers", "initContainers"] as const;
  const isSame = lists.every((list) => (spec[list] ?? []).length === (was[list] ?? []).length && (spec[list] ?? []).every((container, i) => container.name === was[list]![i]!.name));
  if (!isSame) return;
  const resized: PodSpec = { ...was, resources: spec.resources };
  for (const list of lists) {
    const containers = was[list]?.map((container, i) => ({ ...container, resources: spec[list]![i]!.resources, resizePolicy: spec[list]![i]!.resizePolicy }));
    if (containers !== undefined) resized[list] = containers;
  }
  keepMetadata(pod, old);
  pod.status = old.status;
  pod.spec = resized;
}
