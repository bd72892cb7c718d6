/**
 * Leader election on a Lease: of several candidates at most one acts.
 *
 *   waiting ──lease free, expired or ours──► leading ──renewed──► leading
 *      ▲                                        ├──not renewed within the deadline──► LeadershipLostError (after the work stopped)
 *      └────────────── start again ─────────────┴──asked to stop──► released at once, so the next candidate need not wait
 *
 * Promises: the work is told to stop before another candidate may take over, whatever the machines' clocks say: expiry is judged by
 * when *we* saw the lease change (monotonic time), never by the timestamps in it.
 * Counterpart: client-go `tools/leaderelection`. A candidate whose identity already holds the lease goes on at once: an identity
 * that only one process can have at a time (a bound port, say) makes a restarted daemon lead again without waiting.
 */
import { isAbort } from "../util/abort.ts";
import { hasReason } from "../api/status-error.ts";
import { leases } from "../api/schema/generated/references.ts";
import type { Lease } from "../api/schema/generated/models.ts";
import type { Client } from "../client/client.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import type { EventSink } from "./event-recorder.ts";
import type { RuntimeMetrics } from "./metrics.ts";

export interface LeaderElectionTimes { readonly leaseDurationMs: number; readonly renewDeadlineMs: number; readonly retryPeriodMs: number }
/** Ours: a dead leader is replaced within 8 s. */
export const SMALL_LEADER_ELECTION: LeaderElectionTimes = { leaseDurationMs: 8_000, renewDeadlineMs: 5_000, retryPeriodMs: 1_000 };
/** `--profile=upstream`. */
export const UPSTREAM_LEADER_ELECTION: LeaderElectionTimes = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 };

export interface LeaderElectionOptions extends Partial<LeaderElectionTimes> {
  /** e.g. `kube-system`, `kube-scheduler`. */
  readonly namespace: string;
  readonly name: string;
  /** Who we are; no two running candidates may share one. */
  readonly identity: string;
}

export class LeadershipLostError extends Error { override readonly name = "LeadershipLostError"; }

/** Fills defaults; throws RangeError when the times would let two lead at once. */
export function resolveLeaderElection(options: LeaderElectionOptions): Required<LeaderElectionOptions> {
  const full = { ...SMALL_LEADER_ELECTION, ...options };
  if (!(full.leaseDurationMs > full.renewDeadlineMs)) throw new RangeError("Cannot elect a leader: leaseDuration must be greater than renewDeadline");
  if (!(full.renewDeadlineMs > 1.2 * full.retryPeriodMs)) throw new RangeError("Cannot elect a leader: renewDeadline must be greater than retryPeriod*JitterFactor");
  if (full.identity === "") throw new RangeError("Cannot elect a leader: the identity is empty");
  return full;
}

const microTime = (at: Date): string => at.toISOString().replace("Z", "000Z");

export class LeaderElector {
  readonly #deps: { client: Client; clock: Clock; log: Logger; events?: EventSink | undefined; metrics?: RuntimeMetrics | undefined };
  readonly #options: Required<LeaderElectionOptions>;
  #observed: Lease | undefined;
  #observedAtMs = 0;

  constructor(deps: { client: Client; clock: Clock; log: Logger; events?: EventSink | undefined; metrics?: RuntimeMetrics | undefined }, options: LeaderElectionOptions) {
    this.#deps = { ...deps, log: deps.log.child({ lease: `${options.namespace}/${options.name}` }) };
    this.#options = resolveLeaderElection(options);
  }

