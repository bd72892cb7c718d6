/** Control groups: which version, and whether the controllers that limit pods are there. */
import { findingsOf } from "./finding.ts";
import type { Check } from "./host-facts.ts";

const { error, warning } = findingsOf("cgroups");
const NEEDED = ["cpu", "memory", "pids"], WISHED = ["cpuset"];

export const checkControlGroups: Check = ({ role, cgroups: { version, controllers } }) => {
  if (role === "master") return [];
  if (version === undefined) return [error("no control groups are mounted", "boot with systemd, which mounts them")];
  const missing = (wanted: readonly string[]): string[] => wanted.filter((each) => !controllers.includes(each)), needed = missing(NEEDED), wished = missing(WISHED);
  return [
    ...(needed.length === 0 ? [] : [error(`the kernel gives no control of ${needed.join(", ")} (control groups version ${version})`, needed.includes("memory") ? "add cgroup_enable=memory to the kernel's command line and reboot" : "boot a distribution's full kernel")]),
    ...(wished.length === 0 ? [] : [warning(`control groups have no ${wished.join(", ")}`, "pods cannot be bound to processors; boot a distribution's full kernel")]),
    ...(version === 1 ? [warning("control groups are version 1", "upstream gives them up; boot with systemd.unified_cgroup_hierarchy=1")] : []),
  ];
};
