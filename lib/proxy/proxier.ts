/**
 * Proxier: keeps the kernel's rules of one address family as Services and endpoints want them.
 *
 *   first sync: adopt what is there → change what differs → jumps        later: changed Services only
 *   canary gone, a restore failed, an hour passed: as the first
 *
 * Promises: nothing is written before Services and EndpointSlices are known; a change is in the kernel as soon as the kernel
 * takes it, changes meanwhile go together; rules stay when it stops; repeated syncs change nothing. Counterpart: kube-proxy `iptables/proxier.go`.
 */
import { mixedBackendsMessage, chainsOf, type Iptables } from "../node-iptables/index.ts";
import { aborted, isAbort } from "../util/abort.ts";
import { backoffMs, resolveBackoff } from "../util/backoff.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import type { Runnable } from "../util/runnable.ts";
import { Wakeup } from "../util/wakeup.ts";
import { FIXED_CHAINS as C } from "./chain-names.ts";
import { ConntrackMissingError, type ConntrackTable } from "./conntrack.ts";
import { endpointsByPort, type EndpointsByPort } from "./endpoints.ts";
import { FlowCleaner } from "./flow-cleaner.ts";
import { programmedTargets, type FlowTarget } from "./plan-conntrack.ts";
import type { ProxyMetrics } from "./proxy-metrics.ts";
import { CANARY_RULE, CANARY_TABLES, jumpRules } from "./render-base.ts";
import { LARGE_CLUSTER_ENDPOINTS, type RenderOptions } from "./render-options.ts";
import { renderService, type ServiceRules } from "./render-service.ts";
import { RuleTables, TABLES } from "./rule-tables.ts";
import type { ServiceSource } from "./service-source.ts";
import { servicePorts, type ServicePortInfo } from "./service-port.ts";
import { SyncPace } from "./sync-pace.ts";

export interface ProxierDeps {
  readonly iptables: Iptables;
  readonly conntrack: ConntrackTable;
  readonly source: ServiceSource;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics?: ProxyMetrics | undefined;
  /** This host's own addresses, for node ports. */
  readonly localAddresses: () => ReadonlySet<string>;
  /** Told when a sync becomes due and when the kernel has it. */
  readonly onQueued?: () => void;
  readonly onSynced?: () => void;
}

export interface ProxierOptions {
  /** How often the canary and the jumps are looked at. */
  readonly syncPeriodMs: number;
  readonly minSyncPeriodMs: number;
}

export const FULL_SYNC_PERIOD_MS = 3_600_000;
const RETRY = resolveBackoff({ baseMs: 500, maxMs: 30_000 });
/** Endpoint comments come back only this far below the limit, so that a cluster at the limit is not rewritten for ever. */
const LARGE_CLUSTER_RETURN = 0.8;
const ALL = Symbol("all Services");

interface ServiceInput { readonly ports: readonly ServicePortInfo[]; readonly endpoints: EndpointsByPort }

export class Proxier implements Runnable {
  readonly name: string;
  readonly #deps: ProxierDeps;
  readonly #options: ProxierOptions;
  readonly #family: string;
  readonly #log: Logger;
  readonly #tables = new RuleTables();
  readonly #endpointCounts = new Map<string, number>();
  readonly #flows: FlowCleaner;
  #render: RenderOptions;
  #dirty: Set<string> | typeof ALL = ALL;
  #baseDirty = true;
  #needFull = true;
  #toldMissing = false;
  #lastFullMs = -Infinity;
  #endpointTotal = 0;
  readonly #wakeup: Wakeup;

