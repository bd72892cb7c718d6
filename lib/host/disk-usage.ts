/** Disk space: of the file system a path lies on, and of a directory with all below it. Counterpart: kubelet `volume/util/fs`. */
import { lstat, readdir, statfs } from "node:fs/promises";
import path from "node:path";

export interface FileSystemSpace { readonly capacityBytes: number; readonly availableBytes: number; readonly usedBytes: number; readonly inodes: number; readonly inodesFree: number; readonly inodesUsed: number }

export async function readSpace(directory: string): Promise<FileSystemSpace> {
  const s = await statfs(directory);
  return { capacityBytes: s.blocks * s.bsize, availableBytes: s.bavail * s.bsize, usedBytes: (s.blocks - s.bfree) * s.bsize, inodes: s.files, inodesFree: s.ffree, inodesUsed: s.files - s.ffree };
}

/** Bytes and inodes used at and below `directory`, on its own file system only; what vanishes meanwhile counts as nothing. */
export async function directoryUsage(directory: string): Promise<{ bytes: number; inodes: number }> {
  let bytes = 0, inodes = 0;
  const seen = new Set<number>();
  const visit = async (file: string, device: number | undefined): Promise<void> => {
    let stat;
    try { stat = await lstat(file); } catch { return; }
    if ((device !== undefined && stat.dev !== device) || seen.has(stat.ino)) return;
    if (stat.nlink > 1 && !stat.isDirectory()) seen.add(stat.ino);
    bytes += stat.blocks * 512;
    inodes += 1;
    if (!stat.isDirectory()) return;
    for (const entry of await readdir(file).catch(() => [])) await visit(path.join(file, entry), stat.dev);
  };
  await visit(directory, undefined);
  return { bytes, inodes };
}
