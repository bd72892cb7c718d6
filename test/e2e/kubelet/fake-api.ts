/**
 * A small API server in memory, as a Client: enough of the real one for a kubelet alone on a host. Objects, watches, merge of status patches,
 * graceful deletion of pods, tokens. What it does not do it refuses.
 */
import type { ResourceReference } from "../../../lib/api/reference.ts";
import { alreadyExists, conflict, notFound } from "../../../lib/api/status-error.ts";
import type { ObjectMeta, Pod } from "../../../lib/api/schema/generated/models.ts";
import type { Client, DeleteParameters, KubeList, ListParameters, ObjectKey, PatchType, WatchEvent, WatchParameters, WriteParameters } from "../../../lib/client/client.ts";

interface Any { apiVersion?: string; kind?: string; metadata: ObjectMeta; spec?: Record<string, unknown>; status?: Record<string, unknown> }
type Watcher = { resource: string; matches: (object: Any) => boolean; push: (event: WatchEvent<Any>) => void };

const keyOf = (key: ObjectKey): string => `${key.namespace ?? ""}/${key.name}`;
const MERGE_KEYS: Record<string, string> = { conditions: "type", podIPs: "ip", hostIPs: "ip", addresses: "type", taints: "key" };

function selectorOf(parameters: { namespace?: string | undefined; fieldSelector?: string }): (object: Any) => boolean {
  const fields = (parameters.fieldSelector ?? "").split(",").filter((part) => part !== "").map((part) => part.split("=") as [string, string]);
  return (object) => (parameters.namespace === undefined || object.metadata.namespace === parameters.namespace)
    && fields.every(([path, value]) => (path.split(".").reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], object) ?? "") === value);
}

/** Strategic merge, for the lists a kubelet patches. */
function merge(target: Record<string, unknown>, patch: Record<string, unknown>, strategic: boolean): void {
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete target[name];
    else if (Array.isArray(value) && strategic && MERGE_KEYS[name] !== undefined) {
      const key = MERGE_KEYS[name]!, items = value as Record<string, unknown>[], replace = items.some((item) => item["$patch"] === "replace");
      const list = replace ? [] : [...((target[name] ?? []) as Record<string, unknown>[])];
      for (const item of items.filter((i) => i["$patch"] === undefined)) {
        const held = list.find((i) => i[key] === item[key]);
        if (held === undefined) { const fresh = {}; merge(fresh, item, strategic); list.push(fresh); } else merge(held, item, strategic);
      }
      target[name] = list;
    } else if (typeof value === "object" && !Array.isArray(value)) {
      const inner = (target[name] ?? {}) as Record<string, unknown>;
      merge(inner, value as Record<string, unknown>, strategic);
      target[name] = inner;
    } else target[name] = value;
  }
}

export class FakeApi implements Client {
  readonly #objects = new Map<string, Map<string, Any>>();
  readonly #watchers = new Set<Watcher>();
  readonly writes: { verb: string; resource: string; key: string; atMs: number }[] = [];
  #version = 1_000;
  /** When false every call fails as a lost connection would. */
  reachable = true;