  /** `render` gives the options at the start; what the host's iptables knows is found out by the proxier. */
  constructor(deps: ProxierDeps, render: RenderOptions, options: ProxierOptions) {
    this.name = `proxier IPv${render.family}`;
    this.#deps = deps;
    this.#wakeup = new Wakeup(deps.clock);
    this.#options = options;
    this.#render = render;
    this.#family = `IPv${render.family}`;
    this.#log = deps.log.child({ ipFamily: this.#family });
    this.#flows = new FlowCleaner({
      conntrack: deps.conntrack, localAddresses: deps.localAddresses, targets: () => this.#targets(),
      onForgotten: (protocol, count) => {
        this.#log.info({ protocol, count }, "forgot stale tracked connections");
        deps.metrics?.forgottenFlows.inc({ ip_family: this.#family, protocol }, count);
      },
      onError: (error) => {
        const missing = error instanceof ConntrackMissingError;
        if (!missing || !this.#toldMissing) this.#log.warn({ error: missing ? error.message : error }, "stale tracked connections were not cleaned");
        this.#toldMissing ||= missing;
      },
    });
  }

  /** Marks one Service (`namespace/name`) as changed. */
  changed(service: string): void {
    if (this.#dirty !== ALL) this.#dirty.add(service);
    this.#queued();
  }

  /** Changes options that hold for all Services, such as the node's labels or addresses. */
  setOptions(change: Partial<RenderOptions>): void {
    const next = { ...this.#render, ...change };
    if (JSON.stringify(next) === JSON.stringify(this.#render)) return;
    this.#render = next;
    this.#dirty = ALL;
    this.#baseDirty = true;
    this.#queued();
  }

  /** Asks for everything to be compared with the kernel anew. */
  forceFullSync(): void {
    this.#needFull = true;
    this.#queued();
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#refuseMixedBackends();
    const { clock, source } = this.#deps;
    const stop = source.onChange((key) => this.changed(key));
    try {
      await Promise.race([source.ready, aborted(signal)]);
      this.#render = { ...this.#render, randomFully: await this.#deps.iptables.hasRandomFully() };
      const pace = new SyncPace(clock, { minPeriodMs: this.#options.minSyncPeriodMs });
      for (let failures = 0; !signal.aborted;) {
        if (failures > 0) await clock.sleep(backoffMs(RETRY, failures - 1), signal);
        else if (!this.#due()) { await this.#waitForWork(signal); continue; }
        else if (!this.#needFull) await pace.wait(signal);
        const startMs = clock.monotonicMs();
        failures = await this.#trySync() ? 0 : failures + 1;
        pace.took(clock.monotonicMs() - startMs);
      }
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    } finally {
      stop();
      await this.#flows.start();
    }
  }

  #due(): boolean { return this.#needFull || this.#baseDirty || this.#dirty === ALL || this.#dirty.size > 0; }

  #queued(): void {
    this.#deps.onQueued?.();
    this.#deps.metrics?.lastQueued.set({ ip_family: this.#family }, this.#deps.clock.now().getTime() / 1_000);
    this.#wakeup.ring();
  }

  /** Until something changed; looks after the canary meanwhile. */
  async #waitForWork(signal: AbortSignal): Promise<void> {
    this.#wakeup.ringIn(this.#options.syncPeriodMs);
    if (await this.#wakeup.wait(signal) || signal.aborted) return;
    try { await this.#lookAfterRules(); }
    catch (error) { this.#log.warn({ error }, "cannot look after the rules"); }
  }

  async #lookAfterRules(): Promise<void> {
    const { clock, iptables } = this.#deps;
    for (const table of CANARY_TABLES) {
      const rules = await iptables.listChain(table, C.canary);
      if (rules?.[0] === CANARY_RULE) continue;
      this.#log.warn({ table }, "rules were flushed by someone else, writing them again");
      this.forceFullSync();
      return;
    }
    const touched = await iptables.ensureJumps(jumpRules());
    if (touched > 0) this.#log.warn({ touched }, "jumps into our chains were changed by someone else, put right");
    if (clock.monotonicMs() - this.#lastFullMs > FULL_SYNC_PERIOD_MS) this.forceFullSync();
    await this.#flows.start();
  }

  async #trySync(): Promise<boolean> {
    const { clock, metrics, onSynced } = this.#deps, label = { ip_family: this.#family };
    const full = this.#needFull, startMs = clock.monotonicMs(), triggers = metrics === undefined ? [] : this.#triggerTimes();
    try { await this.#sync(full); }
    catch (error) {
      metrics?.restoreFailures.inc(label);
      this.#needFull = true; // What the kernel has now is not known.
      this.#log.error({ error, full }, "sync failed, will retry");
      return false;
    }
    const seconds = (clock.monotonicMs() - startMs) / 1_000, now = clock.now().getTime();
    metrics?.syncSeconds.observe(label, seconds);
    (full ? metrics?.fullSyncSeconds : metrics?.partialSyncSeconds)?.observe(label, seconds);
    metrics?.lastSync.set(label, now / 1_000);
    for (const time of triggers) metrics?.programmingSeconds.observe(label, Math.max(0, (now - time) / 1_000));
    if (full) this.#log.info({ seconds, services: this.#tables.serviceCount, endpoints: this.#endpointTotal }, "synced all rules");
    onSynced?.();
    void this.#flows.start();
    return true;
  }

  async #sync(full: boolean): Promise<void> {
    if (full) await this.#adopt();
    this.#needFull = false;
    this.#renderDirty();
    const plans = this.#tables.plan();
    await this.#deps.iptables.apply(plans);
    this.#tables.applied(plans);
    if (full) {
      await this.#deps.iptables.ensureJumps(jumpRules());
      this.#lastFullMs = this.#deps.clock.monotonicMs();
      this.#flows.all();
    }
    this.#countRules();
  }

  /** Reads what the kernel has. What an earlier run sent on may have left flows behind. */
  async #adopt(): Promise<void> {
    for (const table of TABLES) {
      const chains = chainsOf(await this.#deps.iptables.save(table), table);
      this.#tables.adopt(table, chains);
      if (table !== "nat") continue;
      for (const protocol of ["udp", "tcp"] as const) {
        const { addresses, nodePorts } = programmedTargets(chains.get(C.services) ?? [], chains.get(C.nodePorts) ?? [], protocol);
        this.#flows.gone(protocol, addresses, nodePorts);
      }
    }
  }

  #renderDirty(): void {
    const { source } = this.#deps, all = this.#dirty === ALL;
    const keys = this.#dirty === ALL ? new Set([...source.keys(), ...[...this.#tables.services()].map(([key]) => key)]) : this.#dirty;
    this.#dirty = new Set();
    const inputs = new Map<string, ServiceInput | undefined>();
    for (const key of keys) inputs.set(key, this.#read(key));
    const omit = this.#endpointTotal > LARGE_CLUSTER_ENDPOINTS * (this.#render.omitEndpointComments ? LARGE_CLUSTER_RETURN : 1);
    if (omit !== this.#render.omitEndpointComments) {
      this.#render = { ...this.#render, omitEndpointComments: omit };
      if (!all) for (const key of source.keys()) if (!inputs.has(key)) inputs.set(key, this.#read(key));
    }
    if (this.#baseDirty) this.#tables.setBase(this.#render);
    this.#baseDirty = false;
    for (const [key, input] of inputs) {
      const old = this.#tables.service(key), rules: ServiceRules | undefined = input === undefined ? undefined : renderService(input.ports, input.endpoints, this.#render);
      if (old !== undefined) this.#flows.changed(old.targets, rules?.targets ?? []);
      else if (rules !== undefined) this.#flows.changed([], rules.targets);
      this.#tables.setService(key, rules);
    }
  }

  #read(key: string): ServiceInput | undefined {
    const { source } = this.#deps, service = source.service(key), ports = service === undefined ? [] : servicePorts(service, this.#render.family);
    const endpoints = ports.length === 0 ? new Map() : endpointsByPort(source.slices(key), this.#render.family, this.#render.nodeName);
    let count = 0;
    for (const list of endpoints.values()) count += list.length;
    this.#endpointTotal += count - (this.#endpointCounts.get(key) ?? 0);
    if (count === 0) this.#endpointCounts.delete(key);
    else this.#endpointCounts.set(key, count);
    return ports.length === 0 ? undefined : { ports, endpoints };
  }

  *#targets(): Iterable<FlowTarget> { for (const [, rules] of this.#tables.services()) yield* rules.targets; }

  /** When the changes to be synced happened, as the endpoint controller noted it. */
  #triggerTimes(): number[] {
    if (this.#dirty === ALL) return [];
    const times: number[] = [];
    for (const key of this.#dirty) {
      for (const slice of this.#deps.source.slices(key)) {
        const time = Date.parse(slice.metadata.annotations?.["endpoints.kubernetes.io/last-change-trigger-time"] ?? "");
        if (!Number.isNaN(time)) times.push(time);
      }
    }
    return times;
  }

  #countRules(): void {
    const { metrics } = this.#deps;
    if (metrics === undefined) return;
    for (const table of TABLES) metrics.rules.set({ table, ip_family: this.#family }, this.#tables.ruleCount(table));
    for (const policy of ["internal", "external"] as const) metrics.withoutLocal.set({ traffic_policy: policy, ip_family: this.#family }, this.#tables.withoutLocal[policy]);
  }

  async #refuseMixedBackends(): Promise<void> {
    const { iptables } = this.#deps, info = await iptables.info(), other = await iptables.otherBackend();
    const problem = mixedBackendsMessage(info, other, /^(KUBE|KAJI)-/);
    if (problem !== undefined) throw new Error(problem);
    if (other !== undefined && other.rules > 0) {
      this.#log.warn({ backend: info.backend, otherBackend: other.backend, otherRules: other.rules }, "the other iptables backend holds rules of other programs; the kernel applies both");
    }
  }
}
