/**
 * subPath mounts: part of a volume, bound to a place of its own before the container starts.
 *
 * Guarantees: the path cannot leave the volume, whatever links a container puts in it, not even by a race: links are resolved and checked
 * first, then every component is opened relative to the one before without following any, and what is bound is the open file. Counterpart: kubelet `volume/util/subpath`.
 */
import { constants } from "node:fs";
import { chmod, mkdir, open, realpath, writeFile, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { exec } from "../../util/exec.ts";
import { isUnfinished, UNFINISHED } from "./unfinished.ts";

const O_PATH = 0o10000000; // Linux; Node has no name for it.

/** What a new directory takes over from the volume's own: who may do what, and that the group is kept. */
const PERMISSIONS = 0o2777;

/** Opens one component, made with `mode` when it is not there. */
async function openComponent(parent: FileHandle, name: string, mode: number): Promise<FileHandle> {
  const place = `/proc/self/fd/${parent.fd}/${name}`, openPlace = (): Promise<FileHandle> => open(place, O_PATH | constants.O_NOFOLLOW);
  try { return await openPlace(); }
  catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    await mkdir(place, { mode });
    return openPlace();
  }
}

/** Where the path leads now, links inside the volume followed; itself when it is not there yet. Throws when it leads out of the volume. */
async function resolveInside(volume: string, subPath: string): Promise<string> {
  let real: string;
  try { real = await realpath(path.join(volume, subPath)); }
  catch (error) { if ((error as NodeJS.ErrnoException).code === "ENOENT") return subPath; throw error; }
  const inside = path.relative(await realpath(volume), real);
  if (inside === ".." || inside.startsWith("../")) throw new Error(`subPath ${JSON.stringify(subPath)} leads out of the volume`);
  return inside;
}

/** Binds `volume`/`subPath` to `target`; missing directories of the path are made, the last with the volume's own permissions whatever the umask. Throws when the path leads out of the volume. */
export async function bindSubPath(volume: string, subPath: string, target: string): Promise<void> {
  if (path.isAbsolute(subPath) || subPath.split("/").includes("..")) throw new Error(`subPath must be relative and must not contain "..": ${subPath}`);
  const opened: FileHandle[] = [await open(volume, O_PATH)];
  try {
    const mode = (await opened[0]!.stat()).mode & PERMISSIONS, components = (await resolveInside(volume, subPath)).split("/").filter((component) => component !== "" && component !== ".");
    for (const [i, component] of components.entries()) {
      const isLast = i === components.length - 1, handle = await openComponent(opened.at(-1)!, component, isLast ? UNFINISHED : mode);
      opened.push(handle);
      const stats = await handle.stat();
      if (stats.isSymbolicLink()) throw new Error(`subPath ${JSON.stringify(subPath)} is not allowed: ${JSON.stringify(component)} is a link`);
      if (isLast && stats.isDirectory() && isUnfinished(stats)) await chmod(`/proc/self/fd/${handle.fd}`, mode);
    }
    const last = opened.at(-1)!;
    await mkdir(path.dirname(target), { recursive: true, mode: 0o750 });
    if ((await last.stat()).isDirectory()) await mkdir(target, { recursive: true, mode: 0o750 });
    else await writeFile(target, "", { flag: "a" });
    await exec("mount", ["-c", "--bind", `/proc/${process.pid}/fd/${last.fd}`, target]);
  } finally {
    await Promise.all(opened.map((handle) => handle.close()));
  }
}
