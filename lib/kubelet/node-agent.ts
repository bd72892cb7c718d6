/**
 * Node agent: registers this node, keeps its status true and its lease fresh.
 *
 * Guarantees: the lease is renewed every quarter of its duration (3 s of 12 s by default) whatever else goes on; the status is written at once
 * when something that matters changed and every report interval otherwise; an existing node keeps the labels and taints others gave it.
 * Counterpart: kubelet `kubelet_node_status.go`, component-helpers `apimachinery/lease`.
 */
import { leases, nodes } from "../api/schema/generated/references.ts";
import type { Lease, Node, NodeStatus, Taint } from "../api/schema/generated/models.ts";
import { hasReason } from "../api/status-error.ts";
import type { Client } from "../client/client.ts";
import type { EventSink } from "../runtime/event-recorder.ts";
import { isAbort } from "../util/abort.ts";
import { backoffMs, resolveBackoff } from "../util/backoff.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import type { Runnable } from "../util/runnable.ts";
import { Wakeup } from "../util/wakeup.ts";
import { type NodeEvent, nodeEvents } from "./node-events.ts";
import { nodeStatus, nodeStatusDiffers, type NodeFacts } from "./node-status.ts";

export interface NodeAgentOptions {
  readonly nodeName: string;
  readonly hostname: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly leaseDurationSeconds: number;
  /** How often to look at the machine, and how often to write even when nothing changed. */
  readonly statusCheckMs: number;
  readonly statusReportMs: number;
}
export interface NodeAgentDeps { readonly client: Client; readonly clock: Clock; readonly log: Logger; readonly events: EventSink; facts(): Promise<NodeFacts> }

const LEASE_NAMESPACE = "kube-node-lease";
const RETRY = resolveBackoff({ baseMs: 200, maxMs: 3_000, jitter: 0.2 });
/** Until the node is ready it is looked at more often. */
const NOT_READY_CHECK_MS = 500;
const ATTACH_ANNOTATION = "volumes.kubernetes.io/controller-managed-attach-detach";

export class NodeAgent implements Runnable {
  readonly name = "node agent";
  readonly #deps: NodeAgentDeps;
  readonly #options: NodeAgentOptions;
  readonly #wakeup: Wakeup;
  #node: Node | undefined;
  #lease: Lease | undefined;
  #reportedMs = -Infinity;
  /** The status as last written. */
  #reported: NodeStatus | undefined;
  #registered!: () => void;
  /** Resolves once the node object exists. */
  readonly registered: Promise<void>;

