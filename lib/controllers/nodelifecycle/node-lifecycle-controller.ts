/**
 * Node lifecycle: notices nodes that fell silent, says so in their conditions, keeps new pods away, takes their pods out of endpoints
 * and, through taints, has their pods evicted.
 *
 *   renewed lease or posted status ──► healthy
 *   silent for the grace period ──► conditions Unknown ──► pods NotReady, so endpoints leave ──► unreachable:NoExecute, as fast as the zone's brakes allow
 *   back ──► taints removed
 *
 * Promises: silence is counted only while we ourselves hear the API server, so its restart, our own lost connection or a pause of
 * this machine makes no node look dead; a deadline is met when it falls due, not at the next round of a loop.
 * Counterpart: kubernetes `pkg/controller/nodelifecycle/node_lifecycle_controller.go`.
 */
import { isPodReady } from "../../api/helpers/pod-status.ts";
import { toTimestamp } from "../../api/helpers/timestamps.ts";
import { leases, nodes, pods } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import { aborted, isAbort } from "../../util/abort.ts";
import { Controller } from "../../runtime/controller.ts";
import { joinKey } from "../../runtime/object-key.ts";
import { NOT_READY_TAINT, UNREACHABLE_TAINT, changeTaints, hasTaint } from "../shared/node-taints.ts";
import { NODE_INDEX, podInformer } from "../shared/pod-indexes.ts";
import { observe, planNoSchedule, readyCondition, silentConditions, type NodeHealth } from "./plan-health.ts";
import { EvictionLimiter, evictionRate, zoneOf, zoneState, type EvictionRates, type ZoneState } from "./plan-zones.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { EventSink } from "../../runtime/event-recorder.ts";
import type { Informer } from "../../runtime/informer.ts";
import type { Lease, Node, Pod, Taint } from "../../api/schema/generated/models.ts";
import type { Runnable } from "../../util/runnable.ts";

export const NODE_LEASE_NAMESPACE = "kube-node-lease";
const PODS_AT_ONCE = 16;
const CONFLICTS_MAX = 3;
/** A look that comes later than this was not merely behind a busy turn: this process or its machine stood still. */
const LATE_MS = 1_000;
const NOT_READY = { key: NOT_READY_TAINT, effect: "NoExecute" } as const, UNREACHABLE = { key: UNREACHABLE_TAINT, effect: "NoExecute" } as const;

export interface NodeLifecycleOptions {
  readonly monitorPeriodMs: number;
  readonly monitorGraceMs: number;
  /** For a node that never posted its status. */
  readonly startupGraceMs: number;
  readonly rates: EvictionRates;
}

export const createNodeLifecycleController = (context: ControllerContext, options: NodeLifecycleOptions): Runnable => new NodeLifecycle(context, options);

class NodeLifecycle implements Runnable {
  readonly name = "node-lifecycle-controller";
  readonly #context: ControllerContext;
  readonly #options: NodeLifecycleOptions;
  readonly #nodes: Informer<Node>;
  readonly #leases: Informer<Lease>;
  readonly #pods: Informer<Pod>;
  readonly #recorder: EventSink;
  readonly #taints: Controller;
  readonly #health = new Map<string, NodeHealth>();
  readonly #zones = new Map<string, { state: ZoneState; limiter: EvictionLimiter }>();
  /** Nodes whose pods could not all be marked yet. */
  readonly #unmarked = new Set<string>();
  readonly #judged = new Set<string>();

