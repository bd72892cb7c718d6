/** What a step is called, in `plan` and while it is done: pure. */
import type { BundleFiles, LocalFile } from "./local-files.ts";
import type { Step } from "./plan.ts";
import { assertNever } from "../../util/assert.ts";

export const megabytes = (bytes: number): string => `${Math.max(1, Math.round(bytes / 1_000_000))} MB`;
const carried = (what: LocalFile | BundleFiles): string => megabytes(what.bytes);

/** One word or two: how a running step is called. */
export function stepTitle(step: Step): string {
  switch (step.kind) {
    case "library": return "libatomic1";
    case "program": return "program";
    case "bundle": return "bundle";
    case "check": return "check";
    case "restart": return "restart";
    case "init": return "init";
    case "record": return "members";
    case "join": return "join";
    case "configure": return "labels and taints";
    case "drain": return "drain";
    case "reset": return "reset";
    case "remove": return "remove";
    default: return assertNever(step);
  }
}

/** What it will do, in a sentence without its subject. */
export function stepPlan(step: Step): string {
  switch (step.kind) {
    case "library": return step.from === "bundle" ? "install libatomic1 from the bundle" : "install libatomic1 from the host's package sources";
    case "program": return `send the program (${carried(step.program)})`;
    case "bundle": return `send the bundle (${step.bundle.files.length} files, ${carried(step.bundle)})`;
    case "check": return `check that it can be a ${step.role}`;
    case "restart": return `restart ${step.daemons.join(", ")}`;
    case "init": return "kaji init: make it the master, or bring it up to date";
    case "record": return `note ${Object.entries(step.changes).map(([name, member]) => (member?.leaving === true ? `${name} (leaving)` : name)).join(", ")} in the cluster's list of members`;
    case "join": return "kaji join: make it a node, or bring it up to date";
    case "configure": {
      const { labels, addTaints, removeTaints, uncordon } = step.wish;
      return [
        ...Object.entries(labels).map(([key, value]) => (value === null ? `remove label ${key}` : `label ${key}=${value}`)), ...addTaints.map((taint) => `taint ${taint.key}=${taint.value}:${taint.effect}`),
        ...removeTaints.map((taint) => `remove taint ${taint}`), ...(uncordon ? ["let pods run there again"] : []),
      ].join(", ");
    }
    case "drain": return `drain node ${step.node} (at most ${step.timeoutMs / 1000} s)`;
    case "reset": return "kaji reset: take everything away again";
    case "remove": return step.forget ? `take node ${step.node} out of the cluster and its list` : `take node ${step.node} out of the cluster`;
    default: return assertNever(step);
  }
}
