/** A pod with scheduling gates waits outside the queue until they are gone. */
import type { Plugin } from "../framework/plugin.ts";

export const schedulingGates: Plugin = {
  name: "SchedulingGates",
  gate({ pod }) {
    const gates = (pod.spec?.schedulingGates ?? []).map(({ name }) => name);
    return gates.length === 0 ? undefined : `waiting for scheduling gates: [${gates.join(" ")}]`;
  },
};
