/** Programs the tests of `ansible/` run, and cloud-init, which is only unpacked: installed, it would set up this machine at its next boot. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { exec, ExecError } from "../../lib/util/exec.ts";

export const ROOT = path.resolve(import.meta.dirname, "../.."), ANSIBLE = path.join(ROOT, "ansible");
/** Ansible refuses to start in another locale. */
export const environment = (home: string, more: Record<string, string> = {}): NodeJS.ProcessEnv => ({ PATH: process.env["PATH"], HOME: home, LC_ALL: "C.UTF-8", ANSIBLE_NOCOLOR: "1", ...more });

export interface Ran { readonly code: number; readonly output: string }
/** Runs a program to its end, whatever that is. */
export async function run(command: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Ran> {
  try { const { stdout, stderr } = await exec(command, args, options); return { code: 0, output: stdout + stderr }; }
  catch (error) { if (!(error instanceof ExecError) || error.exitCode < 0) throw error; return { code: error.exitCode, output: error.stdout + error.stderr }; }
}

/** cloud-init and those of its libraries that ansible-lint does not bring. */
const PACKAGES = ["cloud-init", "python3-configobj", "python3-six", "python3-jsonpatch", "python3-json-pointer", "python3-netifaces", "python3-oauthlib", "python3-requests", "python3-urllib3", "python3-idna", "python3-certifi", "python3-chardet", "python3-serial"];

/** Checks a file as `cloud-init schema --config-file` does. */
export async function cloudInitSchema(file: string): Promise<Ran> {
  const folder = path.join(ROOT, "node_modules/.cache/kaji/cloud-init"), work = `${folder}.${process.pid}`;
  if (!existsSync(folder)) {
    mkdirSync(work, { recursive: true });
    await exec("apt-get", ["-q", "-o", "APT::Sandbox::User=root", "download", ...PACKAGES], { cwd: work });
    for (const archive of readdirSync(work).filter((each) => each.endsWith(".deb"))) await exec("dpkg", ["-x", path.join(work, archive), path.join(work, "root")]);
    renameSync(path.join(work, "root"), folder);
    rmSync(work, { recursive: true });
  }
  return run("python3", ["-m", "cloudinit.cmd.main", "schema", "--config-file", file], { env: { ...process.env, PYTHONPATH: path.join(folder, "usr/lib/python3/dist-packages") } });
}
