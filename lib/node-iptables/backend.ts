/**
 * Which iptables this host has: version, backend (nft or legacy), and whether rules also sit in the other backend, where
 * the host's own tools do not show them but the kernel still applies them.
 */
import { readFile } from "node:fs/promises";
import type { Family } from "./model.ts";
import { parseSave } from "./parse-save.ts";
import { runProcess, type ProcessResult } from "./run-process.ts";

export type Backend = "nft" | "legacy";
export interface BackendInfo { readonly backend: Backend; /** e.g. [1, 8, 9] */ readonly version: readonly [number, number, number] }

/** Reads `iptables v1.8.9 (nf_tables)`; versions before 1.8 name no backend and are legacy. Throws Error on other text. */
export function parseVersion(text: string): BackendInfo {
  const match = /v(\d+)\.(\d+)(?:\.(\d+))?(?:\s+\((\w+)\))?/.exec(text);
  if (match === null) throw new Error(`Cannot read the iptables version from ${JSON.stringify(text.trim())}`);
  return { backend: match[4] === "nf_tables" ? "nft" : "legacy", version: [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)] };
}

/** Whether `info` is at least the given version. */
export function atLeast({ version }: BackendInfo, wanted: readonly [number, number, number]): boolean {
  for (const [i, number] of wanted.entries()) if (version[i] !== number) return version[i]! > number;
  return true;
}

export interface OtherBackend { readonly backend: Backend; readonly program: string; readonly rules: number; /** Names of chains that are not built in. */ readonly chains: readonly string[] }

/** Counts rules and names chains in save text. */
export function countRules(text: string): { rules: number; chains: string[] } {
  let rules = 0;
  const chains: string[] = [];
  for (const item of parseSave(text)) {
    if (item.kind !== "table") continue;
    rules += item.table.rules.length;
    for (const chain of item.table.chains) if (chain.policy === "-") chains.push(chain.name);
  }
  return { rules, chains };
}

/**
 * What is in the backend the host's iptables does not use; undefined when nothing is. Looks at the list of legacy tables
 * first, because merely asking the legacy tools would load them.
 */
export async function inspectOtherBackend(own: Backend, family: Family, prefix: readonly string[] = []): Promise<OtherBackend | undefined> {
  const ip = family === 4 ? "iptables" : "ip6tables", other: Backend = own === "nft" ? "legacy" : "nft";
  if (other === "legacy" && (await legacyTables(family, prefix)).trim() === "") return undefined;
  const program = `${ip}-${other}-save`;
  let result: ProcessResult;
  try { result = await runProcess([...prefix, program]); }
  catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined; // Those tools are not installed.
    throw error;
  }
  if (result.code !== 0) return undefined;
  const { rules, chains } = countRules(result.stdout);
  return rules === 0 && chains.length === 0 ? undefined : { backend: other, program, rules, chains };
}

async function legacyTables(family: Family, prefix: readonly string[]): Promise<string> {
  const file = `/proc/net/${family === 4 ? "ip_tables_names" : "ip6_tables_names"}`;
  if (prefix.length === 0) return readFile(file, "utf8").catch(() => "");
  const result = await runProcess([...prefix, "cat", file]);
  return result.code === 0 ? result.stdout : "";
}

/** The sentence for a host where chains of ours sit in both backends; undefined when they do not. */
export function mixedBackendsMessage(own: BackendInfo, other: OtherBackend | undefined, ours: RegExp): string | undefined {
  const doubled = other?.chains.filter((chain) => ours.test(chain)) ?? [];
  if (other === undefined || doubled.length === 0) return undefined;
  return `Cannot use iptables: this host's iptables ${own.version.join(".")} uses the ${own.backend} backend, but the ${other.backend} backend also holds ${doubled.length} chains of ours `
    + `(e.g. ${doubled[0]}), left by a program with another iptables; the kernel would apply both. Remove them with `
    + `\`${other.program} | grep -v -E '${ours.source.replace(/^\^/, "")}' | ${other.program.replace(/save$/, "restore")}\` and start again`;
}
