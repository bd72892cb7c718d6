/** Memory, swap, space and inodes, and file systems that cannot be written or run from. */
import { findingsOf, type HostFinding } from "./finding.ts";
import type { Check, DiskFact, HostFacts } from "./host-facts.ts";

const MIB = 1024 ** 2;
export const DISK_MIN_MIB = 1_024, DISK_WISHED_MIB = 4_096, INODES_MIN = 20_000, MEMORY_MIN_MIB = 700;
/** Where overlayfs cannot lie above. */
const NOT_BELOW_OVERLAY = /^(overlay|aufs|nfs4?|cifs|9p|vfat|exfat|ecryptfs|fuse(\..+)?)$/;

function checkDisk({ path, freeBytes, inodesFree, type, readOnly, noExec }: DiskFact, worker: boolean): HostFinding[] {
  const { error, warning } = findingsOf("disk"), freeMib = Math.floor(freeBytes / MIB), findings: HostFinding[] = [];
  if (readOnly) return [error(`${path} is read-only (${type})`, `remount it ("mount -o remount,rw ${path}"); when the kernel did it after an error, check the disk`)];
  if (noExec && path.endsWith("/bin")) findings.push(error(`${path} is mounted noexec, so the program cannot run there`, `remount it with exec ("mount -o remount,exec ${path}")`));
  if (path !== "/var/lib") return findings;
  if (noExec) findings.push(warning("/var/lib is mounted noexec", 'programs in pods\' volumes cannot run; remount it with exec ("mount -o remount,exec /var/lib")'));
  if (freeMib < DISK_MIN_MIB) findings.push(error(`${path} has ${freeMib} MiB free, wanted at least ${DISK_MIN_MIB}`, "free some space"));
  else if (worker && freeMib < DISK_WISHED_MIB) findings.push(warning(`${path} has ${freeMib} MiB free, wanted at least ${DISK_WISHED_MIB} for images`, "pods are evicted when it is full; free some space"));
  if (inodesFree !== undefined && inodesFree < INODES_MIN) findings.push(error(`${path} has ${inodesFree} inodes free, wanted at least ${INODES_MIN}`, "remove some small files, or make the file system anew with more inodes"));
  if (worker && NOT_BELOW_OVERLAY.test(type)) findings.push(error(`${path} is on ${type}, where containers' file systems cannot lie`, "put /var/lib/kaji on ext4, xfs or btrfs"));
  return findings;
}

function checkMemory({ role, memoryMib, swap, failSwapOn }: HostFacts): HostFinding[] {
  const { error, warning } = findingsOf("memory"), findings: HostFinding[] = [];
  if (memoryMib < MEMORY_MIN_MIB) findings.push(warning(`the host has ${memoryMib} MiB of memory, wanted at least ${MEMORY_MIN_MIB}`, role === "worker" ? "expect pods to be evicted" : "expect slow answers"));
  if (swap.length > 0 && role === "worker") {
    findings.push((failSwapOn ? error : warning)(`swap is on (${swap.join(", ")})`, `${failSwapOn ? "this kubelet does not start with it" : "pods may be slow when memory is short"}; "swapoff -a" turns it off until the next boot, its line in /etc/fstab for good`, { kind: "swap-off" }));
  }
  return findings;
}

export const checkResources: Check = (facts) => [...checkMemory(facts), ...facts.disks.flatMap((disk) => checkDisk(disk, facts.role === "worker"))];
