/**
 * The scheduler: takes a pod, decides, counts it on its node at once, binds it in the background, takes the next.
 *
 * Promises: pods are decided one after another over one view of the cluster; nothing is written but bindings, the PodScheduled condition,
 * nominated nodes, events, and the deletion of preempted pods; after an abort `run` settles when the last binding has.
 * Counterpart: scheduler `scheduler.go`, `schedule_one.go`.
 */
import type { PodDisruptionBudget } from "../api/schema/generated/models.ts";
import { namespaces, nodes, persistentvolumeclaims, persistentvolumes, poddisruptionbudgets, pods, replicasets, replicationcontrollers, services, statefulsets, storageclasses } from "../api/schema/generated/references.ts";
import type { Client } from "../client/client.ts";
import type { EventSink } from "../runtime/event-recorder.ts";
import type { Lister } from "../runtime/store.ts";
import type { SharedInformers } from "../runtime/shared-informers.ts";
import { aborted, isAbort } from "../util/abort.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import type { Runnable } from "../util/runnable.ts";
import type { Registry } from "prom-client";
import { ClusterCache } from "./cache/cluster-cache.ts";
import { PodInfo } from "./cache/pod-info.ts";
import { ClusterWatch } from "./cluster-watch.ts";
import { fitErrorMessage } from "./framework/fit-error.ts";
import { Nominations } from "./framework/nominations.ts";
import type { Cluster } from "./framework/plugin.ts";
import { DEFAULT_PROFILE, type Profile } from "./framework/profile.ts";
import { schedulePod, type Decision, type ScheduleDeps } from "./framework/schedule-pod.ts";
import { SchedulerMetrics } from "./metrics.ts";
import { ownerSelector } from "./owner-selector.ts";
import { planPreemption } from "./preemption/plan-preemption.ts";
import type { Victims } from "./preemption/select-victims.ts";
import { PodWriter } from "./pod-writer.ts";
import { SchedulingQueue, type QueuedPod } from "./queue/scheduling-queue.ts";

export interface SchedulerDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
  readonly informers: SharedInformers;
  readonly events: EventSink;
  readonly registry: Registry;
  readonly random?: () => number;
}

/** Bindings and other writes under way; beyond it the next pod waits. */
export const WRITES_MAX = 128;
/** The event loop gets a turn after this much deciding. */
const SLICE_MS = 5;

export class Scheduler implements Runnable {
  readonly name = "scheduler";
  readonly #deps: SchedulerDeps;
  readonly #profile: Profile;
  readonly #queue: SchedulingQueue;
  readonly #cache: ClusterCache;
  readonly #schedule: ScheduleDeps;
  readonly #nominations = new Nominations();
  readonly #metrics: SchedulerMetrics;
  readonly #writer: PodWriter;
  readonly #pods;
  readonly #budgets: Lister<PodDisruptionBudget>;
  readonly #synced: (() => Promise<void>)[] = [];
  readonly #watch: () => void;
  readonly #writes = new Set<Promise<void>>();