  get isLeader(): boolean { return this.#observed?.spec.holderIdentity === this.#options.identity; }

  /**
   * Waits for the lease, then runs `lead` until `signal` aborts, `lead` ends or the lease is lost; `lead`'s signal says which of it
   * must stop. Settles when `lead` has. Throws what `lead` throws, and LeadershipLostError.
   */
  async run(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { log, metrics } = this.#deps, { name, identity } = this.#options;
    metrics?.leader(name, false);
    if (!await this.#acquire(signal)) return;
    metrics?.leader(name, true);
    log.info({ identity }, "became leader");
    this.#tell("became leader");
    const stop = new AbortController(), inner = AbortSignal.any([signal, stop.signal]);
    let lost = false;
    const work = lead(inner).finally(() => stop.abort());
    const renewing = this.#renew(inner).then((kept) => { lost = !kept; stop.abort(); });
    try { await work; }
    catch (error) { if (!isAbort(error, inner)) throw error; }
    finally {
      await renewing;
      metrics?.leader(name, false);
      if (!lost) await this.#release();
    }
    if (lost) throw new LeadershipLostError(`Cannot go on leading "${this.#options.namespace}/${name}": the lease was not renewed within ${this.#options.renewDeadlineMs} ms`);
  }

  /** Whether the lease was acquired; false only after an abort. */
  async #acquire(signal: AbortSignal): Promise<boolean> {
    const { clock, log } = this.#deps;
    let told: string | undefined;
    while (!signal.aborted) {
      try {
        if (await this.#tryAcquireOrRenew(signal)) return true;
        const holder = this.#observed?.spec.holderIdentity;
        if (holder !== told) log.info({ holder }, "waiting for the leader's lease");
        told = holder;
      } catch (error) {
        if (isAbort(error, signal)) return false;
        log.debug({ error }, "lease not acquired");
      }
      try { await clock.sleep(this.#options.retryPeriodMs * (1 + 0.2 * Math.random()), signal); }
      catch { return false; }
    }
    return false;
  }

  /** Renews until `signal` aborts (true) or a renewal does not succeed within the deadline (false). */
  async #renew(signal: AbortSignal): Promise<boolean> {
    const { clock, log } = this.#deps, { retryPeriodMs, renewDeadlineMs } = this.#options;
    let renewedAtMs = clock.monotonicMs();
    for (;;) {
      try { await clock.sleep(retryPeriodMs, signal); } catch { return true; }
      const deadline = new AbortController();
      const cancel = clock.after(Math.max(0, renewedAtMs + renewDeadlineMs - clock.monotonicMs()), () => deadline.abort());
      // The time before the request counts: the server may have stored it any moment after.
      const startedMs = clock.monotonicMs();
      try {
        if (await this.#tryAcquireOrRenew(AbortSignal.any([signal, deadline.signal]))) renewedAtMs = startedMs;
        else { log.error({ holder: this.#observed?.spec.holderIdentity }, "lease was taken by another"); return false; }
      } catch (error) {
        if (signal.aborted) return true;
        log.warn({ error }, "lease not renewed");
      } finally { cancel(); }
      if (clock.monotonicMs() - renewedAtMs >= renewDeadlineMs) return false;
    }
  }

  /** One try. True: we hold the lease. False: another does. Throws on any failure. */
  async #tryAcquireOrRenew(signal: AbortSignal): Promise<boolean> {
    const { client, clock } = this.#deps, { namespace, name, identity, leaseDurationMs } = this.#options;
    const now = microTime(clock.now());
    if (this.isLeader) { // One write instead of a read and a write; whoever took over made it a conflict.
      try { this.#observe(await client.update(leases, { ...this.#observed!, spec: { ...this.#observed!.spec, renewTime: now } }, {}, signal)); return true; }
      catch (error) { if (!hasReason(error, "Conflict", "NotFound")) throw error; }
    }
    let lease: Lease;
    try { lease = await client.get(leases, { namespace, name }, signal); }
    catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
      const spec = { holderIdentity: identity, leaseDurationSeconds: Math.ceil(leaseDurationMs / 1_000), acquireTime: now, renewTime: now, leaseTransitions: 0 };
      this.#observe(await client.create(leases, { metadata: { namespace, name }, spec }, {}, signal));
      return true;
    }
    if (lease.metadata.resourceVersion !== this.#observed?.metadata.resourceVersion) this.#observe(lease);
    const holder = lease.spec.holderIdentity ?? "", ours = holder === identity;
    const validMs = (lease.spec.leaseDurationSeconds ?? 0) * 1_000;
    if (holder !== "" && !ours && this.#observedAtMs + validMs > clock.monotonicMs()) return false;
    const spec = {
      ...lease.spec, holderIdentity: identity, leaseDurationSeconds: Math.ceil(leaseDurationMs / 1_000), renewTime: now,
      acquireTime: ours ? lease.spec.acquireTime ?? now : now, leaseTransitions: (lease.spec.leaseTransitions ?? 0) + (ours ? 0 : 1),
    };
    this.#observe(await client.update(leases, { ...lease, spec }, {}, signal));
    return true;
  }

  /** Gives the lease up, so that the next candidate takes it at its next try. Best effort: it also expires. */
  async #release(): Promise<void> {
    if (!this.isLeader) return;
    const { client, clock, log } = this.#deps, now = microTime(clock.now()), bound = new AbortController();
    const cancel = clock.after(2_000, () => bound.abort());
    try {
      const observed = this.#observed!;
      const spec = { ...observed.spec, holderIdentity: "", leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
      this.#observe(await client.update(leases, { ...observed, spec }, {}, bound.signal));
      log.info({}, "lease released");
    } catch (error) { log.debug({ error }, "lease not released"); }
    finally { cancel(); }
  }

  #observe(lease: Lease): void {
    this.#observed = lease;
    this.#observedAtMs = this.#deps.clock.monotonicMs();
  }

  #tell(what: string): void {
    const { namespace, name, identity } = this.#options;
    this.#deps.events?.event({ kind: "Lease", apiVersion: "coordination.k8s.io/v1", namespace, name, uid: this.#observed?.metadata.uid, resourceVersion: this.#observed?.metadata.resourceVersion }, "Normal", "LeaderElection", `${identity} ${what}`);
  }
}
