/**
 * Who owns what: a graph over all objects, kept in step with events. Pure but for its own memory.
 *
 * Nodes are keyed by uid. An owner that was named but not seen yet is there as `virtual`, until it is seen or found absent. Each change
 * returns the uids to look at again. Counterpart: kubernetes `pkg/controller/garbagecollector` graph.go and graph_builder.go.
 */
import type { ObjectMeta, OwnerReference } from "../../api/schema/generated/models.ts";

export const ORPHAN_FINALIZER = "orphan";
export const FOREGROUND_FINALIZER = "foregroundDeletion";

/** Where an object is found. */
export interface Identity { readonly apiVersion: string; readonly kind: string; readonly namespace: string | undefined; readonly name: string; readonly uid: string }

export interface GraphNode {
  identity: Identity;
  owners: readonly OwnerReference[];
  readonly dependents: Set<string>;
  /** Deleted in the foreground: it waits for the dependents that block it. */
  deletingDependents: boolean;
  beingDeleted: boolean;
  virtual: boolean;
}

/** What a change asks to be looked at. */
export interface GraphWork { readonly look: string[]; readonly orphan: string[] }

export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>();

  get(uid: string): GraphNode | undefined { return this.#nodes.get(uid); }
  get size(): number { return this.#nodes.size; }
  dependentsOf(uid: string): GraphNode[] { return [...this.#nodes.get(uid)?.dependents ?? []].map((d) => this.#nodes.get(d)!); }

  /** Dependents that keep their owner from going in a foreground deletion. */
  blockingDependentsOf(uid: string): GraphNode[] {
    return this.dependentsOf(uid).filter((d) => d.owners.some((o) => o.uid === uid && o.blockOwnerDeletion === true));
  }

  /** An object was seen, for the first time or changed. */
  upsert(identity: Identity, metadata: ObjectMeta): GraphWork {
    const work: GraphWork = { look: [], orphan: [] }, owners = metadata.ownerReferences ?? [];
    const known = this.#nodes.get(identity.uid);
    if (known === undefined) {
      const node: GraphNode = { identity, owners, dependents: new Set(), deletingDependents: false, beingDeleted: false, virtual: false };
      this.#nodes.set(identity.uid, node);
      this.#link(node, owners, work);
      if (owners.length > 0) work.look.push(identity.uid); // Its owners may be gone for long.
      this.#transitions(node, metadata, work);
      return work;
    }
    if (known.virtual) { known.virtual = false; if (known.identity.name !== identity.name || known.identity.namespace !== identity.namespace) work.look.push(...known.dependents); }
    known.identity = identity;
    const removed = known.owners.filter((o) => !owners.some((n) => n.uid === o.uid)), added = owners.filter((n) => !known.owners.some((o) => o.uid === n.uid));
    const changed = owners.filter((n) => known.owners.some((o) => o.uid === n.uid && JSON.stringify(o) !== JSON.stringify(n)));
    known.owners = owners;
    for (const { uid } of removed) {
      this.#unlink(known, uid);
      if (this.#nodes.get(uid)?.deletingDependents === true) work.look.push(uid); // One fewer in its way.
    }
    this.#link(known, added, work);
    for (const { uid } of changed) if (this.#nodes.get(uid)?.deletingDependents === true) work.look.push(uid);
    if (removed.length + added.length + changed.length > 0) work.look.push(identity.uid);
    this.#transitions(known, metadata, work);
    return work;
  }

  /** An object is gone, or was found never to have been. */
  remove(uid: string): GraphWork {
    const work: GraphWork = { look: [], orphan: [] }, node = this.#nodes.get(uid);
    if (node === undefined) return work;
    for (const { uid: owner } of node.owners) {
      this.#unlink(node, owner);
      if (this.#nodes.get(owner)?.deletingDependents === true) work.look.push(owner);
    }
    work.look.push(...node.dependents);
    if (node.dependents.size === 0) { this.#nodes.delete(uid); return work; }
    // Its dependents still name it: kept as something to be found absent, without a past.
    node.virtual = true;
    node.owners = [];
    node.deletingDependents = false;
    node.beingDeleted = false;
    return work;
  }

  #transitions(node: GraphNode, metadata: ObjectMeta, work: GraphWork): void {
    if (metadata.deletionTimestamp === undefined) return;
    node.beingDeleted = true;
    const finalizers = metadata.finalizers ?? [];
    if (finalizers.includes(ORPHAN_FINALIZER)) work.orphan.push(node.identity.uid);
    if (!finalizers.includes(FOREGROUND_FINALIZER) || node.deletingDependents) return;
    node.deletingDependents = true;
    work.look.push(...node.dependents, node.identity.uid);
  }

  #link(node: GraphNode, owners: readonly OwnerReference[], work: GraphWork): void {
    for (const owner of owners) {
      let target = this.#nodes.get(owner.uid);
      if (target === undefined) {
        const identity = { apiVersion: owner.apiVersion, kind: owner.kind, namespace: node.identity.namespace, name: owner.name, uid: owner.uid };
        target = { identity, owners: [], dependents: new Set(), deletingDependents: false, beingDeleted: false, virtual: true };
        this.#nodes.set(owner.uid, target);
      }
      target.dependents.add(node.identity.uid);
      if (target.deletingDependents) work.look.push(node.identity.uid);
    }
  }

  #unlink(node: GraphNode, owner: string): void {
    const target = this.#nodes.get(owner);
    target?.dependents.delete(node.identity.uid);
    if (target?.virtual === true && target.dependents.size === 0) this.#nodes.delete(owner);
  }
}
