/** Kernel modules that came with the cluster's rules, links and mounts, and go with them where nobody uses them. */
import { readFileSync } from "node:fs";
import { exec } from "../../util/exec.ts";

export interface LoadedModule { readonly name: string; /** How many things use it; others that need it count. */ readonly users: number }

/** What `/proc/modules` says; nothing on a kernel without modules. */
export function loadedModules(): LoadedModule[] {
  try { return readFileSync("/proc/modules", "utf8").split("\n").filter(Boolean).map((line) => { const [name, , users] = line.split(" "); return { name: name!, users: Number(users) }; }); }
  catch { return []; }
}

/** Packet rules, connection tracking, pod links and image mounts: what a cluster makes the kernel load. */
const OURS = /^(?:nf_|nft_|nfnetlink|xt_|x_tables$|ip_?6?_?tables$|ip6?table_|ipt_|ip6t_|ip_set|br_netfilter$|bridge$|stp$|llc$|veth$|vxlan$|udp_tunnel$|ip6_udp_tunnel$|dummy$|overlay$|libcrc32c$)/;

/** Those that may be unloaded now: of a cluster's, not there before, used by nothing. Pure. */
export const idleModules = (now: readonly LoadedModule[], before: readonly string[]): string[] => now.filter(({ name, users }) => users === 0 && OURS.test(name) && !before.includes(name)).map(({ name }) => name);

/** Unloads what was not there before and nothing uses, until nothing more goes: one holds another. Returns how many went. */
export async function unloadModules(before: readonly string[], read: () => readonly LoadedModule[] = loadedModules): Promise<number> {
  let gone = 0;
  const stuck = new Set<string>();
  for (;;) {
    const idle = idleModules(read(), before).filter((name) => !stuck.has(name));
    if (idle.length === 0) return gone;
    for (const name of idle) {
      if (await exec("rmmod", [name]).then(() => true, () => false)) gone += 1;
      else stuck.add(name);
    }
  }
}
