/**
 * Garbage collector: deletes what nobody owns any more, in the background, in the foreground, or leaves it as an orphan.
 *
 *   owner gone ──────────────────────► dependents deleted, or disowned where another owner lives
 *   owner deleted in the foreground ─► blocking dependents deleted ─► finalizer `foregroundDeletion` removed
 *   owner deleted with orphaning ────► dependents disowned ─► finalizer `orphan` removed
 *
 * Promises: nothing is deleted on the word of a cache: an owner counts as gone only when a live read does not find it (or finds another
 * uid), and every deletion names the uid it means. Counterpart: kubernetes `pkg/controller/garbagecollector`.
 */
import { apiVersionOf, type ResourceReference } from "../../api/reference.ts";
import { hasReason } from "../../api/status-error.ts";
import { Controller } from "../../runtime/controller.ts";
import { runAll, type Runnable } from "../../util/runnable.ts";
import { Monitors } from "./monitors.ts";
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER, OwnerGraph, type GraphNode, type GraphWork, type Identity } from "./owner-graph.ts";
import { planCollection, type JudgedOwner, type OwnerState } from "./plan-collection.ts";
import type { Change } from "../../runtime/informer.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { HasMeta, ObjectKey } from "../../client/client.ts";
import type { OwnerReference } from "../../api/schema/generated/models.ts";

/** Owners found absent, so that a thousand dependents of one owner cost one read. By everything that names them: a reference with the right uid and a wrong name must not condemn the dependents that name it rightly. */
const ABSENT_OWNERS_MAX = 500;

export const createGarbageCollector = (context: ControllerContext, options: { workers: number }): Runnable => new GarbageCollector(context, options);

class GarbageCollector implements Runnable {
  readonly name = "garbage-collector-controller";
  readonly #context: ControllerContext;
  readonly #graph = new OwnerGraph();
  readonly #monitors: Monitors;
  readonly #look: Controller;
  readonly #orphan: Controller;
  readonly #absent = new Set<string>();
  #markReady!: () => void;

