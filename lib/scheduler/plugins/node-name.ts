/** A pod that names its node goes nowhere else. */
import { rejectForGood, type Plugin } from "../framework/plugin.ts";

export const nodeName: Plugin = {
  name: "NodeName",
  beginFilter({ pod }) {
    const wanted = pod.spec?.nodeName ?? "";
    if (wanted === "") return undefined;
    return { filter: (node) => (node.name === wanted ? undefined : rejectForGood("node(s) didn't match the requested node name")) };
  },
  mayHelp: (event) => event.kind === "node-added",
};
