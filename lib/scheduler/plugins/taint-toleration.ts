/** Taints keep pods away that do not tolerate them; the discouraging ones (PreferNoSchedule) lower a node's score. */
import { discourages, findUntoleratedTaint, forbidsScheduling, toleratesTaint } from "../../api/helpers/tolerations.ts";
import { normalizeByMax, rejectForGood, type Plugin } from "../framework/plugin.ts";

// Since 1.34.2 upstream no longer tells which taint it was: its value may be none of the pod's owner's business.
const UNTOLERATED = rejectForGood("node(s) had untolerated taint(s)");

export const taintToleration: Plugin = {
  name: "TaintToleration",
  beginFilter({ pod }) {
    const tolerations = pod.spec?.tolerations;
    return { filter: ({ node }) => (node.spec?.taints === undefined || findUntoleratedTaint(node.spec.taints, tolerations, forbidsScheduling) === undefined ? undefined : UNTOLERATED) };
  },
  beginScore({ pod }, nodes) {
    if (!nodes.some(({ node }) => node.spec?.taints?.some(discourages) === true)) return undefined;
    const tolerations = pod.spec?.tolerations?.filter(({ effect }) => effect === undefined || effect === "" || effect === "PreferNoSchedule");
    return {
      score: ({ node }) => (node.spec?.taints ?? []).filter((taint) => discourages(taint) && !toleratesTaint(tolerations, taint)).length,
      normalize: (scores) => normalizeByMax(scores, true),
    };
  },
  mayHelp: (event, { pod }) => (event.kind === "node-added" || (event.kind === "node-updated" && event.aspects.has("taints")))
    && findUntoleratedTaint(event.node.spec?.taints, pod.spec?.tolerations, forbidsScheduling) === undefined,
};
