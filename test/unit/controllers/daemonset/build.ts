/** Builders of DaemonSets, their pods and what a controller sees of them: only what a test is about is named. */
import type { DaemonView } from "../../../../lib/controllers/daemonset/plan-daemons.ts";
import type { DaemonSet, DaemonSetSpec, DaemonSetStatus, Node, Pod } from "../../../../lib/api/schema/generated/models.ts";
import { makeNode, makePod, type PodOptions } from "../build.ts";

export const rolling = (maxUnavailable: string | number, maxSurge: string | number = 0): Partial<DaemonSetSpec> => ({ updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable, maxSurge } } });

export function makeDaemonSet(spec: Partial<DaemonSetSpec> = {}, options: { status?: DaemonSetStatus; annotations?: Record<string, string> } = {}): DaemonSet {
  return {
    apiVersion: "apps/v1", kind: "DaemonSet", metadata: { name: "agent", namespace: "default", uid: "uid-agent", generation: 2, resourceVersion: "1", ...(options.annotations === undefined ? {} : { annotations: options.annotations }) },
    spec: { selector: { matchLabels: { app: "agent" } }, template: { metadata: { name: "", labels: { app: "agent" } }, spec: { containers: [{ name: "a", image: "i" }] } }, ...rolling(1), ...spec },
    ...(options.status === undefined ? {} : { status: options.status }),
  };
}

/** A pod on `node` of the new template, or of an old one. */
export const daemonPod = (node: string, revision: "new" | "old" = "new", options: PodOptions = {}): Pod =>
  makePod({ node, owner: { uid: "uid-agent", kind: "DaemonSet", name: "agent" }, ...options, labels: { app: "agent", "controller-revision-hash": revision } });

export function makeView(set: DaemonSet, nodes: readonly (string | Node)[], pods: readonly Pod[] = []): DaemonView {
  const podsOn = new Map<string, Pod[]>();
  for (const pod of pods) podsOn.set(pod.spec.nodeName!, [...(podsOn.get(pod.spec.nodeName!) ?? []), pod]);
  return { set, nodes: nodes.map((node) => (typeof node === "string" ? makeNode({ name: node, ready: "True" }) : node)), podsOn, hash: "new" };
}
