/** Cordoned nodes take only pods that tolerate it. */
import { toleratesTaint } from "../../api/helpers/tolerations.ts";
import { rejectForGood, type Plugin } from "../framework/plugin.ts";

const TAINT = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };
const CORDONED = rejectForGood("node(s) were unschedulable");

export const nodeUnschedulable: Plugin = {
  name: "NodeUnschedulable",
  beginFilter({ pod }) {
    if (toleratesTaint(pod.spec?.tolerations, TAINT)) return undefined;
    return { filter: ({ node }) => (node.spec?.unschedulable === true ? CORDONED : undefined) };
  },
  mayHelp: (event) => (event.kind === "node-added" || (event.kind === "node-updated" && (event.aspects.has("unschedulable") || event.aspects.has("taints")))) && event.node.spec?.unschedulable !== true,
};