  #table(resource: ResourceReference): Map<string, Any> {
    const table = this.#objects.get(resource.plural) ?? new Map<string, Any>();
    this.#objects.set(resource.plural, table);
    return table;
  }

  #check(): void { if (!this.reachable) throw Object.assign(new Error("connection refused"), { name: "ConnectionError" }); }

  #store(resource: ResourceReference, object: Any, type: "ADDED" | "MODIFIED" | "DELETED"): Any {
    object.metadata.resourceVersion = String(++this.#version);
    const key = keyOf({ namespace: object.metadata.namespace, name: object.metadata.name });
    if (type === "DELETED") this.#table(resource).delete(key); else this.#table(resource).set(key, object);
    this.writes.push({ verb: type, resource: resource.plural, key, atMs: performance.now() });
    for (const watcher of this.#watchers) if (watcher.resource === resource.plural && watcher.matches(object)) watcher.push({ type, object: structuredClone(object) });
    return structuredClone(object);
  }

  #held(resource: ResourceReference, key: ObjectKey): Any {
    this.#check();
    const object = this.#table(resource).get(keyOf(key));
    if (object === undefined) throw notFound(resource, key.name);
    return structuredClone(object);
  }

  async get<T>(resource: ResourceReference<T>, key: ObjectKey): Promise<T> { return this.#held(resource, key) as T; }

  async list<T>(resource: ResourceReference<T>, parameters: ListParameters = {}): Promise<KubeList<T>> {
    this.#check();
    const items = [...this.#table(resource).values()].filter(selectorOf(parameters)).map((object) => structuredClone(object)) as T[];
    return { apiVersion: "v1", kind: `${resource.kind}List`, metadata: { resourceVersion: String(this.#version) }, items };
  }

  async create<T extends { metadata: ObjectMeta }>(resource: ResourceReference<T>, object: T): Promise<T> {
    this.#check();
    const fresh = structuredClone(object) as unknown as Any;
    if (this.#table(resource).has(keyOf({ namespace: fresh.metadata.namespace, name: fresh.metadata.name }))) throw alreadyExists(resource, fresh.metadata.name);
    fresh.metadata.uid ??= crypto.randomUUID();
    fresh.metadata.creationTimestamp = new Date().toISOString();
    fresh.metadata.generation = 1;
    return this.#store(resource, fresh, "ADDED") as unknown as T;
  }

  async createSubresource<T>(resource: ResourceReference, key: ObjectKey, subresource: string, body: unknown): Promise<T> {
    this.#check();
    if (subresource !== "token") throw new Error(`the fake API has no ${resource.plural}/${subresource}`);
    const seconds = (body as { spec: { expirationSeconds: number } }).spec.expirationSeconds;
    return { status: { token: `token-${key.namespace}-${key.name}-${++this.#version}`, expirationTimestamp: new Date(Date.now() + seconds * 1_000).toISOString() } } as T;
  }

  async update<T extends { metadata: ObjectMeta }>(resource: ResourceReference<T>, object: T): Promise<T> {
    const held = this.#held(resource, { namespace: object.metadata.namespace, name: object.metadata.name });
    if (object.metadata.resourceVersion !== undefined && held.metadata.resourceVersion !== object.metadata.resourceVersion) throw conflict(resource, object.metadata.name, "the object has been modified");
    return this.#store(resource, structuredClone(object) as unknown as Any, "MODIFIED") as unknown as T;
  }

  async patch<T>(resource: ResourceReference<T>, key: ObjectKey, type: PatchType, patch: unknown, _parameters?: WriteParameters): Promise<T> {
    const held = this.#held(resource, key), uid = (patch as Any).metadata?.uid;
    if (uid !== undefined && uid !== held.metadata.uid) throw conflict(resource, key.name, "uid mismatch");
    merge(held as unknown as Record<string, unknown>, structuredClone(patch) as Record<string, unknown>, type === "strategic");
    return this.#store(resource, held, "MODIFIED") as T;
  }

  async delete(resource: ResourceReference, key: ObjectKey, parameters: DeleteParameters = {}): Promise<void> {
    const held = this.#held(resource, key);
    if (parameters.preconditions?.uid !== undefined && parameters.preconditions.uid !== held.metadata.uid) throw conflict(resource, key.name, "uid mismatch");
    const grace = parameters.gracePeriodSeconds ?? (held as unknown as Pod).spec?.terminationGracePeriodSeconds ?? 30;
    if (resource.plural !== "pods" || grace === 0) { this.#store(resource, held, "DELETED"); return; }
    held.metadata.deletionTimestamp = new Date(Date.now() + grace * 1_000).toISOString();
    held.metadata.deletionGracePeriodSeconds = grace;
    this.#store(resource, held, "MODIFIED");
  }

  async deleteCollection(): Promise<void> { throw new Error("the fake API has no deletecollection"); }

  async *watch<T>(resource: ResourceReference<T>, parameters: WatchParameters, signal: AbortSignal): AsyncIterable<WatchEvent<T>> {
    this.#check();
    const queue: WatchEvent<Any>[] = [], selects = selectorOf(parameters);
    let wake: (() => void) | undefined;
    // What happened between the list and the watch: everything newer is told again.
    for (const object of this.#table(resource).values()) if (selects(object) && Number(object.metadata.resourceVersion) > Number(parameters.resourceVersion ?? 0)) queue.push({ type: "MODIFIED", object: structuredClone(object) });
    const watcher: Watcher = { resource: resource.plural, matches: selects, push: (event) => { queue.push(event); wake?.(); } };
    this.#watchers.add(watcher);
    const onAbort = (): void => wake?.();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      for (;;) {
        signal.throwIfAborted();
        const next = queue.shift();
        if (next !== undefined) yield next as unknown as WatchEvent<T>;
        else await new Promise<void>((resolve) => { wake = resolve; });
      }
    } finally { this.#watchers.delete(watcher); signal.removeEventListener("abort", onAbort); }
  }

  async raw(): Promise<{ status: number; body: string }> { return { status: 404, body: "" }; }
  close(): void { /* Nothing is open. */ }
}
