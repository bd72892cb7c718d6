/** Connections to the hosts of a cluster: each opened once, all at the same time, closed together. A host that fails fails alone. */
import type { HostSpec, Reach } from "./cluster-file.ts";
import { type Connect, type HostTarget, RemoteError, type RemoteHost } from "./remote-host.ts";

/** Hosts worked on at the same time. */
export const PARALLEL_MAX = 24;

/** What kept one host from being finished. */
export interface Failure { readonly host: string; readonly doing: string; readonly message: string }
export const failureOf = (host: string, doing: string, error: unknown): Failure => ({ host, doing: error instanceof RemoteError ? "" : doing, message: error instanceof Error ? error.message : String(error) });
/** As one line in a list, further lines indented. */
export const failureLine = ({ host, doing, message }: Failure): string => `  - ${host}: ${doing === "" ? "" : `${doing}: `}${message.replaceAll("\n", "\n    ")}`;

/** Works on all items, a bounded number at a time. `work` must not throw. */
export async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>, max = PARALLEL_MAX): Promise<void> {
  const queue = [...items];
  await Promise.all(Array.from({ length: Math.min(max, queue.length) }, async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  }));
}

/** A target's key files are those the operator named, else the usual ones. */
export function targetOf(name: string, reach: Reach, usualIdentities: readonly string[]): HostTarget {
  const { address, port, user, identityFile, jump } = reach;
  return { name, address, port, user, identityFiles: identityFile === undefined ? usualIdentities : [identityFile], ...(jump === undefined ? {} : { jump: targetOf(jump.address, jump, usualIdentities) }) };
}

export class Fleet {
  readonly #deps: { connect: Connect; usualIdentities: readonly string[] };
  readonly #hosts = new Map<string, RemoteHost>();
  constructor(deps: { connect: Connect; usualIdentities: readonly string[] }) { this.#deps = deps; }

  /** The open connection to a host, or undefined. */
  get(name: string): RemoteHost | undefined { return this.#hosts.get(name); }

  async connect(host: Pick<HostSpec, "name" | "reach">, signal: AbortSignal): Promise<RemoteHost> {
    const open = this.#hosts.get(host.name) ?? await this.#deps.connect(targetOf(host.name, host.reach, this.#deps.usualIdentities), signal);
    this.#hosts.set(host.name, open);
    return open;
  }

  close(): void { for (const host of this.#hosts.values()) host.close(); this.#hosts.clear(); }
}
