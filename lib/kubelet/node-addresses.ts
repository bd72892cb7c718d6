/**
 * The addresses a node announces, as they are now: those it was told to use while the host has them; when all of them are gone (a new lease of DHCP,
 * another network after a reboot), the one it sends from towards the API server, until one of the told ones is back.
 *
 * An address that is missing for a moment changes nothing: it must be gone at two looks. One that every machine behind some
 * hypervisor's NAT has is never announced instead. Differs from upstream, whose kubelet stops reporting until somebody changes `--node-ip`.
 */
import { isAbort } from "../util/abort.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import type { Runnable } from "../util/runnable.ts";

export const LOOK_PERIOD_MS = 10_000;
const SAME_EVERYWHERE = ["10.0.2.15"];

export interface AddressLook { readonly told: readonly string[]; readonly present: readonly string[]; readonly towardsServer: string | undefined; readonly current: readonly string[]; /** The told ones were gone at the look before, too. */ readonly goneBefore: boolean }

/** Pure. */
export function decideAddresses({ told, present, towardsServer, current, goneBefore }: AddressLook): { addresses: readonly string[]; gone: boolean } {
  const there = told.filter((address) => present.includes(address));
  if (there.length > 0 || told.length === 0) return { addresses: there.length === 0 ? current : there, gone: false };
  const usable = towardsServer !== undefined && present.includes(towardsServer) && !SAME_EVERYWHERE.includes(towardsServer);
  return { addresses: goneBefore && usable ? [towardsServer] : current, gone: true };
}

export interface NodeAddressesDeps {
  readonly clock: Pick<Clock, "sleep">; readonly log: Logger;
  /** The host's addresses. */
  readonly present: () => readonly string[];
  readonly towardsServer: () => Promise<string | undefined>;
  readonly onChange: () => void;
}

export class NodeAddresses implements Runnable {
  readonly name = "node addresses";
  readonly #deps: NodeAddressesDeps;
  readonly #told: readonly string[];
  #current: readonly string[];
  #gone = false;

  constructor(deps: NodeAddressesDeps, told: readonly string[]) {
    this.#deps = deps;
    this.#told = told;
    this.#current = told;
  }

  get current(): readonly string[] { return this.#current; }

  async run(signal: AbortSignal): Promise<void> {
    try {
      for (;;) { await this.look(); await this.#deps.clock.sleep(LOOK_PERIOD_MS, signal); }
    } catch (error) { if (!isAbort(error, signal)) throw error; }
  }

  async look(): Promise<void> {
    const { present, towardsServer, log, onChange } = this.#deps, there = present(), missing = this.#told.length > 0 && !this.#told.some((address) => there.includes(address));
    const { addresses, gone } = decideAddresses({ told: this.#told, present: there, towardsServer: missing ? await towardsServer() : undefined, current: this.#current, goneBefore: this.#gone });
    this.#gone = gone;
    if (addresses.join() === this.#current.join()) return;
    log.warn({ before: this.#current, now: addresses, told: this.#told }, "the node's addresses changed");
    this.#current = addresses;
    onChange();
  }
}
