/**
 * FakeClient: an API server's storage semantics in memory, for tests of what sits on a Client.
 *
 * Holds: revisions, optimistic locking, generateName, uid and creationTimestamp, status as a subresource, finalizers, watch from
 * a revision with bookmarks of history, `compact` to expire it. Faults: `failNext`, `cutWatches`. It has no defaults, no validation,
 * no admission: those are the real server's, in test/integration.
 */
import { groupResource, type ResourceReference } from "../../../lib/api/reference.ts";
import { StatusError, alreadyExists, conflict, notFound } from "../../../lib/api/status-error.ts";
import { ConnectionError, type Client, type DeleteParameters, type HasMeta, type KubeList, type ListParameters, type ObjectKey, type PatchType, type WatchEvent, type WatchParameters, type WriteParameters } from "../../../lib/client/client.ts";
import { joinKey, keyOf } from "../../../lib/runtime/object-key.ts";
import type { Clock } from "../../../lib/util/clock.ts";

type Stored = HasMeta & Record<string, unknown>;
interface Logged { revision: number; resource: string; type: "ADDED" | "MODIFIED" | "DELETED"; object: Stored }
export interface Call { verb: string; resource: string; key: string; body?: unknown; parameters?: unknown }

const copy = <T>(value: T): T => structuredClone(value);

export class FakeClient implements Client {
  /** Every write, in order. */
  readonly calls: Call[] = [];
  readonly #clock: Pick<Clock, "now">;
  readonly #objects = new Map<string, Map<string, Stored>>();
  readonly #history: Logged[] = [];
  #revision = 100;
  #compacted = 0;
  #faults: { verb: string; resource: string; error: Error }[] = [];
  #watchers = new Set<{ wake: () => void; cut: boolean }>();
  readonly watchesOpened: { resource: string; resourceVersion: string | undefined }[] = [];
  listsServed = 0;