  constructor(deps: NodeAgentDeps, options: NodeAgentOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#wakeup = new Wakeup(deps.clock);
    this.registered = new Promise((resolve) => { this.#registered = resolve; });
  }

  get node(): Node | undefined { return this.#node; }
  /**
   * Takes note of the node object as the API server has it (undefined: it was deleted). What others made of the status, such as
   * `Unknown` while this host was cut off, is put right at once.
   */
  observe(node: Node | undefined): void {
    this.#node = node;
    if (this.#reported !== undefined && nodeStatusDiffers(node?.status, this.#reported)) this.#wakeup.ring();
  }
  /** Looks at the machine again now. */
  wake(): void { this.#wakeup.ring(); }

  async run(signal: AbortSignal): Promise<void> {
    await this.#retry("register node", signal, () => this.#register(signal));
    this.#registered();
    await Promise.all([this.#leaseLoop(signal), this.#statusLoop(signal)]);
  }

  async #retry(what: string, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      try { return await work(); }
      catch (error) {
        if (isAbort(error, signal)) return;
        this.#deps.log[failures < 3 ? "info" : "warn"]({ error, failures }, `cannot ${what}, will retry`);
        await this.#deps.clock.sleep(backoffMs(RETRY, failures), signal).catch(() => undefined);
      }
    }
  }

  async #register(signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#deps, { nodeName, hostname, labels, taints } = this.#options, facts = await this.#deps.facts();
    const own: Record<string, string> = {
      "kubernetes.io/hostname": hostname, "kubernetes.io/os": "linux", "kubernetes.io/arch": facts.machine.architecture, "beta.kubernetes.io/os": "linux", "beta.kubernetes.io/arch": facts.machine.architecture, ...labels,
    };
    const status = nodeStatus(facts, undefined, clock.now().getTime());
    const fresh: Node = { apiVersion: "v1", kind: "Node", metadata: { name: nodeName, labels: own, annotations: { [ATTACH_ANNOTATION]: "true" } }, spec: taints.length === 0 ? {} : { taints: [...taints] }, status };
    try { this.#node = await client.create(nodes, fresh, {}, signal); }
    catch (error) {
      if (!hasReason(error, "AlreadyExists")) throw error;
      const existing = await client.get(nodes, { name: nodeName }, signal);
      const missing = Object.entries(own).filter(([key, value]) => existing.metadata.labels?.[key] !== value);
      this.#node = missing.length === 0 ? existing : await client.patch(nodes, { name: nodeName }, "merge", { metadata: { labels: Object.fromEntries(missing) } }, {}, signal);
    }
    this.#event("Normal", "Starting", "Starting kubelet.");
    this.#tell(nodeEvents(nodeName, undefined, status));
  }

  async #statusLoop(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    for (let failures = 0; !signal.aborted;) {
      let nextMs = this.#options.statusCheckMs;
      try {
        const ready = await this.#syncStatus(signal);
        if (!ready) nextMs = Math.min(nextMs, NOT_READY_CHECK_MS);
        failures = 0;
      } catch (error) {
        if (isAbort(error, signal)) return;
        if (hasReason(error, "NotFound")) await this.#retry("register node", signal, () => this.#register(signal));
        else log.warn({ error }, "cannot update node status, will retry");
        nextMs = backoffMs(RETRY, failures++);
      }
      this.#wakeup.ringIn(nextMs);
      await clock.sleep(50, signal).catch(() => undefined); // However often it is woken.
      await this.#wakeup.wait(signal);
    }
  }

  /** Writes the status if it is time or something changed. Returns whether the node is ready. */
  async #syncStatus(signal: AbortSignal): Promise<boolean> {
    const { client, clock } = this.#deps, { nodeName } = this.#options, facts = await this.#deps.facts(), nowMs = clock.monotonicMs();
    const status = nodeStatus(facts, this.#node?.status, clock.now().getTime()), ready = facts.notReady.length === 0;
    if (nowMs - this.#reportedMs < this.#options.statusReportMs && !nodeStatusDiffers(this.#node?.status, status)) return ready;
    const before = this.#node?.status, patch = { status: { ...status, addresses: [{ $patch: "replace" }, ...(status.addresses ?? [])] } };
    this.#node = await client.patch(nodes, { name: nodeName }, "strategic", patch, { subresource: "status" }, signal);
    this.#reportedMs = nowMs;
    this.#reported = status;
    this.#tell(nodeEvents(nodeName, before, status));
    return ready;
  }

  async #leaseLoop(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps, intervalMs = (this.#options.leaseDurationSeconds * 1_000) / 4;
    while (!signal.aborted) {
      const startedMs = clock.monotonicMs();
      await this.#retry("renew node lease", signal, () => this.#renew(signal));
      await clock.sleep(Math.max(0, intervalMs - (clock.monotonicMs() - startedMs)), signal).catch(() => undefined);
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#deps, { nodeName, leaseDurationSeconds } = this.#options;
    const spec = { holderIdentity: nodeName, leaseDurationSeconds, renewTime: clock.now().toISOString().replace("Z", "000Z") };
    try {
      if (this.#lease !== undefined) { this.#lease = await client.update(leases, { ...this.#lease, spec: { ...this.#lease.spec, ...spec } }, {}, signal); return; }
    } catch (error) {
      this.#lease = undefined;
      if (!hasReason(error, "Conflict", "NotFound")) throw error;
    }
    const uid = this.#node?.metadata.uid;
    const owner = uid === undefined ? {} : { ownerReferences: [{ apiVersion: "v1", kind: "Node", name: nodeName, uid }] };
    const fresh: Lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { namespace: LEASE_NAMESPACE, name: nodeName, ...owner }, spec };
    try { this.#lease = await client.create(leases, fresh, {}, signal); }
    catch (error) {
      if (!hasReason(error, "AlreadyExists")) throw error;
      const existing = await client.get(leases, { namespace: LEASE_NAMESPACE, name: nodeName }, signal);
      this.#lease = await client.update(leases, { ...existing, spec: { ...existing.spec, ...spec } }, {}, signal);
    }
  }

  #tell(events: readonly NodeEvent[]): void { for (const { type, reason, message } of events) this.#event(type, reason, message); }
  #event(type: "Normal" | "Warning", reason: string, message: string): void {
    // Upstream uses the node's name as the uid of these events; describe looks them up by it.
    this.#deps.events.event({ kind: "Node", name: this.#options.nodeName, uid: this.#options.nodeName, apiVersion: "v1" }, type, reason, message);
  }
}
