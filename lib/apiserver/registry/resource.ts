/**
 * One served version of one resource: its definition, its cache, and how its objects get to and from the store.
 *
 * Where several versions share one stored thing (definition.storage), the cache holds the stored version and `view`
 * shows an entry in ours; the converted entry lives as long as the stored one is in use.
 */
import { randomBytes } from "node:crypto";
import type { Versions } from "../../api/managed-fields/versions.ts";
import type { KubeObject, ResourceDefinition } from "../../api/resource-definition.ts";
import { notFound } from "../../api/status-error.ts";
import type { Store } from "../../storage/store.ts";
import type { Clock } from "../../util/clock.ts";
import type { Logger } from "../../util/logger.ts";
import type { AdmissionChain } from "../admission/admission-chain.ts";
import { Entry } from "../cache/entry.ts";
import type { ResourceCache } from "../cache/resource-cache.ts";
import type { UserInfo, WriteHook } from "../contracts.ts";
import { Codec } from "./codec.ts";
import { objectKey } from "./keys.ts";

export interface RegistryDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly admission: AdmissionChain;
  readonly hooks: readonly WriteHook[];
}

/** Who writes, and how. */
export interface WriteContext {
  readonly user: UserInfo;
  readonly dryRun: boolean;
  readonly addWarning: (text: string) => void;
  /** Who will own the fields that change. */
  readonly fieldManager: string;
}

/** An object as it is stored, with its bytes. */
export interface StoredForm { readonly key: string; readonly object: KubeObject; readonly encoded: ReturnType<Codec["encode"]> }

export class Resource {
  readonly definition: ResourceDefinition;
  /** Of the version served. */
  readonly codec: Codec;
  readonly cache: ResourceCache;
  readonly deps: RegistryDeps;
  readonly hooks: readonly WriteHook[];
  readonly selectableFields: ReadonlySet<string>;
  /** Where several versions show the stored thing. */
  readonly versions: Versions | undefined;
  readonly #views = new WeakMap<Entry, Entry>();

  constructor(definition: ResourceDefinition, codec: Codec, cache: ResourceCache, deps: RegistryDeps, versions?: Versions) {
    this.definition = definition;
    this.versions = versions;
    this.codec = codec;
    this.cache = cache;
    this.deps = deps;
    this.hooks = deps.hooks.filter((hook) => hook.resource.group === definition.group && hook.resource.plural === definition.plural);
    this.selectableFields = new Set(Object.keys(definition.selectableFields?.(BLANK) ?? {}));
  }

  key(namespace: string, name: string): string { return objectKey(this.cache.prefix, namespace, name); }

  /** The stored entry; throws NotFound. */
  find(namespace: string, name: string): Entry {
    const entry = this.cache.get(this.key(namespace, name));
    if (entry === undefined) throw notFound(this.definition, name);
    return entry;
  }

  /** A stored entry as this version shows it. */
  view(stored: Entry): Entry {
    const { storage } = this.definition;
    if (storage === undefined) return stored;
    const known = this.#views.get(stored);
    if (known !== undefined) return known;
    const object = storage.fromStorage(this.cache.decode(stored));
    const view = this.codec.entry(stored.key, this.codec.encode(object), stored.revision, object);
    this.#views.set(stored, view);
    return view;
  }

  /** A new decoded object in this version. */
  decode(stored: Entry): KubeObject {
    const { storage } = this.definition;
    if (storage === undefined) return this.codec.decode(stored);
    return { ...storage.fromStorage(this.cache.codec.decode(stored)), apiVersion: this.codec.apiVersion, kind: this.definition.kind };
  }

  /** A shared decoded object in this version; frozen by convention. */
  peek(stored: Entry): KubeObject { return this.definition.storage === undefined ? this.cache.decode(stored) : this.decode(stored); }

  #stored(object: KubeObject): KubeObject {
    const stored = this.definition.storage?.toStorage(object) ?? object;
    stored.kind = this.cache.codec.definition.kind;
    stored.apiVersion = this.cache.codec.apiVersion;
    return stored;
  }

  /** The form an object is stored in: made once, to be compared and written. */
  storedForm(object: KubeObject): StoredForm {
    const stored = this.#stored(object), { codec, prefix } = this.cache;
    return { key: codec.key(prefix, stored), object: stored, encoded: codec.encode(stored) };
  }

  /** What a write would leave: what a dry run answers with, and what an update is compared with. */
  preview({ key, object, encoded }: StoredForm, revision: number): Entry { return this.cache.codec.entry(key, encoded, revision, object); }

  /** Writes; `expectedRevision` 0 means the object must not exist. The object is the cache's from here on. Throws RevisionConflictError. */
  async put({ key, object, encoded }: StoredForm, expectedRevision: number): Promise<Entry> {
    const settled = this.cache.expect(key, encoded.value, object);
    try {
      const record = await this.deps.store.put(key, encoded.value, { expectedRevision });
      const entry = this.cache.get(key);
      return entry !== undefined && entry.revision === record.modRevision ? entry : this.cache.codec.entry(key, encoded, record.modRevision, object);
    } finally { settled(); }
  }

  /** Removes; returns the entry at the deletion's revision, undefined when it was gone. Throws RevisionConflictError. */
  async remove(entry: Entry): Promise<Entry | undefined> {
    const removed = await this.deps.store.delete(entry.key, { expectedRevision: entry.revision });
    if (removed === undefined) return undefined;
    if (this.hooks.length > 0) {
      const object = this.peek(entry);
      for (const hook of this.hooks) hook.afterDelete?.(object);
    }
    return entry.at(removed.revision);
  }
}

/** An object with nothing in it, for asking a definition which fields can be selected. */
const BLANK = { metadata: {}, spec: {}, status: {} } as unknown as KubeObject;

const SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789", SUFFIX_LENGTH = 5, GENERATE_PREFIX_MAX = 58, RANDOM_STORE_BYTES = 1_024;

/** Random bytes in store: asking for a few at a time costs more than all the rest of a name. */
const random = { bytes: Buffer.alloc(0), at: 0 };

function randomByte(): number {
  if (random.at >= random.bytes.length) { random.bytes = randomBytes(RANDOM_STORE_BYTES); random.at = 0; }
  return random.bytes[random.at++]!;
}

/** `generateName` and five random characters. Counterpart: apiserver `names.SimpleNameGenerator`. */
export function generatedName(prefix: string): string {
  let suffix = "";
  while (suffix.length < SUFFIX_LENGTH) {
    const byte = randomByte();
    // 243 = 9 · 27: bytes above would make the first letters likelier.
    if (byte < 243) suffix += SUFFIX_ALPHABET[byte % 27]!;
  }
  return prefix.slice(0, GENERATE_PREFIX_MAX) + suffix;
}