  constructor(context: ControllerContext, options: { workers: number }) {
    this.#context = context;
    const ready = { synced: new Promise<void>((resolve) => { this.#markReady = resolve; }) };
    this.#monitors = new Monitors(context, (resource, change) => this.#changed(resource, change));
    const base = { workers: options.workers, waitFor: [ready] };
    this.#look = new Controller(context, { ...base, name: "garbage_collector_attempt_to_delete", reconcile: (uid, signal) => this.#collect(uid, signal) });
    this.#orphan = new Controller(context, { ...base, name: "garbage_collector_attempt_to_orphan", reconcile: (uid, signal) => this.#orphanDependents(uid, signal) });
  }

  async run(signal: AbortSignal): Promise<void> {
    await runAll([{ name: "monitors", run: (inner) => this.#monitors.run(inner, this.#markReady) }, this.#look, this.#orphan], signal);
  }

  #changed(resource: ResourceReference, { type, object }: Change<HasMeta>): void {
    const { uid, namespace, name } = object.metadata;
    if (uid === undefined) return;
    if (type === "deleted") { this.#rememberAbsent(apiVersionOf(resource), resource.kind, namespace, name, uid); this.#enqueue(this.#graph.remove(uid)); return; }
    this.#enqueue(this.#graph.upsert({ apiVersion: apiVersionOf(resource), kind: resource.kind, namespace, name, uid }, object.metadata));
  }

  #enqueue(work: GraphWork): void {
    for (const uid of work.look) this.#look.queue.add(uid);
    for (const uid of work.orphan) this.#orphan.queue.add(uid);
  }

  /** Looks at one object: is it there, does it wait for dependents, are its owners there? */
  async #collect(uid: string, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> {
    const node = this.#graph.get(uid);
    if (node === undefined || (node.beingDeleted && !node.deletingDependents)) return {};
    const resource = this.#monitors.resourceOf(node.identity.apiVersion, node.identity.kind);
    if (resource === undefined) {
      this.#monitors.refresh();
      throw new Error(`Cannot look at ${node.identity.kind} "${node.identity.name}": the server serves no ${node.identity.apiVersion} ${node.identity.kind}`);
    }
    if (node.virtual) {
      if (resource.namespaced && node.identity.namespace === undefined) return {}; // A cluster-scoped object cannot be owned by this; nothing can be said.
      const live = await this.#read(resource, node.identity, signal);
      if (live === undefined) this.#enqueue(this.#graph.remove(uid)); // Its dependents are judged each by its own reference.
      return {}; // If it is there, its informer will tell.
    }
    const live = await this.#read(resource, node.identity, signal);
    if (live === undefined) { this.#enqueue(this.#graph.remove(uid)); return {}; }
    if (node.deletingDependents) return this.#finishForeground(node, resource, live, signal);
    const references = live.metadata.ownerReferences ?? [];
    const owners: JudgedOwner[] = [];
    for (const reference of references) {
      const state = await this.#judge(node, reference, signal);
      if (state === undefined) return {};
      owners.push({ reference, state });
    }
    const dependents = this.#graph.dependentsOf(uid), plan = planCollection(live.metadata, owners, { any: dependents.length > 0, someWaiting: dependents.some((d) => d.deletingDependents) });
    const key = keyOf(resource, node.identity), { resourceVersion } = live.metadata;
    try {
      switch (plan.kind) {
        case "keep": break;
        case "disown": await this.#context.client.patch(resource, key, "merge", { metadata: { uid, resourceVersion, ownerReferences: plan.owners } }, {}, signal); break;
        case "delete": {
          if (plan.unblock) await this.#context.client.patch(resource, key, "merge", { metadata: { uid, ownerReferences: references.map((o) => ({ ...o, blockOwnerDeletion: false })) } }, {}, signal);
          // The resourceVersion too: an owner added meanwhile makes a conflict, and another look.
          await this.#context.client.delete(resource, key, { propagationPolicy: plan.propagation, preconditions: { uid, ...(plan.unblock || resourceVersion === undefined ? {} : { resourceVersion }) } }, signal);
          this.#context.log.info({ kind: node.identity.kind, object: `${node.identity.namespace ?? ""}/${node.identity.name}`, uid, propagation: plan.propagation }, "deleting what nobody owns");
        }
      }
    } catch (error) { if (!hasReason(error, "NotFound")) throw error; }
    return {};
  }

  async #finishForeground(node: GraphNode, resource: ResourceReference, live: HasMeta, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> {
    const blocking = this.#graph.blockingDependentsOf(node.identity.uid);
    if (blocking.length === 0) await this.#removeFinalizer(resource, node.identity, live, FOREGROUND_FINALIZER, signal);
    for (const dependent of blocking) if (!dependent.deletingDependents) this.#look.queue.add(dependent.identity.uid);
    return {};
  }

  /** The state of one owner; undefined when nothing can be said about it. */
  async #judge(node: GraphNode, reference: OwnerReference, signal: AbortSignal): Promise<OwnerState | undefined> {
    const known = this.#graph.get(reference.uid);
    const resource = this.#monitors.resourceOf(reference.apiVersion, reference.kind);
    if (resource === undefined) {
      this.#monitors.refresh();
      throw new Error(`Cannot judge owner ${reference.kind} "${reference.name}": the server serves no ${reference.apiVersion} ${reference.kind}`);
    }
    if (resource.namespaced && node.identity.namespace === undefined) {
      this.#context.recorder("garbage-collector-controller").event({ kind: node.identity.kind, apiVersion: node.identity.apiVersion, name: node.identity.name, uid: node.identity.uid }, "Warning", "OwnerRefInvalidNamespace", `ownerRef [${reference.apiVersion}/${reference.kind}, namespace: , name: ${reference.name}, uid: ${reference.uid}] does not exist in namespace ""`);
      return undefined;
    }
    const namespace = resource.namespaced ? node.identity.namespace : undefined;
    if (this.#absent.has(absentKey(reference.apiVersion, reference.kind, namespace, reference.name, reference.uid))) return "absent";
    const live = await this.#read(resource, { ...reference, namespace }, signal);
    if (live === undefined) { this.#rememberAbsent(reference.apiVersion, reference.kind, namespace, reference.name, reference.uid); return "absent"; }
    const waits = live.metadata.deletionTimestamp !== undefined && (live.metadata.finalizers ?? []).includes(FOREGROUND_FINALIZER);
    return waits || known?.deletingDependents === true ? "waiting" : "solid";
  }

  async #orphanDependents(uid: string, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> {
    const node = this.#graph.get(uid);
    const resource = node === undefined ? undefined : this.#monitors.resourceOf(node.identity.apiVersion, node.identity.kind);
    if (node === undefined || resource === undefined) return {};
    const failures: unknown[] = [];
    for (const dependent of this.#graph.dependentsOf(uid)) {
      try { await this.#disown(dependent, uid, signal); } catch (error) { signal.throwIfAborted(); failures.push(error); }
    }
    if (failures.length > 0) throw failures[0];
    const live = await this.#read(resource, node.identity, signal);
    if (live !== undefined) await this.#removeFinalizer(resource, node.identity, live, ORPHAN_FINALIZER, signal);
    return {};
  }

  async #disown(dependent: GraphNode, owner: string, signal: AbortSignal): Promise<void> {
    const resource = this.#monitors.resourceOf(dependent.identity.apiVersion, dependent.identity.kind);
    const live = resource === undefined ? undefined : await this.#read(resource, dependent.identity, signal);
    if (resource === undefined || live?.metadata.ownerReferences?.some((o) => o.uid === owner) !== true) return;
    const { uid, resourceVersion, ownerReferences } = live.metadata;
    try { await this.#context.client.patch(resource, keyOf(resource, dependent.identity), "merge", { metadata: { uid, resourceVersion, ownerReferences: ownerReferences.filter((o) => o.uid !== owner) } }, {}, signal); }
    catch (error) { if (!hasReason(error, "NotFound")) throw error; }
  }

  async #removeFinalizer(resource: ResourceReference, identity: Identity, live: HasMeta, finalizer: string, signal: AbortSignal): Promise<void> {
    const { uid, resourceVersion, finalizers = [] } = live.metadata;
    if (!finalizers.includes(finalizer)) return;
    try { await this.#context.client.patch(resource, keyOf(resource, identity), "merge", { metadata: { uid, resourceVersion, finalizers: finalizers.filter((f) => f !== finalizer) } }, {}, signal); }
    catch (error) { if (!hasReason(error, "NotFound")) throw error; }
  }

  /** The live object if it is the very one that is meant. */
  async #read(resource: ResourceReference, identity: Pick<Identity, "namespace" | "name" | "uid">, signal: AbortSignal): Promise<HasMeta | undefined> {
    try {
      const live = await this.#context.client.get(resource as ResourceReference<HasMeta>, keyOf(resource, identity), signal);
      return live.metadata.uid === identity.uid ? live : undefined;
    } catch (error) { if (hasReason(error, "NotFound")) return undefined; throw error; }
  }

  #rememberAbsent(...owner: Parameters<typeof absentKey>): void {
    const key = absentKey(...owner);
    this.#absent.delete(key);
    this.#absent.add(key);
    if (this.#absent.size > ABSENT_OWNERS_MAX) this.#absent.delete(this.#absent.values().next().value!);
  }
}

const absentKey = (apiVersion: string, kind: string, namespace: string | undefined, name: string, uid: string): string => [apiVersion, kind, namespace, name, uid].join(" ");
const keyOf = (resource: ResourceReference, { namespace, name }: Pick<Identity, "namespace" | "name">): ObjectKey => (resource.namespaced ? { namespace, name } : { name });
