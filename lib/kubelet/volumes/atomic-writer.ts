/**
 * Writes a set of files so that readers see all of the old ones or all of the new ones, never a mixture.
 *
 * The files live in a directory named by time; `..data` is a link to it, moved by one rename; what a container sees are links into `..data`.
 * Guarantees: unchanged content is left alone; names that went are removed; the old directory goes after the switch.
 * Counterpart: kubelet `volume/util/atomic_writer.go`, with the same names on disk.
 */
import { chmod, chown, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";

export interface PayloadFile { readonly data: Buffer; readonly mode: number; readonly uid?: number }
/** Relative path, such as `dir/key`, to its file. */
export type Payload = ReadonlyMap<string, PayloadFile>;

const DATA = "..data", DATA_TMP = "..data_tmp";

/** Refuses a path that leaves its directory or collides with the writer's own names. */
export function checkPayloadPath(file: string): void {
  const parts = file.split("/");
  if (file === "" || path.isAbsolute(file) || parts.includes("..") || parts[0]!.startsWith("..")) throw new Error(`invalid path: must not be absolute, must not contain '..' nor start with it: ${file}`);
}

const stampOf = (now: Date): string => `..${now.toISOString().slice(0, 19).replaceAll("-", "_").replace("T", "_").replaceAll(":", "_")}.`;

/** Makes `directory` show exactly `payload`. Returns whether anything changed. `gid` owns the files where given. */
export async function writeAtomically(directory: string, payload: Payload, now: Date, gid?: number): Promise<boolean> {
  for (const file of payload.keys()) checkPayloadPath(file);
  const current = await readlink(path.join(directory, DATA)).catch(() => undefined);
  if (current !== undefined && await sameContent(path.join(directory, current), payload)) return false;
  const fresh = await mkdtemp(path.join(directory, stampOf(now)));
  await chmod(fresh, gid === undefined ? 0o755 : 0o2775);
  await writeFiles(fresh, payload, gid);
  await rm(path.join(directory, DATA_TMP), { force: true });
  await symlink(path.basename(fresh), path.join(directory, DATA_TMP));
  await rename(path.join(directory, DATA_TMP), path.join(directory, DATA));
  const visible = new Set([...payload.keys()].map((file) => file.split("/")[0]!));
  for (const name of visible) {
    if (await lstat(path.join(directory, name)).catch(() => undefined) === undefined) await symlink(path.join(DATA, name), path.join(directory, name));
  }
  for (const entry of await readdir(directory)) {
    const stale = entry.startsWith("..") ? entry !== DATA && entry !== path.basename(fresh) : !visible.has(entry);
    if (stale) await rm(path.join(directory, entry), { recursive: true, force: true });
  }
  return true;
}

async function writeFiles(directory: string, payload: Payload, gid: number | undefined): Promise<void> {
  for (const [file, { data, mode, uid }] of payload) {
    const target = path.join(directory, file);
    await mkdir(path.dirname(target), { recursive: true, mode: 0o755 });
    await writeFile(target, data);
    if (gid !== undefined || uid !== undefined) await chown(target, uid ?? 0, gid ?? 0);
    await chmod(target, gid === undefined ? mode : mode | 0o440);
  }
}

async function sameContent(directory: string, payload: Payload): Promise<boolean> {
  const present = (await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])).filter((entry) => entry.isFile());
  if (present.length !== payload.size) return false;
  for (const [file, { data, mode }] of payload) {
    const target = path.join(directory, file);
    const [content, stat] = await Promise.all([readFile(target).catch(() => undefined), lstat(target).catch(() => undefined)]);
    if (content === undefined || !content.equals(data) || ((stat!.mode & 0o777) & mode) !== mode) return false;
  }
  return true;
}
