/**
 * The REST client's contract: typed verbs over a ResourceReference. Failures are `StatusError`; a lost connection is
 * `ConnectionError` (retry is the caller's). Counterpart: client-go `rest` and the typed clientsets.
 */
import type { ResourceReference } from "../api/reference.ts";
import type { ListMeta, ObjectMeta } from "../api/schema/generated/models.ts";

export interface ObjectKey { namespace?: string | undefined; name: string }
export interface KubeList<T> { apiVersion: string; kind: string; metadata: ListMeta; items: T[] }
export type WatchEventType = "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
export interface WatchEvent<T> { type: WatchEventType; object: T }
export interface ListParameters { namespace?: string | undefined; labelSelector?: string; fieldSelector?: string; limit?: number; continue?: string; resourceVersion?: string; resourceVersionMatch?: string; /** Asks for PartialObjectMetadata: only `metadata` is sure to be there. */ metadataOnly?: boolean }
export interface WatchParameters { namespace?: string | undefined; labelSelector?: string; fieldSelector?: string; resourceVersion?: string; allowWatchBookmarks?: boolean; timeoutSeconds?: number; /** As in ListParameters. */ metadataOnly?: boolean }
export interface WriteParameters { subresource?: string; dryRun?: boolean; fieldManager?: string }
export type PatchType = "json" | "merge" | "strategic" | "apply";
export interface DeleteParameters { gracePeriodSeconds?: number; propagationPolicy?: "Orphan" | "Background" | "Foreground"; preconditions?: { uid?: string; resourceVersion?: string }; dryRun?: boolean }
export type HasMeta = { metadata: ObjectMeta };

export interface Client {
  get<T>(resource: ResourceReference<T>, key: ObjectKey, signal?: AbortSignal): Promise<T>;
  list<T>(resource: ResourceReference<T>, parameters?: ListParameters, signal?: AbortSignal): Promise<KubeList<T>>;
  create<T extends HasMeta>(resource: ResourceReference<T>, object: T, parameters?: WriteParameters, signal?: AbortSignal): Promise<T>;
  /** Posts `body` to a subresource of `key`, such as binding, eviction or token. */
  createSubresource<T = unknown>(resource: ResourceReference, key: ObjectKey, subresource: string, body: unknown, signal?: AbortSignal): Promise<T>;
  update<T extends HasMeta>(resource: ResourceReference<T>, object: T, parameters?: WriteParameters, signal?: AbortSignal): Promise<T>;
  patch<T>(resource: ResourceReference<T>, key: ObjectKey, type: PatchType, patch: unknown, parameters?: WriteParameters & { force?: boolean }, signal?: AbortSignal): Promise<T>;
  /** Resolves when the server accepted the deletion; a NotFound is thrown as any other StatusError. */
  delete(resource: ResourceReference, key: ObjectKey, parameters?: DeleteParameters, signal?: AbortSignal): Promise<void>;
  deleteCollection(resource: ResourceReference, parameters?: ListParameters & DeleteParameters, signal?: AbortSignal): Promise<void>;
  /** Ends when the server ends the watch; throws StatusError (410 Expired included) or ConnectionError. */
  watch<T>(resource: ResourceReference<T>, parameters: WatchParameters, signal: AbortSignal): AsyncIterable<WatchEvent<T>>;
  /** Any path, e.g. `/readyz`. Returns status and text; does not throw on 4xx or 5xx. */
  raw(method: string, path: string, options?: { body?: string | Buffer; headers?: Record<string, string>; signal?: AbortSignal }): Promise<{ status: number; body: string }>;
  close(): void;
}

export class ConnectionError extends Error { override readonly name = "ConnectionError"; }
