/**
 * The programs a host needs, and where they come from. Installs only what is missing, never replaces or removes
 * anything (`--no-remove`): a runtime that is already there, Docker's for one, is used as it is.
 */
import { access, constants, stat } from "node:fs/promises";
import path from "node:path";
import { exec, ExecError } from "../util/exec.ts";

export interface Requirement { readonly program: string; readonly debianPackage: string; readonly why: string }

export const REQUIREMENTS: readonly Requirement[] = [
  { program: "containerd", debianPackage: "containerd", why: "runs the pods' containers" },
  { program: "ctr", debianPackage: "containerd", why: "loads images" },
  { program: "runc", debianPackage: "runc", why: "starts containers" },
  { program: "iptables-restore", debianPackage: "iptables", why: "Service addresses" },
  { program: "nft", debianPackage: "nftables", why: "takes tables away again that came only with the cluster" },
  { program: "conntrack", debianPackage: "conntrack", why: "forgets dead UDP flows" },
  { program: "ip", debianPackage: "iproute2", why: "hosts and routes" },
  { program: "nsenter", debianPackage: "util-linux", why: "hosts" },
  { program: "mount", debianPackage: "mount", why: "hosts and volumes" },
  { program: "sysctl", debianPackage: "procps", why: "network settings of hosts" },
  { program: "curl", debianPackage: "curl", why: "the closing check" },
  { program: "tail", debianPackage: "coreutils", why: "the supervisor's guardian" },
];
/** Needed once, to pack the images of a machine without internet. */
export const IMAGE_REQUIREMENTS: readonly Requirement[] = [{ program: "mmdebstrap", debianPackage: "mmdebstrap", why: "packs nginx and pause as images from distribution packages" }];

const SEARCH = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** Where a program is, in root's usual directories, or undefined. */
export async function findProgram(program: string): Promise<string | undefined> {
  for (const directory of [...(process.env["PATH"] ?? "").split(":").filter(Boolean), ...SEARCH]) {
    const file = path.join(directory, program);
    if (await access(file, constants.X_OK).then(() => true, () => false)) return file;
  }
  return undefined;
}

/** Debian packages for what is missing. */
export async function missingPackages(requirements: readonly Requirement[] = REQUIREMENTS): Promise<string[]> {
  const missing = new Set<string>();
  for (const requirement of requirements) if ((await findProgram(requirement.program)) === undefined) missing.add(requirement.debianPackage);
  const plugins = ["/opt/cni/bin/bridge", "/usr/lib/cni/bridge", "/usr/libexec/cni/bridge"];
  if (requirements === REQUIREMENTS && !(await Promise.all(plugins.map((file) => stat(file).then(() => true, () => false)))).some(Boolean)) missing.add("containernetworking-plugins");
  return [...missing];
}

/** Installs Debian packages. A service a new package would start is kept from starting: hosts run their own containerd. */
export async function installPackages(packages: readonly string[]): Promise<void> {
  if (packages.length === 0) return;
  if ((await findProgram("apt-get")) === undefined) throw new Error(`Cannot install ${packages.join(", ")}: this machine has no apt-get; install these with its own package manager and run again`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const install = ["install", "-y", "-q", "--no-remove", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", ...packages];
  try { await exec("apt-get", install, { env }); }
  catch {
    await exec("apt-get", ["update", "-q"], { env }); // An old or empty list of packages is the common reason.
    try { await exec("apt-get", install, { env }); }
    catch (error) {
      throw new Error(`Cannot install ${packages.join(", ")}: ${error instanceof ExecError ? error.stderr.trim().split("\n").slice(-5).join(" ") : String(error)}`, { cause: error });
    }
  }
  if (packages.includes("containerd") && (await stat("/run/systemd/system").then(() => true, () => false))) {
    await exec("systemctl", ["disable", "--now", "containerd.service"]);
  }
}