  constructor(deps: SchedulerDeps, options: { profile?: Profile } = {}) {
    this.#deps = deps;
    this.#profile = options.profile ?? DEFAULT_PROFILE;
    const { clock, informers, log, client, events, registry } = this.#deps, schedulerName = this.#profile.name;
    this.#cache = new ClusterCache({ clock });
    this.#queue = new SchedulingQueue({ clock, plugins: this.#profile.plugins.map(([plugin]) => plugin) });
    this.#metrics = new SchedulerMetrics(registry, schedulerName, () => this.#queue.sizes());
    this.#writer = new PodWriter({ client, clock, events, schedulerName });
    this.#pods = informers.get(pods, { fieldSelector: "status.phase!=Succeeded,status.phase!=Failed" });
    this.#budgets = informers.get(poddisruptionbudgets);
    const nodeInformer = informers.get(nodes), namespaceInformer = informers.get(namespaces);
    const serviceInformer = informers.get(services), rcs = informers.get(replicationcontrollers), rss = informers.get(replicasets), stss = informers.get(statefulsets);
    const claims = informers.get(persistentvolumeclaims), volumes = informers.get(persistentvolumes), classes = informers.get(storageclasses);
    this.#synced = [this.#pods, nodeInformer, namespaceInformer, serviceInformer, rcs, rss, stss, claims, volumes, classes, informers.get(poddisruptionbudgets)].map((informer) => () => informer.synced);
    const cluster: Cluster = {
      cache: this.#cache,
      namespaceLabels: (namespace) => namespaceInformer.get(namespace)?.metadata.labels,
      volumes: { claim: (key) => claims.get(key), volume: (name) => volumes.get(name), storageClass: (name) => classes.get(name) },
      selectorOfOwners: (pod) => ownerSelector(pod, {
        services: (namespace) => serviceInformer.list(namespace), replicationController: (key) => rcs.get(key), replicaSet: (key) => rss.get(key), statefulSet: (key) => stss.get(key),
      }),
    };
    this.#schedule = { cluster, profile: this.#profile, nominations: this.#nominations, random: deps.random ?? Math.random, search: { start: 0 } };
    this.#watch = () => {
      const watch = new ClusterWatch({ cache: this.#cache, queue: this.#queue, nominations: this.#nominations, log, schedulerName });
      nodeInformer.onChange(watch.onNode); // Before pods, so that no pod is tried against half the nodes.
      namespaceInformer.onChange(watch.onNamespace);
      for (const informer of [claims, volumes, classes]) informer.onChange(watch.onVolume);
      this.#pods.onChange(watch.onPod);
    };
  }

  /** How many pods wait where. */
  get sizes(): ReturnType<SchedulingQueue["sizes"]> { return this.#queue.sizes(); }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    await Promise.race([Promise.all(this.#synced.map((synced) => synced())), aborted(signal)]);
    if (signal.aborted) return;
    this.#watch();
    try {
      for (let sliceStartMs = clock.monotonicMs(); ;) {
        const queued = await this.#queue.next(signal);
        if (queued === undefined) return;
        this.#cycle(queued, signal);
        while (this.#writes.size >= WRITES_MAX) await Promise.race(this.#writes);
        if (clock.monotonicMs() - sliceStartMs < SLICE_MS) continue;
        await new Promise((resolve) => { setImmediate(resolve); });
        sliceStartMs = clock.monotonicMs();
      }
    } finally {
      this.#queue.close();
      await Promise.all(this.#writes);
    }
  }

  #cycle(queued: QueuedPod, signal: AbortSignal): void {
    const { clock, log } = this.#deps, { pod } = queued, startMs = clock.monotonicMs();
    const latest = this.#pods.get(pod.key);
    if (latest === undefined || latest.metadata.uid !== pod.uid || this.#cache.placement(pod.uid) !== undefined) return; // Gone, or placed meanwhile.
    if (pod.isTerminating) return this.#writer.tellFailed(pod, `skip schedule deleting pod: ${pod.key}`);
    let decision: Decision;
    try { decision = schedulePod(pod, this.#schedule); }
    catch (error) {
      log.error({ pod: pod.key, uid: pod.uid, error }, "cannot decide about pod, will retry");
      this.#metrics.attempted("error", clock.monotonicMs() - startMs);
      this.#queue.addAfterError(queued);
      return this.#tellUnfit(pod, "SchedulerError", (error as Error).message, undefined, signal);
    }
    this.#metrics.decided(clock.monotonicMs() - startMs);
    if (decision.kind === "fits") {
      this.#cache.assume(pod, decision.node.name);
      this.#nominations.delete(pod.uid);
      return this.#background(this.#bind(queued, decision.node.name, startMs, signal));
    }
    this.#metrics.attempted("unschedulable", clock.monotonicMs() - startMs);
    if (decision.kind === "no-nodes") {
      this.#queue.addUnschedulable(queued, new Set());
      return this.#tellUnfit(pod, "Unschedulable", "no nodes available to schedule pods", "", signal);
    }
    this.#unfit(queued, decision, signal);
  }

  #unfit(queued: QueuedPod, { diagnosis, filters }: Extract<Decision, { kind: "unfit" }>, signal: AbortSignal): void {
    const { pod } = queued, plan = planPreemption(pod, diagnosis, filters, this.#schedule, this.#budgets.list());
    this.#metrics.preemptionTried();
    this.#queue.addUnschedulable(queued, diagnosis.plugins);
    if (plan.kind === "none") {
      if (!plan.keepNomination) this.#nominations.delete(pod.uid);
      return this.#tellUnfit(pod, "Unschedulable", fitErrorMessage(diagnosis, plan.message), plan.keepNomination ? undefined : "", signal);
    }
    const node = plan.victims.node.name;
    this.#nominations.set(pod, node);
    for (const other of plan.displaced) {
      this.#nominations.delete(other.uid);
      this.#background(this.#writer.writeStatus(other.pod, { nominatedNodeName: "" }, signal));
      this.#queue.activate(other.uid);
    }
    this.#tellUnfit(pod, "Unschedulable", fitErrorMessage(diagnosis), node, signal);
    this.#background(this.#preempt(pod, plan.victims, signal));
  }

  async #preempt(pod: PodInfo, { pods: victims, node }: Victims, signal: AbortSignal): Promise<void> {
    this.#deps.log.info({ pod: pod.key, uid: pod.uid, node: node.name, victims: victims.map((victim) => victim.key) }, "preempting");
    this.#metrics.preempted(victims.length);
    try { await Promise.all(victims.map((victim) => this.#writer.preempt(victim, pod, node.name, signal))); }
    catch (error) { this.#queue.activate(pod.uid); throw error; } // Else the victims leaving wakes it.
  }

  /** The event, and the condition beside the promised node ("" none, undefined as it is). */
  #tellUnfit(pod: PodInfo, reason: "Unschedulable" | "SchedulerError", message: string, nominatedNodeName: string | undefined, signal: AbortSignal): void {
    this.#writer.tellFailed(pod, message);
    const latest = this.#pods.get(pod.key) ?? pod.pod;
    this.#background(this.#writer.writeStatus(latest, { condition: { type: "PodScheduled", status: "False", reason, message }, nominatedNodeName }, signal));
  }

  async #bind(queued: QueuedPod, node: string, startMs: number, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps, { pod } = queued;
    try {
      await this.#writer.bind(pod, node, signal);
      this.#cache.finishBinding(pod.uid);
      this.#writer.tellScheduled(pod, node);
      this.#metrics.attempted("scheduled", clock.monotonicMs() - startMs);
      this.#metrics.scheduled(queued.attempts, clock.monotonicMs() - queued.firstMs);
      log.debug({ pod: pod.key, uid: pod.uid, node }, "pod bound");
    } catch (error) {
      this.#cache.forget(pod.uid);
      if (isAbort(error, signal)) return;
      this.#metrics.attempted("error", clock.monotonicMs() - startMs);
      this.#queue.tell({ kind: "assigned-pod-deleted", pod, node }); // The place is free again.
      const latest = this.#pods.get(pod.key);
      if (latest === undefined || latest.metadata.uid !== pod.uid || (latest.spec?.nodeName ?? "") !== "") return; // Gone, or bound after all.
      log.warn({ pod: pod.key, uid: pod.uid, node, error }, "binding failed, will retry");
      queued.pod = new PodInfo(latest); // It may have changed since.
      this.#queue.addAfterError(queued);
      this.#tellUnfit(pod, "SchedulerError", `binding rejected: ${(error as Error).message}`, "", signal);
    }
  }

  /** Runs a write beside the cycles; its failure is logged, and the next try of the pod repeats it. */
  #background(write: Promise<void>): void {
    const guarded: Promise<void> = write.catch((error: unknown) => { if (!isAbort(error)) this.#deps.log.warn({ error }, "write failed"); }).finally(() => this.#writes.delete(guarded));
    this.#writes.add(guarded);
  }
}
