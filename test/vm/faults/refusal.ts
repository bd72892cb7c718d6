/** How a fault is judged: what `kaji apply` said, and that it left the machines alone. */
import type { ExecutionContext } from "ava";
import type { VmLab } from "../lab.ts";
import { kaji, writeClusterFile, type FileHost } from "../operator.ts";

export const APPLY = ["apply", "--accept-new-host-keys"];

export interface Refusal {
  /** The operator's name of the host at fault. */
  readonly host: string;
  readonly found: RegExp;
  readonly nextStep: RegExp;
}

/** A file of the first machine alone, as a master, with changes: without its master nothing is begun anywhere. */
export const oneHost = (lab: VmLab, changes: Partial<FileHost> = {}): FileHost[] => [{ name: "vm1", address: lab.master.address, role: "master", ...changes }];
export const twoHosts = (lab: VmLab): FileHost[] => [...oneHost(lab), { name: "vm2", address: lab.workers[0]!.address, role: "worker" }];

/** What an ordinary run leaves first. */
const TRACES = "ls -d /etc/kaji /var/lib/kaji /var/lib/kubelet /usr/local/bin/kaji /etc/cni /root/kaji* 2>/dev/null; ls /etc/systemd/system | grep kaji; true";
export async function untouched(t: ExecutionContext, lab: VmLab): Promise<void> {
  for (const vm of lab.machines) t.is(await lab.sh(vm, TRACES), "", `nothing of a refused run is on ${vm.name}`);
}

/** The message is one: the last thing said, on stderr. */
export function judge(t: ExecutionContext, told: { code: number; output: string; stderr: string }, { host, found, nextStep }: Refusal): void {
  t.log(told.stderr.trim());
  t.is(told.code, 1, told.output);
  for (const part of [new RegExp(`\\b${host}\\b`), found, nextStep]) t.regex(told.stderr, part);
  t.is(told.stderr.match(/^(Error|Cannot)/gm)?.length, 1, `one message:\n${told.stderr}`);
  t.notRegex(told.stderr, /^\s+at .+:\d+:\d+/m, "no stack");
}

export async function applyIsRefused(t: ExecutionContext, lab: VmLab, hosts: readonly FileHost[], refusal: Refusal, environment: Record<string, string> = {}, args: readonly string[] = APPLY): Promise<void> {
  writeClusterFile(hosts, lab.image.bundle);
  judge(t, await kaji(args, environment), refusal);
  await untouched(t, lab);
}
