/**
 * Names of control groups: a list of words, written as a path for the cgroupfs driver and as nested slices for systemd's.
 * Counterpart: kubelet `cm/cgroup_manager_linux.go` (CgroupName). Pure.
 */
export type CgroupDriver = "cgroupfs" | "systemd";
/** Words from the root down, such as `["kubepods", "burstable", "pod1234"]`. */
export type CgroupName = readonly string[];

const escapeWord = (word: string): string => word.replaceAll("-", "_");

/** The slice unit of a name: `kubepods-burstable-pod1234.slice`; the root is `-.slice`. */
export const sliceOf = (name: CgroupName): string => (name.length === 0 ? "-.slice" : `${name.map(escapeWord).join("-")}.slice`);

/** Where the group lies below each controller's mount: `/kubepods/burstable/pod1` or `/kubepods.slice/kubepods-burstable.slice/…`. */
export function cgroupPath(name: CgroupName, driver: CgroupDriver): string {
  if (driver === "cgroupfs") return `/${name.join("/")}`;
  return `/${name.map((_, index) => sliceOf(name.slice(0, index + 1))).join("/")}`;
}

/** What the container runtime is given as a sandbox's parent. */
export const cgroupParent = (name: CgroupName, driver: CgroupDriver): string => (driver === "systemd" ? sliceOf(name) : cgroupPath(name, driver));

/** Reads a `--cgroup-root` such as `/` or `/kaji/worker-1`. */
export const parseCgroupRoot = (text: string): CgroupName => text.split("/").filter((word) => word !== "");
