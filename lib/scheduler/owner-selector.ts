/**
 * Which pods are a pod's siblings when it says nothing about spreading: those its Services and its controller select, all together.
 * Counterpart: scheduler `plugins/helper/spread.go` DefaultSelector.
 */
import { matchesLabels, selectorFromSet, type LabelMatcher } from "../api/helpers/label-selector.ts";
import type { ReplicaSet, ReplicationController, Service, StatefulSet } from "../api/schema/generated/models.ts";
import { selectorWithOwnLabels, type PodInfo } from "./cache/pod-info.ts";

/** Where to look owners up, by `namespace/name`. */
export interface OwnerListers {
  services(namespace: string): readonly Service[];
  replicationController(key: string): ReplicationController | undefined;
  replicaSet(key: string): ReplicaSet | undefined;
  statefulSet(key: string): StatefulSet | undefined;
}

/** The selector, or undefined when neither a Service nor a known controller selects the pod. */
export function ownerSelector(pod: PodInfo, listers: OwnerListers): LabelMatcher | undefined {
  const labels: Record<string, string> = {};
  for (const { spec } of listers.services(pod.namespace)) {
    const selector = spec?.selector ?? {};
    if (Object.keys(selector).length > 0 && matchesLabels(selectorFromSet(selector), pod.labels)) Object.assign(labels, selector);
  }
  const requirements: LabelMatcher["requirements"][number][] = [];
  const owner = pod.pod.metadata.ownerReferences?.find(({ controller }) => controller === true), key = `${pod.namespace}/${owner?.name}`;
  switch (owner === undefined ? "" : `${owner.apiVersion} ${owner.kind}`) {
    case "v1 ReplicationController": Object.assign(labels, listers.replicationController(key)?.spec?.selector); break;
    case "apps/v1 ReplicaSet": requirements.push(...selectorWithOwnLabels(listers.replicaSet(key)?.spec?.selector, {}).requirements); break;
    case "apps/v1 StatefulSet": requirements.push(...selectorWithOwnLabels(listers.statefulSet(key)?.spec?.selector, {}).requirements); break;
    default: break;
  }
  const all = [...selectorFromSet(labels).requirements, ...requirements];
  return all.length === 0 ? undefined : { requirements: all };
}
