/**
 * `kaji check --fix`: mends what can be mended without harm, and tells what it did. Run again, it does nothing.
 * What outlives a boot is written to files of ours that `kaji reset` removes; the values of settings before are kept for it.
 */
import { existsSync, readFileSync } from "node:fs";
import { writeSysctl } from "../../../host/sysctl.ts";
import { writeFileAtomically } from "../../../pki/write-file.ts";
import { exec } from "../../../util/exec.ts";
import { rememberModules, rememberSysctls } from "../host-before.ts";
import type { Fix, HostFinding } from "./finding.ts";

export const MODULES_FILE = "/etc/modules-load.d/kaji.conf", SYSCTL_FILE = "/etc/sysctl.d/99-kaji.conf";

/** Each fix once, in the order of the findings. Pure. */
export const planFixes = (findings: readonly HostFinding[]): Fix[] => [...new Map(findings.flatMap(({ fix }) => (fix === undefined ? [] : [[JSON.stringify(fix), fix] as const]))).values()];

/** `text` with `line` in it, once. Pure. */
export const withLine = (text: string, line: string): string => (text.split("\n").includes(line) ? text : `${text === "" || text.endsWith("\n") ? text : `${text}\n`}${line}\n`);

function addLine(file: string, line: string): void {
  const text = existsSync(file) ? readFileSync(file, "utf8") : "# Made by kaji; kaji reset removes it.\n", wanted = withLine(text, line);
  if (wanted !== text) writeFileAtomically(file, wanted, 0o644);
}

async function applyFix(fix: Fix): Promise<string> {
  switch (fix.kind) {
    case "load-module":
      rememberModules();
      await exec("modprobe", [fix.module]);
      addLine(MODULES_FILE, fix.module);
      return `loaded kernel module "${fix.module}", now and at each boot (${MODULES_FILE})`;
    case "sysctl": {
      await rememberSysctls([fix.name]);
      await writeSysctl(fix.name, fix.value);
      addLine(SYSCTL_FILE, `${fix.name} = ${fix.value}`);
      return `set ${fix.name} to ${fix.value}, now and at each boot (${SYSCTL_FILE})`;
    }
    case "swap-off":
      await exec("swapoff", ["-a"]);
      return "turned swap off until the next boot; its line in /etc/fstab is yours to remove";
    case "machine-id":
      await exec("systemd-machine-id-setup", []);
      return "made a machine-id";
    case "clock-sync":
      await exec("timedatectl", ["set-ntp", "true"]);
      return "turned the time service on";
  }
}

export interface Mended { readonly fix: Fix; readonly did: string | undefined; /** Why it did not work. */ readonly problem: string | undefined }

/** Does what `findings` say can be mended. One that fails leaves the others. */
export async function mend(findings: readonly HostFinding[]): Promise<Mended[]> {
  const done: Mended[] = [];
  for (const fix of planFixes(findings)) {
    try { done.push({ fix, did: await applyFix(fix), problem: undefined }); }
    catch (error) { done.push({ fix, did: undefined, problem: (error as Error).message }); }
  }
  return done;
}
