/**
 * A pod with everything the plugins ask of it worked out once, when it is seen, rather than in every cycle.
 * Immutable: a changed pod is a new PodInfo. Counterpart: scheduler `framework.PodInfo`.
 */
import { podRequests, type Amounts } from "../../api/helpers/pod-requests.ts";
import { isSidecar } from "../../api/helpers/pod-resources.ts";
import { EVERYTHING, NOTHING, SelectorError, matchesLabels, selectorFromObject, type LabelMatcher } from "../../api/helpers/label-selector.ts";
import type { LabelSelector, Pod, PodAffinityTerm, WeightedPodAffinityTerm } from "../../api/schema/generated/models.ts";

/** What scoring counts for a container that asks for nothing, so that such pods do not pile up on one node. */
export const UNASKED_MILLI_CPU = 100;
export const UNASKED_MEMORY_BYTES = 200 * 1024 * 1024;

export interface HostPort { readonly protocol: string; readonly port: number; readonly ip: string }

/** One term of pod affinity or anti-affinity, ready to match. */
export interface AffinityTerm {
  readonly topologyKey: string;
  readonly weight: number;
  /** Whether the term means this pod; `namespaceLabels` reads the labels of a namespace. */
  matches(pod: PodInfo, namespaceLabels: NamespaceLabels): boolean;
}
export type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>> | undefined;

export interface AffinityTerms {
  readonly required: readonly AffinityTerm[];
  readonly preferred: readonly AffinityTerm[];
}

const NO_TERMS: AffinityTerms = { required: [], preferred: [] };

export class PodInfo {
  readonly pod: Pod;
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly priority: number;
  readonly isTerminating: boolean;
  /** Effective requests: `cpu` in thousandths, the rest in whole units. */
  readonly requests: Amounts;
  /** As `requests`, with the unasked counted: for scores only. */
  readonly scoredMilliCpu: number;
  readonly scoredMemoryBytes: number;
  readonly ports: readonly HostPort[];
  readonly affinity: AffinityTerms;
  readonly antiAffinity: AffinityTerms;

  constructor(pod: Pod) {
    this.pod = pod;
    this.uid = pod.metadata.uid ?? `${pod.metadata.namespace}/${pod.metadata.name}`;
    this.namespace = pod.metadata.namespace ?? "";
    this.name = pod.metadata.name ?? "";
    this.key = `${this.namespace}/${this.name}`;
    this.labels = pod.metadata.labels ?? {};
    this.priority = pod.spec?.priority ?? 0;
    this.isTerminating = pod.metadata.deletionTimestamp !== undefined;
    this.requests = podRequests(pod, { useStatus: true });
    const scored = podRequests(pod, { useStatus: true, missing: { cpu: UNASKED_MILLI_CPU, memory: UNASKED_MEMORY_BYTES } });
    this.scoredMilliCpu = scored.get("cpu") ?? 0;
    this.scoredMemoryBytes = scored.get("memory") ?? 0;
    this.ports = hostPorts(pod);
    const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
    this.affinity = podAffinity === undefined ? NO_TERMS : affinityTerms(this, podAffinity);
    this.antiAffinity = podAntiAffinity === undefined ? NO_TERMS : affinityTerms(this, podAntiAffinity);
  }

  get hasAffinity(): boolean { return this.affinity !== NO_TERMS || this.antiAffinity !== NO_TERMS; }
}

function hostPorts(pod: Pod): HostPort[] {
  const ports: HostPort[] = [];
  for (const container of [...(pod.spec?.initContainers ?? []).filter(isSidecar), ...(pod.spec?.containers ?? [])]) {
    for (const { hostPort, hostIP, protocol } of container.ports ?? []) {
      if (hostPort !== undefined && hostPort > 0) ports.push({ port: hostPort, ip: hostIP === undefined || hostIP === "" ? "0.0.0.0" : hostIP, protocol: protocol === undefined || protocol === "" ? "TCP" : protocol });
    }
  }
  return ports;
}

/** The matcher of a selector with the pod's own values of `keys` (and none of the values of `notKeys`) required as well. A selector that cannot be read matches nothing. */
export function selectorWithOwnLabels(selector: LabelSelector | undefined, labels: Readonly<Record<string, string>>, keys: readonly string[] = [], notKeys: readonly string[] = []): LabelMatcher {
  let matcher: LabelMatcher;
  try { matcher = selectorFromObject(selector); }
  catch (error) {
    if (error instanceof SelectorError) return NOTHING;
    throw error;
  }
  if (matcher.nothing === true) return matcher;
  const own = (operator: "in" | "notin") => (key: string): LabelMatcher["requirements"] => (Object.hasOwn(labels, key) ? [{ key, operator, values: [labels[key]!] }] : []);
  const added = [...keys.flatMap(own("in")), ...notKeys.flatMap(own("notin"))];
  return added.length === 0 ? matcher : { requirements: [...matcher.requirements, ...added] };
}

function affinityTerms(pod: PodInfo, { requiredDuringSchedulingIgnoredDuringExecution: required, preferredDuringSchedulingIgnoredDuringExecution: preferred }:
  { requiredDuringSchedulingIgnoredDuringExecution?: PodAffinityTerm[] | undefined; preferredDuringSchedulingIgnoredDuringExecution?: WeightedPodAffinityTerm[] | undefined }): AffinityTerms {
  return {
    required: (required ?? []).map((term) => affinityTerm(pod, term, 1)),
    preferred: (preferred ?? []).map(({ podAffinityTerm, weight }) => affinityTerm(pod, podAffinityTerm, weight)),
  };
}

function affinityTerm(pod: PodInfo, term: PodAffinityTerm, weight: number): AffinityTerm {
  const selector = selectorWithOwnLabels(term.labelSelector, pod.labels, term.matchLabelKeys, term.mismatchLabelKeys);
  const namespaceSelector = term.namespaceSelector === undefined ? NOTHING : selectorWithOwnLabels(term.namespaceSelector, {});
  // Neither names nor a selector: the pod's own namespace.
  const namespaces = new Set((term.namespaces ?? []).length === 0 && term.namespaceSelector === undefined ? [pod.namespace] : term.namespaces);
  const everywhere = namespaceSelector === EVERYTHING;
  return {
    topologyKey: term.topologyKey,
    weight,
    matches: (other, namespaceLabels) =>
      (namespaces.has(other.namespace) || everywhere || (namespaceSelector.nothing !== true && matchesLabels(namespaceSelector, namespaceLabels(other.namespace)))) && matchesLabels(selector, other.labels),
  };
}
