/** Kernel settings through `/proc/sys`. Counterpart: kubelet `component-helpers/node/util/sysctl`. */
import { readFile, writeFile } from "node:fs/promises";

const fileOf = (name: string): string => `/proc/sys/${name.replaceAll(".", "/")}`;

/** The value of a setting such as `net.ipv4.ip_forward`, or undefined where this kernel has none. */
export async function readSysctl(name: string): Promise<string | undefined> {
  try { return (await readFile(fileOf(name), "utf8")).trim(); }
  catch (error) { if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined; throw error; }
}

/** Writes a setting unless it has that value already. */
export async function writeSysctl(name: string, value: string): Promise<void> {
  if ((await readSysctl(name)) !== value) await writeFile(fileOf(name), value);
}
