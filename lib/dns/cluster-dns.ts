/**
 * Cluster DNS on this node: the address on `lo`, the server on it, the rules that keep packets here, the upstream resolvers.
 *
 * Promises: packets are turned to this server only while it listens (address first, then the server, then the rules; the other
 * way round at the end), so a node whose port is taken still has the DNS of other nodes through the Service; address, rules
 * and resolv.conf are looked at again every little while.
 */
import type { Iptables } from "../node-iptables/index.ts";
import { isAbort } from "../util/abort.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import type { Runnable } from "../util/runnable.ts";
import { DnsServer } from "./dns-server.ts";
import type { Forwarder } from "./forwarder.ts";
import { ensureDnsRules, removeDnsRules } from "./local-rules.ts";
import { readUpstreams } from "./resolv-conf.ts";
import type { Resolver } from "./resolver.ts";

export interface ClusterDnsDeps {
  readonly resolver: Resolver;
  readonly forwarder: Forwarder;
  readonly iptables: Iptables;
  /** Puts the address on this host, or takes it off. */
  readonly addAddress: (address: string) => Promise<void>;
  readonly removeAddress: (address: string) => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Logger;
}
export interface ClusterDnsOptions { readonly address: string; readonly port?: number; readonly resolvConf: string; /** Addresses this process answers on beside `address`. */ readonly ownAddresses?: readonly string[] }

const LOOK_MS = 30_000, RETRY_MS = 2_000;

export class ClusterDns implements Runnable {
  readonly name = "cluster dns";
  /** Resolves when the server first listens. */
  readonly listening: Promise<void>;
  readonly #deps: ClusterDnsDeps;
  readonly #options: ClusterDnsOptions;
  #markListening!: () => void;
  #upstreams = "";

  constructor(deps: ClusterDnsDeps, options: ClusterDnsOptions) {
    this.#deps = deps;
    this.#options = options;
    this.listening = new Promise((resolve) => { this.#markListening = resolve; });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps, { address } = this.#options;
    try {
      while (!signal.aborted) {
        try { await this.#serve(signal); }
        catch (error) {
          if (isAbort(error, signal)) return;
          log.error({ address, error }, "cannot answer DNS on this node, will retry");
        }
        await clock.sleep(RETRY_MS, signal);
      }
    } catch (error) { if (!isAbort(error, signal)) throw error; }
  }

  async #serve(parent: AbortSignal): Promise<void> {
    const { resolver, iptables, addAddress, removeAddress, log } = this.#deps, { address, port = 53 } = this.#options;
    const stop = new AbortController(), signal = AbortSignal.any([parent, stop.signal]);
    await this.#readUpstreams();
    await addAddress(address);
    try {
      const server = new DnsServer(resolver, [{ address, port }]), served = server.run(signal);
      try {
        await Promise.race([server.listening, served]);
        signal.throwIfAborted();
        await ensureDnsRules(iptables, address);
        this.#markListening();
        log.info({ address, upstreams: this.#upstreams }, "cluster DNS answers on this node");
        await Promise.race([served, this.#lookAfter(signal)]);
      } finally {
        // Rules go before the server: questions then take the way through the Service.
        await removeDnsRules(iptables).catch((error: unknown) => log.warn({ error }, "cannot remove the DNS rules"));
        stop.abort();
        await served;
      }
    } finally { await removeAddress(address).catch((error: unknown) => log.warn({ error }, "cannot remove the DNS address")); }
  }

  async #lookAfter(signal: AbortSignal): Promise<void> {
    const { iptables, addAddress, clock, log } = this.#deps;
    for (;;) {
      await clock.sleep(LOOK_MS, signal);
      try {
        await addAddress(this.#options.address);
        const touched = await ensureDnsRules(iptables, this.#options.address);
        if (touched > 0) log.warn({ touched }, "the DNS rules were changed by someone else, put right");
        await this.#readUpstreams();
      } catch (error) { log.warn({ error }, "cannot look after the DNS rules"); }
    }
  }

  async #readUpstreams(): Promise<void> {
    const { address, resolvConf, ownAddresses = [] } = this.#options;
    const upstreams = await readUpstreams(resolvConf, new Set([address, ...ownAddresses]));
    if (upstreams.join(" ") === this.#upstreams) return;
    this.#upstreams = upstreams.join(" ");
    this.#deps.forwarder.setUpstreams(upstreams);
    this.#deps.log.info({ upstreams, file: resolvConf }, "upstream resolvers");
  }
}
