/** Units of ours on this host: written from what the program carries, started, stopped, removed. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { writeFileAtomically } from "../../pki/write-file.ts";
import { exec } from "../../util/exec.ts";
import { readAsset } from "../../util/self.ts";
import { HOST_PATHS, unitName } from "./host-paths.ts";

/** Writes the file when it differs. Returns whether it did. */
export function writeIfChanged(file: string, text: string, mode: number): boolean {
  if (existsSync(file) && readFileSync(file, "utf8") === text) return false;
  writeFileAtomically(file, text, mode);
  return true;
}

const unitFile = (daemon: string): string => path.join(HOST_PATHS.units, unitName(daemon));
const unitText = (daemon: string): string => readAsset(`systemd/${unitName(daemon)}`, new URL(`../../../systemd/${unitName(daemon)}`, import.meta.url));

/** Installs, enables and starts units; those whose unit or configuration changed are started anew. */
export async function startUnits(daemons: readonly string[], changed: ReadonlySet<string>): Promise<void> {
  const rewritten = daemons.filter((daemon) => writeIfChanged(unitFile(daemon), unitText(daemon), 0o644));
  if (rewritten.length > 0) await exec("systemctl", ["daemon-reload"]);
  await exec("systemctl", ["enable", "--quiet", ...daemons.map(unitName)]);
  const again = daemons.filter((daemon) => rewritten.includes(daemon) || changed.has(daemon));
  // Both wait until the daemons say that they are ready. One that is to be tried again may come up yet: the caller waits for what it does.
  if (again.length > 0) await exec("systemctl", ["restart", ...again.map(unitName)]).catch(() => undefined);
  await exec("systemctl", ["start", ...daemons.map(unitName)]).catch(() => undefined);
  for (const daemon of daemons) {
    const state = (await exec("systemctl", ["show", "--property=ActiveState", "--value", unitName(daemon)])).stdout.trim();
    if (state === "failed" || state === "inactive") throw new Error(`Cannot start ${unitName(daemon)}: it is ${state}, expected active; its last words:\n${await journalOf(daemon)}`);
  }
}

/** Stops and removes every unit of ours that is there. Returns their daemons. */
export async function removeUnits(daemons: readonly string[]): Promise<string[]> {
  const there = daemons.filter((daemon) => existsSync(unitFile(daemon)));
  if (there.length === 0) return [];
  await exec("systemctl", ["disable", "--now", "--quiet", ...there.map(unitName)]);
  for (const daemon of there) rmSync(unitFile(daemon));
  await exec("systemctl", ["daemon-reload"]);
  await exec("systemctl", ["reset-failed", ...there.map(unitName)]).catch(() => undefined); // Nothing had failed.
  return there;
}

/** The last lines a unit wrote: what to show when it does not come up. */
export const journalOf = async (daemon: string, lines = 5): Promise<string> =>
  (await exec("journalctl", ["-u", unitName(daemon), "-n", String(lines), "-o", "cat", "--no-pager"]).catch(() => ({ stdout: "" }))).stdout.trim();
