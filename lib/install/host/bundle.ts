/**
 * What a host needs besides us: distribution packages and images, from an air-gap bundle (`packages/*.deb`, `images/*.tar`) or from the
 * package sources the host has. What was installed is noted, so that `kaji reset` can take exactly that away.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { writeFileAtomically } from "../../pki/write-file.ts";
import { exec, ExecError } from "../../util/exec.ts";
import { PAUSE_IMAGE } from "../containerd-config.ts";
import { installPackages, missingPackages, type Requirement, REQUIREMENTS } from "../packages.ts";
import { PUBLIC_PAUSE_IMAGE } from "./containerd-on-host.ts";
import { rememberMade } from "./host-before.ts";
import { HOST_PATHS } from "./host-paths.ts";

export const INSTALLED_FILE = path.join(HOST_PATHS.data, "installed-packages");
const BEFORE_FILE = path.join(HOST_PATHS.data, "packages-before");
const SOCKET = HOST_PATHS.containerdSocket;
const filesIn = (folder: string, extension: string): string[] => (existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(extension)).toSorted().map((file) => path.join(folder, file)) : []);

async function installedNow(): Promise<Set<string>> {
  const { stdout } = await exec("dpkg-query", ["-W", "-f", "${db:Status-Abbrev}\t${Package}\n"]).catch(() => ({ stdout: "" }));
  return new Set(stdout.split("\n").filter((line) => line.startsWith("ii")).map((line) => line.split("\t")[1]!));
}

/** What of a bundle to install: not those whose program the host has from elsewhere, such as Docker's containerd. */
export function wantedArchives(archives: readonly string[], missing: readonly string[]): string[] {
  const had = new Set(REQUIREMENTS.map((each) => each.debianPackage).filter((name) => !missing.includes(name)));
  return archives.filter((file) => !had.has(path.basename(file).split("_")[0]!));
}

/** A service that a package brings must not start: ours runs under a unit of ours. The file is known again after a crash. */
const POLICY = "/usr/sbin/policy-rc.d", POLICY_TEXT = "#!/bin/sh\n# Made by kaji for the time of an installation.\nexit 101\n";
export function removePolicy(): void {
  if (existsSync(POLICY) && readFileSync(POLICY, "utf8") === POLICY_TEXT) rmSync(POLICY);
}

/** Packages there were before the first try: an installation that was cut short is noted all the same. */
async function packagesBefore(): Promise<Set<string>> {
  if (existsSync(BEFORE_FILE)) return new Set(readFileSync(BEFORE_FILE, "utf8").split("\n"));
  const now = await installedNow();
  mkdirSync(HOST_PATHS.data, { recursive: true, mode: 0o700 });
  writeFileAtomically(BEFORE_FILE, [...now].join("\n"), 0o600);
  return now;
}

/** Finishes what dpkg was about when it was killed; nothing where it was not. */
async function repairDpkg(): Promise<void> {
  if ((await exec("dpkg", ["--audit"]).catch(() => ({ stdout: "" }))).stdout.trim() !== "") await exec("dpkg", ["--configure", "-a"], { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
}

async function installMissing(bundle: string | undefined, missing: readonly string[]): Promise<void> {
  if (missing.length === 0) return;
  const archives = bundle === undefined ? [] : wantedArchives(filesIn(path.join(bundle, "packages"), ".deb"), missing);
  if (archives.length === 0) return installPackages(missing);
  await exec("dpkg", ["--install", "--refuse-downgrade", "--skip-same-version", ...archives], { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } })
    .catch((error: unknown) => { throw new Error(`Cannot install the packages of ${bundle}: ${error instanceof ExecError ? error.stderr.trim().split("\n").slice(-4).join(" ") : String(error)}`, { cause: error }); });
}

/** Installs what is missing for a node, or for less. Returns the names of packages that are new on this host. */
export async function ensurePackages(bundle: string | undefined, requirements: readonly Requirement[] = REQUIREMENTS): Promise<string[]> {
  const missing = await missingPackages(requirements);
  if (missing.length === 0 && !existsSync(BEFORE_FILE)) return [];
  const before = await packagesBefore();
  removePolicy();
  const holdsBack = !existsSync(POLICY);
  if (holdsBack) writeFileSync(POLICY, POLICY_TEXT, { mode: 0o755 });
  try {
    await repairDpkg();
    await rememberMade(() => installMissing(bundle, missing));
  } finally { if (holdsBack) removePolicy(); }
  if ((await exec("systemctl", ["is-enabled", "containerd.service"]).then(() => true, () => false)) && !before.has("containerd")) await exec("systemctl", ["disable", "--quiet", "--now", "containerd.service"]);
  const fresh = [...(await installedNow())].filter((name) => !before.has(name));
  const noted = existsSync(INSTALLED_FILE) ? readFileSync(INSTALLED_FILE, "utf8").split("\n").filter(Boolean) : [];
  writeFileSync(INSTALLED_FILE, `${[...new Set([...noted, ...fresh])].join("\n")}\n`);
  rmSync(BEFORE_FILE);
  return fresh;
}

/**
 * The image of pods' sandboxes: the bundle's; the public one without a bundle. A host that has the bundle's keeps it when it joins again
 * without one: it may have no internet. `config` is our containerd's file.
 */
export function pauseImage(bundle: string | undefined, config: string): string {
  const brought = bundle !== undefined && existsSync(path.join(bundle, "images/pause.tar"));
  return brought || (existsSync(config) && readFileSync(config, "utf8").includes(`"${PAUSE_IMAGE}"`)) ? PAUSE_IMAGE : PUBLIC_PAUSE_IMAGE;
}

/** Loads the bundle's images into our containerd. Returns how many files there were. */
export async function importImages(bundle: string | undefined): Promise<number> {
  const files = bundle === undefined ? [] : filesIn(path.join(bundle, "images"), ".tar");
  for (const file of files) await exec("ctr", ["--address", SOCKET, "-n", "k8s.io", "images", "import", file]);
  return files.length;
}