  constructor(context: ControllerContext, options: NodeLifecycleOptions) {
    this.#context = context;
    this.#options = options;
    this.#nodes = context.informers.get(nodes);
    this.#leases = context.informers.get(leases); // All of them: the garbage collector watches them anyway.
    this.#pods = podInformer(context.informers);
    this.#recorder = context.recorder("node-controller");
    this.#taints = new Controller(context, { name: "node-lifecycle-controller", workers: 4, waitFor: [this.#nodes], reconcile: (name, signal) => this.#reconcileNoSchedule(name, signal) });
    this.#nodes.onChange((change) => {
      const name = change.object.metadata.name;
      if (change.type === "deleted") { this.#health.delete(name); this.#unmarked.delete(name); this.#judged.delete(name); this.#recorder.event(change.object, "Normal", "RemovingNode", `Node ${name} event: Removing Node ${name} from Controller`); return; }
      if (change.type === "added") this.#recorder.event(change.object, "Normal", "RegisteredNode", `Node ${name} event: Registered Node ${name} in Controller`);
      this.#look(change.object);
      this.#taints.queue.add(name);
    });
    this.#leases.onChange(({ object }) => { if (object.metadata.namespace !== NODE_LEASE_NAMESPACE) return; const node = this.#nodes.get(object.metadata.name); if (node !== undefined) this.#look(node); });
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#taints.run(signal), this.#monitor(signal)]);
  }

  async #monitor(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#context;
    try {
      await Promise.race([Promise.all([this.#nodes.synced, this.#leases.synced, this.#pods.synced]), aborted(signal)]);
      while (!signal.aborted) {
        try { await this.#round(signal); }
        catch (error) { if (isAbort(error, signal)) return; log.warn({ error }, "node monitor round failed, will retry"); }
        const waitMs = this.#untilNextLookMs(), fromMs = clock.monotonicMs();
        await clock.sleep(waitMs, signal);
        this.#forgive(clock.monotonicMs() - fromMs - waitMs);
      }
    } catch (error) { if (!isAbort(error, signal)) throw error; }
  }

  /** Notes signs of life as they come. */
  #look(node: Node): void {
    const { name } = node.metadata;
    this.#health.set(name, observe(this.#health.get(name), node, this.#leases.get(joinKey(NODE_LEASE_NAMESPACE, name)), this.#context.clock.monotonicMs()));
  }

  /** Signs of life from while we stood still are yet to be read, and where the API server stood still with us none could be given. */
  #forgive(lateMs: number): void {
    if (lateMs < LATE_MS) return;
    this.#context.log.warn({ lateMs: Math.round(lateMs) }, "stood still: the time is not counted as silence of nodes");
    for (const health of this.#health.values()) health.probedAtMs = Math.min(this.#context.clock.monotonicMs(), health.probedAtMs + lateMs);
  }

  /** When the node's grace ends; undefined while we cannot hear of it. */
  #dueMs(node: Node): number | undefined {
    const heardSinceMs = this.#leases.watchingSinceMs, nodesSinceMs = this.#nodes.watchingSinceMs, health = this.#health.get(node.metadata.name);
    if (heardSinceMs === undefined || nodesSinceMs === undefined || health === undefined) return undefined;
    const graceMs = readyCondition(node) === undefined ? this.#options.startupGraceMs : this.#options.monitorGraceMs;
    return Math.max(health.probedAtMs, heardSinceMs, nodesSinceMs) + graceMs;
  }

  #untilNextLookMs(): number {
    const nowMs = this.#context.clock.monotonicMs();
    let waitMs = this.#options.monitorPeriodMs;
    for (const node of this.#nodes.list()) {
      const dueMs = this.#dueMs(node);
      if (dueMs !== undefined && dueMs > nowMs) waitMs = Math.min(waitMs, dueMs - nowMs + 1);
    }
    return Math.max(20, waitMs);
  }

  async #round(signal: AbortSignal): Promise<void> {
    const all = this.#nodes.list();
    for (const node of all) if (!this.#health.has(node.metadata.name)) this.#look(node);
    const states = await Promise.all(all.map((node) => this.#judge(node, signal)));
    const stopped = await this.#applyBrakes(all, states, signal);
    if (stopped) return;
    await Promise.all(all.map((node, i) => this.#taintForEviction(node, states[i]!, signal)));
  }

  /** Returns the Ready status that now holds; writes it and marks the pods when the node has just fallen silent. */
  async #judge(node: Node, signal: AbortSignal): Promise<string> {
    const { clock } = this.#context, { name } = node.metadata, before = readyCondition(node)?.status ?? "Unknown", dueMs = this.#dueMs(node);
    let status = before;
    if (dueMs !== undefined && clock.monotonicMs() >= dueMs) {
      status = "Unknown";
      if (!await this.#writeSilence(node, signal)) return before;
    }
    if (!this.#judged.has(name) && before === "Unknown") this.#unmarked.add(name); // We may have been restarted between the two steps.
    this.#judged.add(name);
    if (status !== "True" && before === "True") {
      this.#context.log.warn({ node: name, status }, "node is silent");
      this.#recorder.event(node, "Normal", "NodeNotReady", `Node ${name} status is now: NodeNotReady`);
      this.#unmarked.add(name);
    }
    if (status === "True") this.#unmarked.delete(name);
    else if (this.#unmarked.has(name)) await this.#markPodsNotReady(name, signal);
    return status;
  }

  /** False when the node is gone or has just given a sign of life. */
  async #writeSilence(node: Node, signal: AbortSignal): Promise<boolean> {
    const { client, clock } = this.#context;
    let current = node;
    for (let attempt = 0; ; attempt++) {
      const conditions = silentConditions(current, clock.now());
      if (conditions === undefined) return true;
      try { await client.update(nodes, { ...current, status: { ...current.status, conditions } }, { subresource: "status" }, signal); return true; }
      catch (error) {
        if (hasReason(error, "NotFound")) return false;
        if (!hasReason(error, "Conflict") || attempt >= CONFLICTS_MAX) throw error;
        current = await client.get(nodes, node.metadata, signal);
        if (current.metadata.uid !== node.metadata.uid || readyCondition(current)?.lastHeartbeatTime !== readyCondition(node)?.lastHeartbeatTime) return false;
      }
    }
  }

  async #markPodsNotReady(node: string, signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#context, waiting = this.#pods.byIndex(NODE_INDEX, node).filter(isPodReady);
    let failure: unknown;
    const work = async (): Promise<void> => {
      for (let pod = waiting.shift(); pod !== undefined; pod = waiting.shift()) {
        const patch = { metadata: { uid: pod.metadata.uid }, status: { conditions: [{ type: "Ready", status: "False", lastTransitionTime: toTimestamp(clock.now()) }] } };
        try {
          await client.patch(pods, pod.metadata, "strategic", patch, { subresource: "status" }, signal);
          this.#recorder.event(pod, "Warning", "NodeNotReady", "Node is not ready");
        } catch (error) { if (!hasReason(error, "NotFound", "Conflict")) failure = error; }
      }
    };
    await Promise.all(Array.from({ length: PODS_AT_ONCE }, work));
    if (failure !== undefined) throw failure;
    this.#unmarked.delete(node);
  }

  /** Sets each zone's rate by its state. True when every zone is fully silent: then nothing is evicted and nothing new is tainted. */
  async #applyBrakes(all: readonly Node[], states: readonly string[], signal: AbortSignal): Promise<boolean> {
    const { clock, log } = this.#context, nowMs = clock.monotonicMs(), { rates } = this.#options;
    const ready = Map.groupBy(all.map((node, i) => ({ zone: zoneOf(node), ready: states[i] === "True" })), (n) => n.zone);
    const before = [...this.#zones.values()], allWere = before.length > 0 && before.every((z) => z.state === "FullDisruption");
    for (const zone of this.#zones.keys()) if (!ready.has(zone)) this.#zones.delete(zone);
    for (const [zone, members] of ready) {
      const state = zoneState(members.map((m) => m.ready), rates.unhealthyThreshold), rate = evictionRate(state, members.length, rates), known = this.#zones.get(zone);
      if (known === undefined) { this.#zones.set(zone, { state, limiter: new EvictionLimiter(rate, nowMs) }); continue; }
      if (known.state !== state) log.warn({ zone, from: known.state, to: state, nodes: members.length, silent: members.filter((m) => !m.ready).length }, "zone state changed");
      known.state = state;
      known.limiter.setRate(rate, nowMs);
    }
    const allAre = this.#zones.size > 0 && [...this.#zones.values()].every((z) => z.state === "FullDisruption");
    if (allAre && !allWere) log.warn({ nodes: all.length }, "all nodes are silent: evictions stop");
    // Each round: the cache may not have seen yet the taint we gave to the first of them.
    if (allAre) for (const node of all) await this.#changeTaints(node, [], [NOT_READY, UNREACHABLE], signal);
    // Whoever is back first must not see the others evicted for the time nobody could be heard.
    if (!allAre && allWere) for (const health of this.#health.values()) health.probedAtMs = nowMs;
    return allAre || allWere;
  }

  async #taintForEviction(node: Node, status: string, signal: AbortSignal): Promise<void> {
    if (status === "True") { await this.#changeTaints(node, [], [NOT_READY, UNREACHABLE], signal); return; }
    const [add, remove] = status === "False" ? [NOT_READY, UNREACHABLE] : [UNREACHABLE, NOT_READY];
    if (hasTaint(node, add)) { await this.#changeTaints(node, [], [remove], signal); return; }
    // Going from one to the other is no new eviction.
    if (!hasTaint(node, remove) && this.#zones.get(zoneOf(node))?.limiter.take(this.#context.clock.monotonicMs()) !== true) return;
    await this.#changeTaints(node, [add], [remove], signal);
  }

  async #reconcileNoSchedule(name: string, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> {
    const node = this.#nodes.get(name);
    if (node === undefined) return {};
    const { add, remove } = planNoSchedule(node);
    await this.#changeTaints(node, add, remove, signal);
    return {};
  }

  async #changeTaints(node: Node, add: readonly Pick<Taint, "key" | "effect">[], remove: readonly Pick<Taint, "key" | "effect">[], signal: AbortSignal): Promise<void> {
    const { client, clock, log } = this.#context, { name } = node.metadata;
    let current = this.#nodes.get(name) ?? node, taints: Taint[] | undefined;
    for (let attempt = 0; ; attempt++) {
      taints = changeTaints(current, add, remove, clock.now());
      if (taints === undefined || current.metadata.uid !== node.metadata.uid) return;
      const { uid, resourceVersion } = current.metadata;
      try { await client.patch(nodes, { name }, "merge", { metadata: { uid, resourceVersion }, spec: { taints } }, {}, signal); break; }
      catch (error) {
        if (hasReason(error, "NotFound")) return;
        if (!hasReason(error, "Conflict") || attempt >= CONFLICTS_MAX) throw error;
        current = await client.get(nodes, { name }, signal); // Our own status write, most likely, that the cache has not seen.
      }
    }
    log.info({ node: name, add: add.map((t) => `${t.key}:${t.effect}`), taints: taints.map((t) => `${t.key}:${t.effect}`) }, "node taints changed");
  }
}
