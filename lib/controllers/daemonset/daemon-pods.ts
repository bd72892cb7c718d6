/**
 * Pods of a DaemonSet: on which nodes they belong, and what is put into them so that they get there and stay. Pure.
 * Counterpart: kubernetes `pkg/controller/daemon/util` and NodeShouldRunDaemonPod.
 */
import { matchesRequiredNodeAffinity } from "../../api/helpers/node-affinity.ts";
import { evicts, findUntoleratedTaint, forbidsScheduling } from "../../api/helpers/tolerations.ts";
import { timestampMs } from "../../api/helpers/timestamps.ts";
import { daemonsets } from "../../api/schema/generated/references.ts";
import { REVISION_HASH_LABEL } from "../shared/controller-revisions.ts";
import { podFromTemplate } from "../shared/pod-control.ts";
import type { Affinity, DaemonSet, Node, Pod, PodSpec, Toleration } from "../../api/schema/generated/models.ts";

const GENERATION_ANNOTATION = "deprecated.daemonset.template.generation", GENERATION_LABEL = "pod-template-generation";
const NODE_NAME_FIELD = "metadata.name";

const added = (taint: string, effect: string): Toleration => ({ key: `node.kubernetes.io/${taint}`, operator: "Exists", effect });
/** A daemon serves the node itself: what is wrong with the node is no reason to take it away. */
const TOLERATIONS = [added("not-ready", "NoExecute"), added("unreachable", "NoExecute"), added("disk-pressure", "NoSchedule"), added("memory-pressure", "NoSchedule"), added("pid-pressure", "NoSchedule"), added("unschedulable", "NoSchedule")];
const HOST_NETWORK_TOLERATION = added("network-unavailable", "NoSchedule");

/** The template's tolerations with those of every daemon; one that says the same with a limit of time loses the limit. */
export function daemonTolerations(spec: PodSpec | undefined): Toleration[] {
  const same = (a: Toleration, b: Toleration): boolean => a.key === b.key && a.effect === b.effect && a.operator === b.operator && (a.value ?? "") === (b.value ?? "");
  const always = spec?.hostNetwork === true ? [...TOLERATIONS, HOST_NETWORK_TOLERATION] : TOLERATIONS, own = spec?.tolerations ?? [];
  return [...own.map((toleration) => always.find((other) => same(other, toleration)) ?? toleration), ...always.filter((toleration) => !own.some((other) => same(other, toleration)))];
}

/** Whether a pod is to be made on the node, and whether one that is there may go on. */
export function nodeVerdict(set: DaemonSet, node: Node): { shouldRun: boolean; mayContinue: boolean } {
  const spec = set.spec.template.spec, { taints } = node.spec, tolerations = daemonTolerations(spec);
  if ((spec?.nodeName ?? "") !== "" && spec?.nodeName !== node.metadata.name) return { shouldRun: false, mayContinue: false };
  if (!matchesRequiredNodeAffinity(spec, node)) return { shouldRun: false, mayContinue: false };
  if (findUntoleratedTaint(taints, tolerations, forbidsScheduling) === undefined) return { shouldRun: true, mayContinue: true };
  return { shouldRun: false, mayContinue: findUntoleratedTaint(taints, tolerations, evicts) === undefined };
}

/** The scheduler is told which node by the one field it knows of; whatever else the template requires the node fits already. */
function onlyOn(node: string, affinity: Affinity | undefined): Affinity {
  const nodeSelectorTerms = [{ matchFields: [{ key: NODE_NAME_FIELD, operator: "In", values: [node] }] }];
  return { ...affinity, nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } };
}

export function newDaemonPod(set: DaemonSet, node: string, hash: string): Pod {
  const pod = podFromTemplate(set.spec.template, set, daemonsets), generation = templateGeneration(set);
  pod.metadata.labels = { ...pod.metadata.labels, ...(generation === undefined ? {} : { [GENERATION_LABEL]: generation }), [REVISION_HASH_LABEL]: hash };
  return { ...pod, spec: { ...pod.spec, affinity: onlyOn(node, pod.spec.affinity), tolerations: daemonTolerations(pod.spec) } };
}

function templateGeneration(set: DaemonSet): string | undefined {
  const text = set.metadata.annotations?.[GENERATION_ANNOTATION];
  return text !== undefined && /^\d+$/.test(text) ? text : undefined;
}

/** The node a pod runs on or is meant for; undefined when it tells neither. */
export function targetNode({ spec }: Pod): string | undefined {
  if ((spec.nodeName ?? "") !== "") return spec.nodeName;
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const [field] = terms.flatMap(({ matchFields }) => matchFields ?? []).filter(({ key, operator, values }) => key === NODE_NAME_FIELD && operator === "In" && values?.length === 1);
  return field?.values?.[0];
}

/** Whether the pod is of the current template. */
export function isUpdated(set: DaemonSet, pod: Pod, hash: string): boolean {
  const generation = templateGeneration(set);
  return pod.metadata.labels?.[REVISION_HASH_LABEL] === hash || (generation !== undefined && pod.metadata.labels?.[GENERATION_LABEL] === generation);
}

/** Placed ones first, then the oldest. */
export const byPlacementAndAge = (a: Pod, b: Pod): number =>
  Number((a.spec.nodeName ?? "") === "") - Number((b.spec.nodeName ?? "") === "") || (timestampMs(a.metadata.creationTimestamp) ?? 0) - (timestampMs(b.metadata.creationTimestamp) ?? 0) || (a.metadata.name < b.metadata.name ? -1 : 1);

