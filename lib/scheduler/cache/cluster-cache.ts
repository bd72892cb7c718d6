/**
 * What the scheduler believes of the cluster: nodes with their pods, including those it has decided on and the API server has not confirmed.
 *
 *   (unknown) ──assume──► assumed ──confirmed by the watch──► added ──► (unknown)
 *                            ├──forget (binding failed)──► (unknown)
 *                            └──expired, when a time to live is set and binding finished──► (unknown)
 *
 * Promises: a pod counts on exactly one node; the watch is right where it differs from an assumption; the order of nodes takes one of each
 * zone in turn, so that a search that stops early has seen all zones. Counterpart: scheduler `backend/cache`.
 */
import type { Node } from "../../api/schema/generated/models.ts";
import type { Clock } from "../../util/clock.ts";
import { MatchCounts } from "./match-counts.ts";
import { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";

interface Placed { readonly pod: PodInfo; readonly node: string; readonly assumed: boolean; expiresAtMs?: number }

const ZONE_LABELS = ["topology.kubernetes.io/region", "topology.kubernetes.io/zone"] as const;
const zoneOf = (node: Node): string => ZONE_LABELS.map((label) => node.metadata.labels?.[label] ?? "").join("\n");

export class ClusterCache {
  readonly matchCounts: MatchCounts;
  /** Nodes that hold pods with affinity or anti-affinity of any kind. */
  readonly nodesWithAffinity = new Set<NodeInfo>();
  readonly #clock: Clock;
  readonly #assumedTtlMs: number;
  readonly #nodes = new Map<string, NodeInfo>();
  readonly #placed = new Map<string, Placed>();
  readonly #assumed = new Set<string>();
  readonly #nodesByImage = new Map<string, number>();
  #ordered: readonly NodeInfo[] | undefined;

  constructor(deps: { clock: Clock }, options: { /** 0: assumptions never expire, as upstream. */ assumedTtlMs?: number } = {}) {
    this.#clock = deps.clock;
    this.#assumedTtlMs = options.assumedTtlMs ?? 0;
    this.matchCounts = new MatchCounts(() => [...this.#nodes].map(([name, info]) => [name, info.pods.values()] as const));
  }

  /** Known nodes, zones in turn. */
  get nodes(): readonly NodeInfo[] { return this.#ordered ??= this.#order(); }
  get assumedPods(): number { return this.#assumed.size; }
  node(name: string): NodeInfo | undefined { const info = this.#nodes.get(name); return info?.exists === true ? info : undefined; }
  /** On how many nodes an image is. */
  nodesWithImage(name: string): number { return this.#nodesByImage.get(name) ?? 0; }

  setNode(node: Node): void {
    const info = this.#info(node.metadata.name), before = info.exists ? zoneOf(info.node) : undefined;
    this.#countImages(info, -1);
    info.setNode(node);
    this.#countImages(info, 1);
    if (before !== zoneOf(node)) this.#ordered = undefined;
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name);
    if (info === undefined) return;
    this.#countImages(info, -1);
    info.setNode(undefined);
    this.#ordered = undefined;
    if (info.pods.size === 0) this.#nodes.delete(name); // Else its pods are still to be told as gone.
  }

  /** A pod on a node as the API server has it: new, changed, or an assumption confirmed. */
  setPod(pod: PodInfo, node: string): void {
    this.removePod(pod.uid);
    this.#place({ pod, node, assumed: false });
  }

  /** Counts the pod on the node from now on. */
  assume(pod: PodInfo, node: string): void {
    this.removePod(pod.uid);
    this.#place({ pod, node, assumed: true });
    this.#assumed.add(pod.uid);
  }

  /** The binding was accepted; from now the assumption may expire. */
  finishBinding(uid: string): void {
    const placed = this.#placed.get(uid);
    if (placed?.assumed === true && this.#assumedTtlMs > 0) placed.expiresAtMs = this.#clock.monotonicMs() + this.#assumedTtlMs;
  }

  /** The binding failed. A pod that the watch has confirmed meanwhile stays. */
  forget(uid: string): void { if (this.#assumed.has(uid)) this.removePod(uid); }

  isAssumed(uid: string): boolean { return this.#assumed.has(uid); }
  placement(uid: string): { pod: PodInfo; node: string } | undefined { return this.#placed.get(uid); }

  removePod(uid: string): void {
    const placed = this.#placed.get(uid);
    if (placed === undefined) return;
    this.#placed.delete(uid);
    this.#assumed.delete(uid);
    const info = this.#nodes.get(placed.node)!;
    info.remove(placed.pod);
    if (info.podsWithAffinity.size === 0) this.nodesWithAffinity.delete(info);
    this.matchCounts.removed(placed.node, placed.pod);
    if (info.pods.size === 0 && !info.exists) this.#nodes.delete(info.name);
  }

  /** Drops assumptions that were bound and never confirmed. Returns them. */
  expire(): PodInfo[] {
    const nowMs = this.#clock.monotonicMs();
    const expired = [...this.#assumed].map((uid) => this.#placed.get(uid)!).filter(({ expiresAtMs }) => expiresAtMs !== undefined && expiresAtMs <= nowMs);
    for (const { pod } of expired) this.removePod(pod.uid);
    return expired.map(({ pod }) => pod);
  }

  #place(placed: Placed): void {
    this.#placed.set(placed.pod.uid, placed);
    const info = this.#info(placed.node);
    info.add(placed.pod);
    if (info.podsWithAffinity.size > 0) this.nodesWithAffinity.add(info);
    this.matchCounts.added(placed.node, placed.pod);
  }

  #info(name: string): NodeInfo {
    let info = this.#nodes.get(name);
    if (info === undefined) this.#nodes.set(name, info = new NodeInfo(name));
    return info;
  }

  #countImages(info: NodeInfo, sign: 1 | -1): void {
    for (const name of info.images.keys()) {
      const count = (this.#nodesByImage.get(name) ?? 0) + sign;
      if (count === 0) this.#nodesByImage.delete(name);
      else this.#nodesByImage.set(name, count);
    }
  }

  #order(): NodeInfo[] {
    const zones = new Map<string, NodeInfo[]>();
    for (const info of this.#nodes.values()) {
      if (!info.exists) continue;
      const zone = zoneOf(info.node), members = zones.get(zone);
      if (members === undefined) zones.set(zone, [info]);
      else members.push(info);
    }
    const lists = [...zones.values()], longest = Math.max(0, ...lists.map((list) => list.length)), ordered: NodeInfo[] = [];
    for (let i = 0; i < longest; i++) for (const list of lists) if (i < list.length) ordered.push(list[i]!);
    return ordered;
  }
}
