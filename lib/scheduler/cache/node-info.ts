/**
 * A node and what its pods take from it, kept exact by adding and removing single pods.
 * Counterpart: scheduler `framework.NodeInfo`. Differs: never copied, since a cycle runs to its end before anything else changes the cache.
 */
import { resourceAmounts, type Amounts } from "../../api/helpers/pod-requests.ts";
import type { Node } from "../../api/schema/generated/models.ts";
import { assert } from "../../util/assert.ts";
import type { HostPort, PodInfo } from "./pod-info.ts";

const WILDCARD_IP = "0.0.0.0";
const EMPTY: Readonly<Record<string, string>> = {};

export class NodeInfo {
  readonly name: string;
  readonly pods = new Map<string, PodInfo>();
  /** Those with pod affinity or anti-affinity of any kind. */
  readonly podsWithAffinity = new Map<string, PodInfo>();
  /** Sums of the pods' effective requests. */
  readonly requested: Amounts = new Map();
  scoredMilliCpu = 0;
  scoredMemoryBytes = 0;
  readonly #ports = new Map<string, number>();
  #node: Node | undefined;
  #allocatable: Amounts = new Map();
  #images: ReadonlyMap<string, number> = new Map();

  constructor(name: string) { this.name = name; }

  /** Whether the node itself is known; its pods may be seen first. */
  get exists(): boolean { return this.#node !== undefined; }
  get node(): Node { assert(this.#node !== undefined, `node ${this.name} is not known yet`); return this.#node; }
  get labels(): Readonly<Record<string, string>> { return this.#node?.metadata.labels ?? EMPTY; }
  get allocatable(): Amounts { return this.#allocatable; }
  get podsMax(): number { return this.#allocatable.get("pods") ?? 0; }
  /** Sizes in bytes by each name of the images here. */
  get images(): ReadonlyMap<string, number> { return this.#images; }

  setNode(node: Node | undefined): void {
    const old = this.#node;
    this.#node = node;
    if (node?.status?.allocatable !== old?.status?.allocatable) this.#allocatable = resourceAmounts(node?.status?.allocatable);
    if (node?.status?.images !== old?.status?.images) {
      this.#images = new Map((node?.status?.images ?? []).flatMap(({ names = [], sizeBytes = 0 }) => names.map((name) => [name, sizeBytes] as const)));
    }
  }

  add(pod: PodInfo): void {
    assert(!this.pods.has(pod.uid), `pod ${pod.key} is on node ${this.name} already`);
    this.pods.set(pod.uid, pod);
    if (pod.hasAffinity) this.podsWithAffinity.set(pod.uid, pod);
    this.#account(pod, 1);
  }

  remove(pod: PodInfo): void {
    assert(this.pods.get(pod.uid) === pod, `pod ${pod.key} is not on node ${this.name} as it was added`);
    this.pods.delete(pod.uid);
    this.podsWithAffinity.delete(pod.uid);
    this.#account(pod, -1);
  }

  /** Whether any of `ports` is taken; 0.0.0.0 stands for every address. */
  hasPortConflict(ports: readonly HostPort[]): boolean {
    if (this.#ports.size === 0) return false;
    for (const { protocol, port, ip } of ports) {
      if (this.#ports.has(`${protocol}/${port}/${WILDCARD_IP}`)) return true;
      if (ip !== WILDCARD_IP) { if (this.#ports.has(`${protocol}/${port}/${ip}`)) return true; }
      else for (const taken of this.#ports.keys()) if (taken.startsWith(`${protocol}/${port}/`)) return true;
    }
    return false;
  }

  #account(pod: PodInfo, sign: 1 | -1): void {
    for (const [resource, amount] of pod.requests) this.requested.set(resource, (this.requested.get(resource) ?? 0) + sign * amount);
    this.scoredMilliCpu += sign * pod.scoredMilliCpu;
    this.scoredMemoryBytes += sign * pod.scoredMemoryBytes;
    for (const { protocol, port, ip } of pod.ports) {
      const key = `${protocol}/${port}/${ip}`, count = (this.#ports.get(key) ?? 0) + sign;
      if (count === 0) this.#ports.delete(key);
      else this.#ports.set(key, count);
    }
  }
}
