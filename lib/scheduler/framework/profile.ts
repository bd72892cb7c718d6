/**
 * The default profile: which plugins judge a pod, in which order, and how much each score weighs. The order of filters is the order in
 * which a node's fault is found, and only the first is told. Counterpart: scheduler `apis/config/v1/default_plugins.go`.
 */
import { imageLocality } from "../plugins/image-locality.ts";
import { interPodAffinity } from "../plugins/inter-pod-affinity.ts";
import { nodeAffinity } from "../plugins/node-affinity.ts";
import { nodeName } from "../plugins/node-name.ts";
import { nodePorts } from "../plugins/node-ports.ts";
import { nodeResourcesBalancedAllocation } from "../plugins/node-resources-balanced-allocation.ts";
import { nodeResourcesFit } from "../plugins/node-resources-fit.ts";
import { nodeUnschedulable } from "../plugins/node-unschedulable.ts";
import { podTopologySpread } from "../plugins/pod-topology-spread.ts";
import { schedulingGates } from "../plugins/scheduling-gates.ts";
import { taintToleration } from "../plugins/taint-toleration.ts";
import { volumeBinding } from "../plugins/volume-binding.ts";
import type { Plugin } from "./plugin.ts";

export interface Profile { readonly name: string; readonly plugins: readonly (readonly [plugin: Plugin, scoreWeight: number])[] }

export const DEFAULT_PROFILE: Profile = {
  name: "default-scheduler",
  plugins: [
    [schedulingGates, 0],
    [nodeUnschedulable, 0],
    [nodeName, 0],
    [taintToleration, 3],
    [nodeAffinity, 2],
    [nodePorts, 0],
    [nodeResourcesFit, 1],
    [volumeBinding, 0],
    [podTopologySpread, 2],
    [interPodAffinity, 2],
    [nodeResourcesBalancedAllocation, 1],
    [imageLocality, 1],
  ],
};
