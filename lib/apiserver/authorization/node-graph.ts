/**
 * Which objects concern which node, because a pod bound there refers to them. Followed change by change.
 *
 * Promises: lookups are synchronous and cost a map lookup or two; a node loses an object as soon as its last pod that
 * needs it is deleted or has been bound elsewhere. Counterpart: `plugin/pkg/auth/authorizer/node/graph.go`.
 */
import { persistentvolumes, pods } from "../../api/schema/generated/references.ts";
import type { PersistentVolume, Pod } from "../../api/schema/generated/models.ts";
import type { CacheReader } from "../contracts.ts";
import { podReferences, type ReferenceKind, referenceKey, volumeSecretReferences } from "./pod-references.ts";

interface Bound { readonly node: string; readonly references: readonly string[] }

export class NodeGraph {
  readonly #cache: CacheReader;
  readonly #pods = new Map<string, Bound>();
  /** Reference -> node -> how many of its pods need it. */
  readonly #nodes = new Map<string, Map<string, number>>();
  /** Secret -> volumes that need it. */
  readonly #volumes = new Map<string, Set<string>>();
  constructor(cache: CacheReader) { this.#cache = cache; }

  /** Reads what is there and follows changes. Returns a function that stops it. */
  start(): () => void {
    for (const pod of this.#cache.list(pods)) this.#putPod(pod);
    for (const volume of this.#cache.list(persistentvolumes)) this.#putVolume(volume, undefined);
    const stops = [
      this.#cache.onChange(pods, (type, pod) => (type === "put" ? this.#putPod(pod) : this.#dropPod(keyOf(pod)))),
      this.#cache.onChange(persistentvolumes, (type, volume, previous) => this.#putVolume(type === "put" ? volume : undefined, previous)),
    ];
    return () => { for (const stop of stops) stop(); };
  }

  /** Whether a pod on `node` refers to the object. */
  concerns(node: string, kind: ReferenceKind, namespace: string, name: string): boolean {
    const key = referenceKey(kind, namespace, name);
    if (this.#nodes.get(key)?.has(node) === true) return true;
    if (kind !== "secret") return false;
    for (const volume of this.#volumes.get(key) ?? []) if (this.volumeConcerns(node, volume)) return true;
    return false;
  }

  /** Whether the volume is bound to a claim of a pod on `node`. */
  volumeConcerns(node: string, name: string): boolean {
    const claim = this.#cache.get(persistentvolumes, "", name)?.spec?.claimRef;
    return claim?.name !== undefined && claim.namespace !== undefined && this.concerns(node, "persistentvolumeclaim", claim.namespace, claim.name);
  }

  podIsOn(node: string, namespace: string, name: string): boolean { return this.#pods.get(`${namespace}/${name}`)?.node === node; }

  #putPod(pod: Pod): void {
    const key = keyOf(pod), node = pod.spec?.nodeName ?? "";
    this.#dropPod(key);
    if (node === "") return;
    const references = podReferences(pod);
    this.#pods.set(key, { node, references });
    for (const reference of references) {
      let counts = this.#nodes.get(reference);
      if (counts === undefined) { counts = new Map(); this.#nodes.set(reference, counts); }
      counts.set(node, (counts.get(node) ?? 0) + 1);
    }
  }

  #dropPod(key: string): void {
    const bound = this.#pods.get(key);
    if (bound === undefined) return;
    this.#pods.delete(key);
    for (const reference of bound.references) {
      const counts = this.#nodes.get(reference)!, left = counts.get(bound.node)! - 1;
      if (left > 0) { counts.set(bound.node, left); continue; }
      counts.delete(bound.node);
      if (counts.size === 0) this.#nodes.delete(reference);
    }
  }

  #putVolume(volume: PersistentVolume | undefined, previous: PersistentVolume | undefined): void {
    for (const secret of previous === undefined ? [] : volumeSecretReferences(previous)) {
      const volumes = this.#volumes.get(secret);
      volumes?.delete(previous!.metadata.name);
      if (volumes?.size === 0) this.#volumes.delete(secret);
    }
    for (const secret of volume === undefined ? [] : volumeSecretReferences(volume)) {
      const volumes = this.#volumes.get(secret) ?? new Set();
      this.#volumes.set(secret, volumes.add(volume!.metadata.name));
    }
  }
}

const keyOf = (pod: Pod): string => `${pod.metadata.namespace}/${pod.metadata.name}`;
