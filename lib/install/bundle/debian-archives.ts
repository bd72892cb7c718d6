/**
 * The Debian packages a bare host lacks, downloaded for any architecture without touching this machine's own package lists.
 *
 * apt runs on a root of its own that believes a bare Debian is installed: the essential packages, those of priority "required", apt and
 * systemd. So what it downloads is the wanted packages and whatever of their dependencies such a host has not. Counterpart: apt-offline.
 */
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { exec } from "../../util/exec.ts";

export const DEBIAN_ARCHITECTURE = { x64: "amd64", arm64: "arm64" } as const;
export type Architecture = keyof typeof DEBIAN_ARCHITECTURE;

const RELEASE = "bookworm", MIRROR = "http://deb.debian.org";
const SOURCES = `deb ${MIRROR}/debian ${RELEASE} main\ndeb ${MIRROR}/debian ${RELEASE}-updates main\ndeb ${MIRROR}/debian-security ${RELEASE}-security main\n`;

/** Stanzas of a package list, by name and version. */
export function parseStanzas(text: string): Map<string, string> {
  const stanzas = new Map<string, string>();
  for (const stanza of text.split(/\n\n+/)) {
    const name = /^Package: (\S+)$/m.exec(stanza)?.[1], version = /^Version: (\S+)$/m.exec(stanza)?.[1];
    if (name !== undefined && version !== undefined) stanzas.set(`${name} ${version}`, stanza.trim());
  }
  return stanzas;
}

/** What every Debian host has: the names to start from. */
export function bareNames(stanzas: ReadonlyMap<string, string>): string[] {
  const names = [...stanzas.values()].filter((stanza) => /^(Essential: yes|Priority: required)$/m.test(stanza)).map((stanza) => /^Package: (\S+)$/m.exec(stanza)![1]!);
  return [...new Set([...names, "apt", "systemd-sysv"])].toSorted();
}

/** The status file of a host on which the packages of a simulated installation (`apt-get -s install`) are installed. */
export function statusAfter(simulation: string, stanzas: ReadonlyMap<string, string>): string {
  return [...simulation.matchAll(/^Inst (\S+) \((\S+) /gm)].map(([, name, version]) => {
    const stanza = stanzas.get(`${name} ${version}`);
    if (stanza === undefined) throw new Error(`Cannot tell what a bare Debian has: apt would install ${name} ${version}, which its lists do not describe`);
    return `${stanza}\nStatus: install ok installed\n`;
  }).join("\n");
}

/** apt with a root of its own under `root`; what the machine's configuration says of proxies holds for it too. */
class PrivateApt {
  readonly #options: string[];
  readonly status: string;
  readonly archives: string;
  constructor(root: string, architecture: string) {
    this.status = path.join(root, "status");
    this.archives = path.join(root, "cache/archives");
    const sources = path.join(root, "sources.list");
    for (const directory of ["state/lists/partial", "cache/archives/partial"]) mkdirSync(path.join(root, directory), { recursive: true });
    writeFileSync(this.status, "");
    writeFileSync(sources, SOURCES);
    this.#options = Object.entries({
      "APT::Architecture": architecture, "APT::Architectures": architecture, "APT::Sandbox::User": "root", "Dir::State": path.join(root, "state"), "Dir::State::status": this.status,
      "Dir::Cache": path.join(root, "cache"), "Dir::Etc::sourcelist": sources, "Dir::Etc::sourceparts": "/dev/null", "Dir::Etc::preferencesparts": "/dev/null",
    }).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  }
  get = async (...args: string[]): Promise<string> => (await exec("apt-get", [...this.#options, "-q", ...args], { env: { ...process.env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" } })).stdout;
  cache = async (...args: string[]): Promise<string> => (await exec("apt-cache", [...this.#options, ...args], { env: { ...process.env, LC_ALL: "C" } })).stdout;
}

/**
 * Downloads for each set of `sets` its packages and what a bare Debian lacks of their dependencies; a later set takes the earlier ones for granted.
 * Files go to `target/SET/`. `cache` keeps lists and archives between runs.
 */
export async function downloadArchives(sets: Readonly<Record<string, readonly string[]>>, architecture: Architecture, target: string, cache: string): Promise<void> {
  const apt = new PrivateApt(cache, DEBIAN_ARCHITECTURE[architecture]);
  await apt.get("update");
  const stanzas = parseStanzas(await apt.cache("dumpavail")), install = ["install", "-y", "--no-install-recommends"];
  let status = statusAfter(await apt.get("-s", ...install, ...bareNames(stanzas)), stanzas);
  for (const [set, packages] of Object.entries(sets)) {
    writeFileSync(apt.status, status);
    const simulation = await apt.get("-s", ...install, ...packages), more = statusAfter(simulation, stanzas);
    if (more === "") throw new Error(`Cannot download ${packages.join(", ")}: apt would install nothing`);
    await apt.get("--download-only", ...install, ...packages);
    const names = [...simulation.matchAll(/^Inst (\S+) \((\S+) /gm)].map(([, name, version]) => `${name}_${version!.replaceAll(":", "%3a")}_`), files = readdirSync(apt.archives).toSorted();
    mkdirSync(path.join(target, set), { recursive: true });
    for (const name of names) {
      const file = files.find((each) => each.startsWith(name));
      if (file === undefined) throw new Error(`Cannot find what apt downloaded of ${name}: ${apt.archives} has no such file`);
      copyFileSync(path.join(apt.archives, file), path.join(target, set, file));
    }
    status = `${status}\n${more}`;
  }
}
