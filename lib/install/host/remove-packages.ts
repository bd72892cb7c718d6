/** Takes away the packages that came with us, but for those that something installed since needs. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { exec, ExecError } from "../../util/exec.ts";
import { INSTALLED_FILE, removePolicy } from "./bundle.ts";
import { removeMade } from "./host-before.ts";

/** The packages dpkg will not let go, by what it says. Pure. */
export const heldBack = (stderr: string): string[] => [...new Set([...stderr.matchAll(/dependency problems prevent removal of ([^\s:]+)/g)].map((match) => match[1]!))];

/** Returns the names of those removed and those others need. Throws when dpkg fails for another reason. */
export async function removePackages(): Promise<{ removed: string[]; kept: string[] }> {
  removePolicy();
  let packages = existsSync(INSTALLED_FILE) ? readFileSync(INSTALLED_FILE, "utf8").split("\n").filter(Boolean) : [];
  const kept: string[] = [], env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
  while (packages.length > 0) {
    try { await exec("dpkg", ["--no-act", "--purge", ...packages], { env }); break; }
    catch (error) {
      const held = error instanceof ExecError ? heldBack(error.stderr).filter((name) => packages.includes(name)) : [];
      if (held.length === 0) throw new Error(`Cannot remove the packages that came with the cluster: ${error instanceof ExecError ? error.stderr.trim().split("\n").slice(-3).join(" ") : String(error)}; remove them by hand (${packages.join(" ")}) and run reset again with --keep-packages`, { cause: error });
      kept.push(...held);
      packages = packages.filter((name) => !held.includes(name));
    }
  }
  if (packages.length > 0) await exec("dpkg", ["--purge", ...packages], { env });
  removeMade();
  if (existsSync(INSTALLED_FILE)) writeFileSync(INSTALLED_FILE, "");
  return { removed: packages, kept };
}