  constructor(clock: Pick<Clock, "now"> = { now: () => new Date("2026-01-01T00:00:00Z") }) { this.#clock = clock; }

  /** Puts an object there as the server would hold it, status included. */
  seed<T extends HasMeta>(resource: ResourceReference<T>, ...objects: readonly T[]): void {
    for (const object of objects) {
      const old = this.#table(resource).get(keyOf(object)), fresh = copy(object) as unknown as Stored;
      if (old !== undefined) { fresh.metadata.uid ??= old.metadata.uid; fresh.metadata.creationTimestamp ??= old.metadata.creationTimestamp; }
      this.#commit(resource, old === undefined ? "ADDED" : "MODIFIED", this.#stamp(fresh));
    }
  }
  /** Takes an object away, whatever its finalizers. */
  drop(resource: ResourceReference, key: string): void {
    const object = this.#table(resource).get(key);
    if (object !== undefined) this.#commit(resource, "DELETED", object);
  }
  peek<T>(resource: ResourceReference<T>, key: string): T | undefined { return copy(this.#table(resource).get(key)) as T | undefined; }
  all<T>(resource: ResourceReference<T>): T[] { return [...this.#table(resource).values()].map((o) => copy(o)) as unknown as T[]; }
  /** The next call of `verb` on `resource` throws. */
  failNext(verb: string, resource: ResourceReference, error: Error): void { this.#faults.push({ verb, resource: groupResource(resource), error }); }
  cutWatches(): void { for (const w of this.#watchers) { w.cut = true; w.wake(); } }
  /** Watches from before now are refused as expired. */
  compact(): void { this.#compacted = this.#revision; }
  get revision(): number { return this.#revision; }
  callsOf(verb: string, resource: ResourceReference): Call[] { return this.calls.filter((c) => c.verb === verb && c.resource === groupResource(resource)); }

  async get<T>(resource: ResourceReference<T>, key: ObjectKey, signal?: AbortSignal): Promise<T> {
    await this.#enter("get", resource, signal);
    return copy(this.#must(resource, joinKey(key.namespace, key.name))) as T;
  }

  async list<T>(resource: ResourceReference<T>, parameters: ListParameters = {}, signal?: AbortSignal): Promise<KubeList<T>> {
    await this.#enter("list", resource, signal);
    this.listsServed++;
    const items = [...this.#table(resource).values()].filter((o) => parameters.namespace === undefined || o.metadata.namespace === parameters.namespace);
    return { apiVersion: "v1", kind: `${resource.kind}List`, metadata: { resourceVersion: String(this.#revision) }, items: copy(items) as unknown as T[] };
  }

  async create<T extends HasMeta>(resource: ResourceReference<T>, object: T, parameters: WriteParameters = {}, signal?: AbortSignal): Promise<T> {
    await this.#enter("create", resource, signal);
    const stored = copy(object) as unknown as Stored;
    if (!stored.metadata.name && stored.metadata.generateName) stored.metadata.name = `${stored.metadata.generateName}${(this.#revision + 1).toString(36).padStart(5, "0")}`;
    this.calls.push({ verb: "create", resource: groupResource(resource), key: keyOf(stored), body: copy(object), parameters });
    if (this.#table(resource).has(keyOf(stored))) throw alreadyExists(resource, stored.metadata.name);
    delete stored.metadata.resourceVersion;
    this.#commit(resource, "ADDED", this.#stamp(stored));
    return copy(stored) as unknown as T;
  }

  async createSubresource<T = unknown>(resource: ResourceReference, key: ObjectKey, subresource: string, body: unknown, signal?: AbortSignal): Promise<T> {
    await this.#enter("create", resource, signal);
    this.calls.push({ verb: `create/${subresource}`, resource: groupResource(resource), key: joinKey(key.namespace, key.name), body: copy(body) });
    this.#must(resource, joinKey(key.namespace, key.name));
    return copy(body) as T;
  }

  async update<T extends HasMeta>(resource: ResourceReference<T>, object: T, parameters: WriteParameters = {}, signal?: AbortSignal): Promise<T> {
    await this.#enter("update", resource, signal);
    const key = keyOf(object), old = this.#must(resource, key), fresh = copy(object) as unknown as Stored;
    this.calls.push({ verb: parameters.subresource === undefined ? "update" : `update/${parameters.subresource}`, resource: groupResource(resource), key, body: copy(object) });
    if (fresh.metadata.resourceVersion !== undefined && fresh.metadata.resourceVersion !== old.metadata.resourceVersion) throw conflict(resource, fresh.metadata.name, "the object has been modified; please apply your changes to the latest version and try again");
    return this.#replace(resource, old, parameters.subresource === "status" ? { ...copy(old), status: fresh["status"] } : { ...fresh, ...("status" in old ? { status: copy(old["status"]) } : {}) }) as unknown as T;
  }

  async patch<T>(resource: ResourceReference<T>, key: ObjectKey, type: PatchType, patch: unknown, parameters: WriteParameters & { force?: boolean } = {}, signal?: AbortSignal): Promise<T> {
    await this.#enter("patch", resource, signal);
    const name = joinKey(key.namespace, key.name), old = this.#must(resource, name);
    this.calls.push({ verb: parameters.subresource === undefined ? "patch" : `patch/${parameters.subresource}`, resource: groupResource(resource), key: name, body: copy(patch), parameters: { type } });
    if (type === "json") throw new Error("FakeClient applies no JSON patches");
    const wanted = (patch as { metadata?: { uid?: string; resourceVersion?: string } }).metadata;
    if (wanted?.uid !== undefined && wanted.uid !== old.metadata.uid) throw conflict(resource, key.name, "Precondition failed: UID in precondition");
    if (wanted?.resourceVersion !== undefined && wanted.resourceVersion !== old.metadata.resourceVersion) throw conflict(resource, key.name, "the object has been modified");
    return this.#replace(resource, old, merge(copy(old), patch) as Stored) as unknown as T;
  }

  async delete(resource: ResourceReference, key: ObjectKey, parameters: DeleteParameters = {}, signal?: AbortSignal): Promise<void> {
    await this.#enter("delete", resource, signal);
    const name = joinKey(key.namespace, key.name), object = this.#must(resource, name);
    this.calls.push({ verb: "delete", resource: groupResource(resource), key: name, parameters });
    if (parameters.preconditions?.uid !== undefined && parameters.preconditions.uid !== object.metadata.uid) throw conflict(resource, key.name, "the UID in the precondition does not match the UID in record. The object might have been deleted and then recreated");
    if (parameters.preconditions?.resourceVersion !== undefined && parameters.preconditions.resourceVersion !== object.metadata.resourceVersion) throw conflict(resource, key.name, "the ResourceVersion in the precondition does not match");
    const finalizers = new Set(object.metadata.finalizers);
    if (parameters.propagationPolicy === "Orphan") finalizers.add("orphan");
    if (parameters.propagationPolicy === "Foreground") finalizers.add("foregroundDeletion");
    if (finalizers.size === 0) { this.#commit(resource, "DELETED", object); return; }
    const marked = copy(object);
    marked.metadata.finalizers = [...finalizers];
    marked.metadata.deletionTimestamp ??= this.#clock.now().toISOString();
    this.#commit(resource, "MODIFIED", marked);
  }

  async deleteCollection(resource: ResourceReference, parameters: ListParameters & DeleteParameters = {}, signal?: AbortSignal): Promise<void> {
    this.calls.push({ verb: "deletecollection", resource: groupResource(resource), key: parameters.namespace ?? "" });
    for (const object of await this.list(resource, parameters, signal).then((l) => l.items as HasMeta[])) await this.delete(resource, object.metadata, {}, signal);
  }

  async *watch<T>(resource: ResourceReference<T>, parameters: WatchParameters, signal: AbortSignal): AsyncGenerator<WatchEvent<T>> {
    await this.#enter("watch", resource, signal);
    this.watchesOpened.push({ resource: groupResource(resource), resourceVersion: parameters.resourceVersion });
    let seen = Number(parameters.resourceVersion ?? this.#revision);
    if (seen < this.#compacted) throw new StatusError("Expired", `too old resource version: ${seen} (${this.#compacted})`);
    const watcher = { wake: (): void => {}, cut: false };
    const onAbort = (): void => watcher.wake();
    signal.addEventListener("abort", onAbort);
    this.#watchers.add(watcher);
    try {
      for (;;) {
        for (const entry of this.#history.filter((h) => h.revision > seen && h.resource === groupResource(resource))) {
          seen = entry.revision;
          if (parameters.namespace === undefined || entry.object.metadata.namespace === parameters.namespace) yield { type: entry.type, object: copy(entry.object) as unknown as T };
        }
        signal.throwIfAborted();
        if (watcher.cut) throw new ConnectionError("Lost connection");
        if (this.#history.some((h) => h.revision > seen && h.resource === groupResource(resource))) continue;
        await new Promise<void>((resolve) => { watcher.wake = resolve; });
      }
    } finally { this.#watchers.delete(watcher); signal.removeEventListener("abort", onAbort); }
  }

  async raw(method: string, path: string): Promise<{ status: number; body: string }> {
    this.calls.push({ verb: method, resource: "", key: path });
    return { status: 404, body: "" };
  }
  close(): void {}

  async #enter(verb: string, resource: ResourceReference, signal: AbortSignal | undefined): Promise<void> {
    await Promise.resolve();
    signal?.throwIfAborted();
    const at = this.#faults.findIndex((f) => f.verb === verb && f.resource === groupResource(resource));
    if (at >= 0) throw this.#faults.splice(at, 1)[0]!.error;
  }
  #table(resource: ResourceReference): Map<string, Stored> {
    const name = groupResource(resource);
    if (!this.#objects.has(name)) this.#objects.set(name, new Map());
    return this.#objects.get(name)!;
  }
  #must(resource: ResourceReference, key: string): Stored {
    const object = this.#table(resource).get(key);
    if (object === undefined) throw notFound(resource, key.slice(key.indexOf("/") + 1));
    return object;
  }
  #stamp(object: Stored): Stored {
    object.metadata.uid ??= `uid-${this.#revision + 1}`;
    object.metadata.creationTimestamp ??= this.#clock.now().toISOString().replace(/\.\d+Z$/, "Z");
    object.metadata.generation ??= 1;
    return object;
  }
  #replace(resource: ResourceReference, old: Stored, fresh: Stored): Stored {
    fresh.metadata = { ...fresh.metadata, uid: old.metadata.uid, creationTimestamp: old.metadata.creationTimestamp };
    const deletion = old.metadata.deletionTimestamp;
    if (deletion !== undefined) fresh.metadata.deletionTimestamp = deletion;
    if (JSON.stringify(fresh["spec"]) !== JSON.stringify(old["spec"])) fresh.metadata.generation = (old.metadata.generation ?? 0) + 1;
    if (deletion !== undefined && (fresh.metadata.finalizers ?? []).length === 0) this.#commit(resource, "DELETED", fresh);
    else this.#commit(resource, "MODIFIED", fresh);
    return copy(fresh);
  }
  #commit(resource: ResourceReference, type: Logged["type"], object: Stored): void {
    object.metadata.resourceVersion = String(++this.#revision);
    object["apiVersion"] = resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
    object["kind"] = resource.kind;
    if (type === "DELETED") this.#table(resource).delete(keyOf(object));
    else this.#table(resource).set(keyOf(object), object);
    this.#history.push({ revision: this.#revision, resource: groupResource(resource), type, object: copy(object) });
    for (const w of this.#watchers) w.wake();
  }
}

/** RFC 7386; keyed lists of strategic patches are joined by `uid`, `type` or `name`. */
function merge(target: unknown, patch: unknown): unknown {
  if (Array.isArray(patch) && Array.isArray(target) && patch.every((p) => typeof p === "object" && p !== null)) {
    const items = [...target as Record<string, unknown>[]];
    for (const p of patch as Record<string, unknown>[]) {
      const key = ["uid", "type", "name"].find((k) => k in p);
      const at = key === undefined ? -1 : items.findIndex((i) => i[key] === p[key]);
      if (p["$patch"] === "delete") { if (at >= 0) items.splice(at, 1); }
      else if (at >= 0) items[at] = merge(items[at], p) as Record<string, unknown>;
      else items.push(p);
    }
    return items;
  }
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = typeof target === "object" && target !== null && !Array.isArray(target) ? { ...target as Record<string, unknown> } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merge(result[name], value);
  }
  return result;
}
