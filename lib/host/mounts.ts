/** Mounts: reads `/proc/self/mountinfo`, mounts and unmounts through mount(8) and umount(8). Counterpart: k8s.io/mount-utils. */
import { readFile } from "node:fs/promises";
import { exec } from "../util/exec.ts";

export interface MountPoint { readonly path: string; readonly type: string; readonly source: string; readonly root: string; readonly options: readonly string[]; readonly superOptions: readonly string[] }

const unescapeOctal = (text: string): string => text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

/** Parses mountinfo (proc_pid_mountinfo(5)), in the order the kernel lists. */
export function parseMountInfo(text: string): MountPoint[] {
  return text.split("\n").filter((line) => line !== "").map((line) => {
    const [before, after] = line.split(" - ");
    const fields = before!.split(" "), [type, source, superOptions] = after!.split(" ");
    return { root: unescapeOctal(fields[3]!), path: unescapeOctal(fields[4]!), options: fields[5]!.split(","), type: type!, source: unescapeOctal(source!), superOptions: (superOptions ?? "").split(",") };
  });
}

export const listMounts = async (): Promise<MountPoint[]> => parseMountInfo(await readFile("/proc/self/mountinfo", "utf8"));

/** Mount points at or below `directory`, deepest first: the order to unmount in. */
export function mountsBelow(mounts: readonly MountPoint[], directory: string): string[] {
  return mounts.map((mount) => mount.path).filter((path) => path === directory || path.startsWith(`${directory}/`)).toReversed();
}

/** Mounts a memory file system. `sizeBytes` undefined leaves the kernel's default of half the memory, `mode` that of its root, 1777. */
export async function mountTmpfs(target: string, { sizeBytes, mode }: { sizeBytes?: number | undefined; mode?: number | undefined } = {}): Promise<void> {
  const options = ["rw", "nosuid", "nodev", ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`]), ...(mode === undefined ? [] : [`mode=${mode.toString(8)}`])];
  await exec("mount", ["-t", "tmpfs", "-o", options.join(), "tmpfs", target]);
}

/** Mounts `source` at `target` too. */
export async function bindMount(source: string, target: string): Promise<void> {
  await exec("mount", ["--bind", source, target]);
}

/** Unmounts everything at or below `directory`. Throws when something stays busy. */
export async function unmountAll(directory: string): Promise<void> {
  for (const path of mountsBelow(await listMounts(), directory)) await exec("umount", ["--", path]);
}
