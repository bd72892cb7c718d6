/** What a host was like before it became a member, as far as daemons change it while they run: `kaji reset` puts it back. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { readSysctl } from "../../host/sysctl.ts";
import { writeFileAtomically } from "../../pki/write-file.ts";
import { exec } from "../../util/exec.ts";
import { HOST_PATHS } from "./host-paths.ts";
import { loadedModules } from "./kernel-modules.ts";

const FILE = path.join(HOST_PATHS.data, "host-before.json");
export const FAMILIES = [["ip", "iptables-save"], ["ip6", "ip6tables-save"]] as const;
export interface HostBefore {
  readonly sysctls: Readonly<Record<string, string>>;
  /** `ip filter` and the like; undefined when nobody looked. */
  readonly tables: readonly string[] | undefined;
  /** Kernel modules that were loaded; undefined when nobody looked. */
  readonly modules: readonly string[] | undefined;
  /** Files that packages made when they came with us and leave behind when they go, with the SHA-256 of what they wrote. */
  readonly made: Readonly<Record<string, string>>;
}
const NOTHING: HostBefore = { tables: undefined, modules: undefined, sysctls: {}, made: {} };

export function readHostBefore(): HostBefore {
  try { return { ...NOTHING, ...JSON.parse(readFileSync(FILE, "utf8")) as Partial<HostBefore> }; }
  catch { return NOTHING; }
}

function note(before: HostBefore): void {
  mkdirSync(HOST_PATHS.data, { recursive: true, mode: 0o700 });
  writeFileAtomically(FILE, `${JSON.stringify(before, null, 2)}\n`, 0o600);
}

/** Notes the values of settings that are about to be changed, unless they are noted already. */
export async function rememberSysctls(names: readonly string[]): Promise<void> {
  const before = readHostBefore(), fresh: Record<string, string> = {};
  for (const name of names) {
    const value = Object.hasOwn(before.sysctls, name) ? undefined : await readSysctl(name);
    if (value !== undefined) fresh[name] = value;
  }
  if (Object.keys(fresh).length > 0) note({ ...before, sysctls: { ...before.sysctls, ...fresh } });
}

/** Notes which kernel modules are loaded, once. */
export function rememberModules(): void {
  const before = readHostBefore();
  if (before.modules === undefined) note({ ...before, modules: loadedModules().map(({ name }) => name) });
}

/** netbase makes it where there is none, and knows it no more when it is purged. */
const MADE_BY_PACKAGES = ["/etc/hosts"];
const hashOf = (file: string): string | undefined => { try { return createHash("sha256").update(readFileSync(file)).digest("hex"); } catch { return undefined; } };

/** Runs an installation and notes the files that it made. */
export async function rememberMade(install: () => Promise<void>): Promise<void> {
  const missing = MADE_BY_PACKAGES.filter((file) => !existsSync(file));
  try { await install(); }
  finally {
    const fresh = Object.fromEntries(missing.flatMap((file) => { const hash = hashOf(file); return hash === undefined ? [] : [[file, hash]]; })), before = readHostBefore();
    if (Object.keys(fresh).length > 0) note({ ...before, made: { ...before.made, ...fresh } });
  }
}

/** Removes what packages made and nobody has changed since. */
export function removeMade(): void {
  for (const [file, hash] of Object.entries(readHostBefore().made)) if (hashOf(file) === hash) rmSync(file, { force: true });
}

/** The tables in what `iptables-save` prints, with whether each holds nothing: no rule, no chain of anybody's, no policy but ACCEPT. Pure. */
export function tablesOf(saved: string): { name: string; isEmpty: boolean }[] {
  return saved.split(/^\*/m).slice(1).map((text) => ({ name: /^\S+/.exec(text)![0], isEmpty: !/^(-A |:\S+ (?!ACCEPT))/m.test(text) }));
}

const saved = async (program: string): Promise<string> => (await exec(program, []).catch(() => ({ stdout: "" }))).stdout;

/** Notes which tables iptables has, once. */
export async function rememberTables(): Promise<void> {
  const before = readHostBefore();
  if (before.tables !== undefined) return;
  const tables = await Promise.all(FAMILIES.map(async ([family, program]) => tablesOf(await saved(program)).map(({ name }) => `${family} ${name}`)));
  note({ ...before, tables: tables.flat() });
}

/** Forgets tables that came with us and are empty now. Only the nft back end can; the legacy one keeps its module loaded, with no rule in it. */
export async function forgetTables(): Promise<void> {
  const { tables } = readHostBefore();
  if (tables === undefined || !existsSync("/usr/sbin/nft")) return;
  for (const [family, program] of FAMILIES) {
    for (const { name, isEmpty } of tablesOf(await saved(program))) if (isEmpty && !tables.includes(`${family} ${name}`)) await exec("nft", ["delete", "table", family, name]).catch(() => undefined);
  }
}
