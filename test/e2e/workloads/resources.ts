/** Requests and limits in this machine's control groups: the claims are in cgroup-claims.ts. */
import type { TestFn } from "ava";
import { existsSync, readFileSync } from "node:fs";
import { hostCgroup } from "../../../lib/install/daemons.ts";
import { type ControlGroups, limitsHold, tooMuchIsKilled } from "./cgroup-claims.ts";
import { labTest } from "./lab.ts";

const V2 = existsSync("/sys/fs/cgroup/cgroup.controllers");
/** The kernel's files of this machine, which runs every host of `kaji up`, with the cgroupfs driver. */
const HERE: ControlGroups = {
  v2: V2,
  directory: (pod, qos, container) => [hostCgroup(pod.spec.nodeName!), "kubepods", qos, `pod${pod.metadata.uid}`, container].filter((name) => name !== undefined && name !== "").join("/"),
  read: async (_node, controller, file) => readFileSync(`/sys/fs/cgroup/${V2 ? "" : `${controller}/`}${file}`, "utf8").trim(),
};

export function registerResources(test: TestFn): void {
  labTest(test, "wl-limits", "requests and limits stand in the kernel's files, pods below their class of service", (t, lab) => limitsHold(t, lab, HERE));
  labTest(test, "wl-oom", "a container beyond its memory limit is killed and reported as OOMKilled", tooMuchIsKilled);
}
