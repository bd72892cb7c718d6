/**
 * Forgets stale tracked connections after the rules changed: UDP always, TCP only connection attempts that were never answered.
 *
 * Promises: one clean-up at a time, requests meanwhile are joined; it looks at the targets as they are when it runs; an address
 * once ours and gone is remembered until a clean-up went through. Failures are told to `onError` and tried again at the next request.
 */
import { indexTargets, planStaleFlows, type FlowTarget } from "./plan-conntrack.ts";
import type { ConntrackTable } from "./conntrack.ts";
import type { Protocol } from "./service-port.ts";

export interface FlowCleanerDeps {
  readonly conntrack: ConntrackTable;
  /** All targets of today's rules. */
  readonly targets: () => Iterable<FlowTarget>;
  readonly localAddresses: () => ReadonlySet<string>;
  readonly onForgotten: (protocol: Protocol, count: number) => void;
  readonly onError: (error: unknown) => void;
}

const CLEANED = ["udp", "tcp"] as const;
type Cleaned = (typeof CLEANED)[number];

export class FlowCleaner {
  readonly #deps: FlowCleanerDeps;
  readonly #wanted = new Set<Cleaned>();
  readonly #gone = Object.fromEntries(CLEANED.map((p) => [p, { addresses: new Set<string>(), nodePorts: new Set<number>() }])) as Record<Cleaned, { addresses: Set<string>; nodePorts: Set<number> }>;
  #running: Promise<void> | undefined;

  constructor(deps: FlowCleanerDeps) { this.#deps = deps; }

  /** Notes that one Service's targets changed. Cheap; nothing runs before `start`. */
  changed(old: readonly FlowTarget[], now: readonly FlowTarget[]): void {
    for (const protocol of CLEANED) {
      const before = old.filter((target) => target.protocol === protocol), after = now.filter((target) => target.protocol === protocol);
      if (JSON.stringify(before) === JSON.stringify(after)) continue;
      // An attempt to connect is stale when its endpoint left, or when it was made before there was anything to translate it to.
      if (protocol === "tcp" && keepsEndpoints(before, after) && !gainsFirst(before, after)) continue;
      for (const target of before) this.gone(protocol, target.addresses, target.nodePort === 0 ? [] : [target.nodePort]);
      this.#wanted.add(protocol);
    }
  }

  /** Notes addresses and node ports that were ours; ones that still are do no harm. */
  gone(protocol: Cleaned, addresses: Iterable<string>, nodePorts: Iterable<number>): void {
    for (const address of addresses) this.#gone[protocol].addresses.add(address);
    for (const port of nodePorts) this.#gone[protocol].nodePorts.add(port);
  }

  /** Asks for a clean-up of everything. */
  all(): void { for (const protocol of CLEANED) this.#wanted.add(protocol); }

  /** Runs what was noted, after the rules are in the kernel. Resolves when nothing is left to do. */
  start(): Promise<void> {
    this.#running ??= this.#loop().finally(() => { this.#running = undefined; });
    return this.#running;
  }

  async #loop(): Promise<void> {
    for (;;) {
      const protocol = CLEANED.find((p) => this.#wanted.has(p));
      if (protocol === undefined) return;
      this.#wanted.delete(protocol);
      try { await this.#clean(protocol); }
      catch (error) { this.#deps.onError(error); }
    }
  }

  async #clean(protocol: Cleaned): Promise<void> {
    const { conntrack, targets, localAddresses, onForgotten } = this.#deps, gone = this.#gone[protocol];
    const taken = { addresses: new Set(gone.addresses), nodePorts: new Set(gone.nodePorts) };
    const stale = planStaleFlows(await conntrack.list(protocol), indexTargets(targets(), protocol, taken), localAddresses());
    let count = 0;
    for (const flow of stale) count += await conntrack.forget(protocol, flow);
    for (const address of taken.addresses) gone.addresses.delete(address);
    for (const port of taken.nodePorts) gone.nodePorts.delete(port);
    if (count > 0) onForgotten(protocol, count);
  }
}

function keepsEndpoints(before: readonly FlowTarget[], after: readonly FlowTarget[]): boolean {
  return before.every((old) => after.some((now) => now.nodePort === old.nodePort && old.addresses.every((a) => now.addresses.includes(a)) && old.endpoints.every((e) => now.endpoints.includes(e))));
}

/** Whether an address leads somewhere that led nowhere before. */
function gainsFirst(before: readonly FlowTarget[], after: readonly FlowTarget[]): boolean {
  const led = new Set(before.filter((old) => old.endpoints.length > 0).flatMap((old) => old.addresses));
  return after.some((now) => now.endpoints.length > 0 && now.addresses.some((address) => !led.has(address)));
}
