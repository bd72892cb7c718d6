/** hostPath volumes: checks or makes what the volume's type asks for. Counterpart: kubelet `volume/hostpath`; the messages are upstream's. */
import { mkdir, stat, writeFile } from "node:fs/promises";
import type { Stats } from "node:fs";
import type { HostPathVolumeSource } from "../../api/schema/generated/models.ts";

const CHECKS: Record<string, { is: (stats: Stats) => boolean; words: string }> = {
  Directory: { is: (s) => s.isDirectory(), words: "a directory" }, DirectoryOrCreate: { is: (s) => s.isDirectory(), words: "a directory" },
  File: { is: (s) => s.isFile(), words: "a file" }, FileOrCreate: { is: (s) => s.isFile(), words: "a file" },
  Socket: { is: (s) => s.isSocket(), words: "a socket file" }, CharDevice: { is: (s) => s.isCharacterDevice(), words: "a character device" }, BlockDevice: { is: (s) => s.isBlockDevice(), words: "a block device" },
};

/** Throws when the path is not what the type says; makes it for the `OrCreate` types. */
export async function prepareHostPath({ path, type = "" }: HostPathVolumeSource): Promise<void> {
  if (type === "") return;
  const check = CHECKS[type];
  if (check === undefined) throw new Error(`${type} is an invalid volume type`);
  let stats = await stat(path).catch(() => undefined);
  if (stats === undefined && type === "DirectoryOrCreate") await mkdir(path, { recursive: true, mode: 0o755 });
  else if (stats === undefined && type === "FileOrCreate") await writeFile(path, "", { mode: 0o644, flag: "a" });
  stats ??= await stat(path).catch(() => undefined);
  if (stats === undefined || !check.is(stats)) throw new Error(`hostPath type check failed: ${path} is not ${check.words}`);
}
