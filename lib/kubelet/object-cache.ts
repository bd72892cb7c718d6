/**
 * The configMaps and secrets that pods of this node use: read when a pod needs them, watched one by one while it does.
 *
 * Guarantees: an object is watched only while some pod uses it; what is not known is asked for, never guessed; `onChange` names the pods to
 * look at when an object changed. Counterpart: kubelet `util/manager/watch_based_manager.go`.
 */
import type { ResourceReference } from "../api/reference.ts";
import { configmaps, secrets } from "../api/schema/generated/references.ts";
import type { ConfigMap, ObjectMeta, Pod, Secret } from "../api/schema/generated/models.ts";
import { hasReason } from "../api/status-error.ts";
import type { Client } from "../client/client.ts";
import { Informer } from "../runtime/informer.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import type { ObjectReader } from "./environment.ts";
import type { PullSecrets } from "./image-manager.ts";
import { namespaceOf, uidOf } from "./pod-facts.ts";

interface Entry<T extends { metadata: ObjectMeta }> { readonly informer: Informer<T>; readonly users: Set<string>; readonly stop: AbortController; readonly done: Promise<void> }

/** Names of the configMaps and secrets a pod refers to. Pure. */
export function referencesOf(pod: Pod): { configMaps: Set<string>; secrets: Set<string> } {
  const configMaps = new Set<string | undefined>(), secretNames = new Set<string | undefined>();
  for (const container of [...pod.spec.containers, ...(pod.spec.initContainers ?? []), ...(pod.spec.ephemeralContainers ?? [])]) {
    for (const from of container.envFrom ?? []) { configMaps.add(from.configMapRef?.name); secretNames.add(from.secretRef?.name); }
    for (const variable of container.env ?? []) { configMaps.add(variable.valueFrom?.configMapKeyRef?.name); secretNames.add(variable.valueFrom?.secretKeyRef?.name); }
  }
  for (const volume of pod.spec.volumes ?? []) {
    configMaps.add(volume.configMap?.name);
    secretNames.add(volume.secret?.secretName);
    for (const source of volume.projected?.sources ?? []) { configMaps.add(source.configMap?.name); secretNames.add(source.secret?.name); }
  }
  for (const reference of pod.spec.imagePullSecrets ?? []) secretNames.add(reference.name);
  const named = (names: Set<string | undefined>): Set<string> => new Set([...names].filter((name): name is string => name !== undefined && name !== ""));
  return { configMaps: named(configMaps), secrets: named(secretNames) };
}

export class ObjectCache implements ObjectReader, PullSecrets {
  readonly #deps: { client: Client; clock: Clock; log: Logger; onChange: (uid: string) => void };
  readonly #configMaps = new Map<string, Entry<ConfigMap>>();
  readonly #secrets = new Map<string, Entry<Secret>>();

  constructor(deps: { client: Client; clock: Clock; log: Logger; onChange: (uid: string) => void }) { this.#deps = deps; }

  configMap(namespace: string, name: string): Promise<ConfigMap | undefined> { return this.#read(this.#configMaps, configmaps, namespace, name); }
  secret(namespace: string, name: string): Promise<Secret | undefined> { return this.#read(this.#secrets, secrets, namespace, name); }

  async pullSecrets(pod: Pod): Promise<Secret[]> {
    const found = await Promise.all((pod.spec.imagePullSecrets ?? []).map((reference) => this.secret(namespaceOf(pod), reference.name ?? "").catch(() => undefined)));
    return found.filter((secret) => secret !== undefined);
  }

  async #read<T extends { metadata: ObjectMeta }>(entries: Map<string, Entry<T>>, resource: ResourceReference<T>, namespace: string, name: string): Promise<T | undefined> {
    const entry = entries.get(`${namespace}/${name}`), known = entry?.informer.hasSynced === true ? entry.informer.get(`${namespace}/${name}`) : undefined;
    if (known !== undefined) return known;
    // Not there, or not known yet: the server is asked, so that an object made just before its pod is found.
    try { return await this.#deps.client.get(resource, { namespace, name }); }
    catch (error) { if (hasReason(error, "NotFound")) return undefined; throw error; }
  }

  /** Watches what the pod refers to, and lets go of what it no longer does. */
  use(pod: Pod): void {
    const uid = uidOf(pod), namespace = namespaceOf(pod), { configMaps, secrets: secretNames } = referencesOf(pod);
    this.#hold(this.#configMaps, configmaps, namespace, configMaps, uid);
    this.#hold(this.#secrets, secrets, namespace, secretNames, uid);
  }

  release(uid: string): void {
    this.#drop(this.#configMaps, uid, new Set());
    this.#drop(this.#secrets, uid, new Set());
  }

  #hold<T extends { metadata: ObjectMeta }>(entries: Map<string, Entry<T>>, resource: ResourceReference<T>, namespace: string, names: ReadonlySet<string>, uid: string): void {
    const keys = new Set([...names].map((name) => `${namespace}/${name}`));
    for (const name of names) {
      const key = `${namespace}/${name}`, entry = entries.get(key) ?? this.#watch(resource, namespace, name);
      entries.set(key, entry);
      entry.users.add(uid);
    }
    this.#drop(entries, uid, keys);
  }

  #drop<T extends { metadata: ObjectMeta }>(entries: Map<string, Entry<T>>, uid: string, keep: ReadonlySet<string>): void {
    for (const [key, entry] of entries) {
      if (keep.has(key) || !entry.users.delete(uid) || entry.users.size > 0) continue;
      entry.stop.abort();
      entries.delete(key);
    }
  }

  #watch<T extends { metadata: ObjectMeta }>(resource: ResourceReference<T>, namespace: string, name: string): Entry<T> {
    const informer = new Informer<T>(this.#deps, resource, { namespace, fieldSelector: `metadata.name=${name}` }), stop = new AbortController(), users = new Set<string>();
    informer.onChange(() => { for (const uid of users) this.#deps.onChange(uid); });
    return { informer, users, stop, done: informer.run(stop.signal) };
  }

  /** Stops all watches. */
  async stop(): Promise<void> {
    const all = [...this.#configMaps.values(), ...this.#secrets.values()];
    for (const entry of all) entry.stop.abort();
    await Promise.allSettled(all.map((entry) => entry.done));
  }
}
