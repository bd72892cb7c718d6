/** `kaji exec`: a command on every host at once; each line with its host's name before it. */
import type { ClusterSpec, HostSpec } from "./cluster-file.ts";
import { eachOf, type Failure, failureOf, Fleet } from "./fleet.ts";
import { nearest } from "./yaml-fields.ts";
import type { Connect } from "./remote-host.ts";

export interface ExecDeps { readonly connect: Connect; readonly usualIdentities: readonly string[]; readonly write: (text: string) => void }
export interface ExecResult { readonly codes: ReadonlyMap<string, number>; readonly failures: readonly Failure[] }

/** The hosts of these names, all without any. Throws with the name that is none. */
export function chooseHosts(spec: ClusterSpec, names: readonly string[]): readonly HostSpec[] {
  return names.length === 0 ? spec.hosts : names.map((name) => {
    const host = spec.hosts.find((each) => each.name === name);
    if (host !== undefined) return host;
    const known = spec.hosts.map((each) => each.name), like = nearest(name, known);
    throw new Error(`Cannot find host ${JSON.stringify(name)}: ${like === undefined ? `there are ${known.join(", ")}` : `did you mean ${JSON.stringify(like)}?`}`);
  });
}

/** Runs argv everywhere. A host that cannot be reached is a failure, an exit code a result. */
export async function execOnHosts(hosts: readonly HostSpec[], argv: readonly string[], options: { sudo: boolean }, deps: ExecDeps, signal: AbortSignal): Promise<ExecResult> {
  const fleet = new Fleet(deps), codes = new Map<string, number>(), failures: Failure[] = [], width = Math.max(...hosts.map((host) => host.name.length));
  try {
    await eachOf(hosts, async (host) => {
      try {
        const { code } = await (await fleet.connect(host, signal)).run(argv, { sudo: options.sudo, signal, onLine: (line) => deps.write(`${host.name.padEnd(width)} | ${line}\n`) });
        codes.set(host.name, code);
      } catch (error) { failures.push(failureOf(host.name, "exec", error)); }
    });
  } finally { fleet.close(); }
  return { codes, failures };
}

/** 0 when every command ended so, else the highest code; 255 for a host that could not be asked, as ssh has it. */
export const exitCodeOf = ({ codes, failures }: ExecResult): number => Math.max(failures.length > 0 ? 255 : 0, ...codes.values());
