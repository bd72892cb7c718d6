/**
 * One resource, one definition: routing, discovery, OpenAPI, tables, RBAC names and storage follow from it.
 * Pure: no I/O. Hooks change the decoded object in place; they run in the order
 * defaults -> prepareForCreate|prepareForUpdate -> (mutating admission) -> defaults -> validate -> (validating admission).
 * Hooks see objects whose types were checked against the schema and whose nulls were dropped; required fields may still be absent.
 * The server validates metadata (`validation/object-meta.ts`) before the hooks below.
 * Counterpart: apiserver `rest.RESTCreateStrategy` and its siblings, plus printers' column tables.
 */
import type { FieldError } from "./field-error.ts";
import type { ObjectMeta } from "./schema/generated/models.ts";
import type { ResourceReference } from "./reference.ts";

export interface KubeObject { apiVersion?: string | undefined; kind?: string | undefined; metadata: ObjectMeta }

export interface Column<T> {
  readonly name: string;
  readonly type: "string" | "integer" | "boolean" | "date" | "number";
  /** "name" on the name column, else "". */
  readonly format?: string;
  readonly description: string;
  /** 0 always shown, 1 only with `-o wide`. */
  readonly priority?: 0 | 1;
  /** The cell. Ages are computed from `now` (Go's HumanDuration) as upstream's server does. */
  cell(object: T, now: Date): string | number | boolean;
}

export interface StrategyContext {
  readonly now: Date;
  /** Name of the requesting user. */
  readonly user: string;
  /** The rest of what authentication said of them. */
  readonly userInfo?: { readonly uid?: string; readonly groups: readonly string[]; readonly extra?: Readonly<Record<string, readonly string[]>> };
}

export interface ScaleDefinition {
  readonly specReplicasPath: string; // e.g. ".spec.replicas"
  readonly statusReplicasPath: string;
  readonly labelSelectorPath: string;
}

/** How one more subresource changes an object; `prepare` takes from `old` what it may not touch. */
export interface SubresourceUpdate<T extends KubeObject = KubeObject> {
  prepare(object: T, old: T, context: StrategyContext): void;
  validate(object: T, old: T): FieldError[];
}

/** Both functions return a new object, apiVersion and kind set; the input is not changed. */
export interface StorageVersion<T extends KubeObject = KubeObject> {
  readonly reference: ResourceReference;
  toStorage(object: T): KubeObject;
  fromStorage(stored: KubeObject): T;
}

export interface ResourceDefinition<T extends KubeObject = KubeObject> extends ResourceReference<T> {
  readonly singular: string;
  /** The schema model of the object, e.g. "Pod". */
  readonly model: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** create, get, list, watch, update, patch, delete, deletecollection: what the schema says exists. */
  readonly verbs: readonly string[];
  /** Names of the subresources the schema says exist: status, scale, log, exec, binding … */
  readonly subresources: readonly string[];
  readonly scale?: ScaleDefinition;
  /** Whether metadata.generation counts spec changes. */
  readonly hasGeneration: boolean;
  /** Whether an update counts up metadata.generation; by default when anything but metadata and status differs. */
  generationChanged?(object: T, old: T): boolean;
  /** Set where several versions share one stored thing: which one is stored, and how to get there and back. */
  readonly storage?: StorageVersion<T>;
  /** PUT on a name that does not exist creates it. */
  readonly allowCreateOnUpdate: boolean;
  /** PUT without resourceVersion is accepted. */
  readonly allowUnconditionalUpdate: boolean;
  /** Seconds of grace when DeleteOptions names none; 0 deletes at once. Pods: spec.terminationGracePeriodSeconds or 30. */
  defaultGraceSeconds?(object: T): number;
  /** Finalizers and dependents on delete: the default propagation when DeleteOptions names none. */
  readonly defaultPropagation: "background" | "orphan";
  /** Validates metadata.name (`prefix`: metadata.generateName); the faults in upstream's words, empty when fine. */
  readonly validateName: (name: string, prefix: boolean) => readonly string[];
  defaults?(object: T): void;
  prepareForCreate?(object: T, context: StrategyContext): void;
  prepareForUpdate?(object: T, old: T, context: StrategyContext): void;
  /** Update through /status: by default everything but status (and metadata bookkeeping) is taken from `old`. */
  prepareForStatusUpdate?(object: T, old: T, context: StrategyContext): void;
  /** On create, and on update where there is no `validateUpdate`. */
  validate?(object: T): FieldError[];
  /** On update, alone: it repeats what of `validate` still holds. */
  validateUpdate?(object: T, old: T): FieldError[];
  validateStatusUpdate?(object: T, old: T): FieldError[];
  /** Other subresources whose body is this same kind and that are updated by PUT and PATCH: pods/resize, namespaces/finalize … */
  readonly subresourceUpdates?: Readonly<Record<string, SubresourceUpdate<T>>>;
  /** Texts for `Warning` headers on create and update. */
  warnings?(object: T, old: T | undefined): string[];
  readonly columns: readonly Column<T>[];
  /** Fields usable in fieldSelector beside metadata.name and metadata.namespace. */
  selectableFields?(object: T): Record<string, string>;
  /** Set where upstream warns on every use of this version, e.g. "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice". */
  readonly deprecation?: string;
  /** Set where the kind is stored but nothing acts on it in this release; create then answers with a `Warning` header. */
  readonly notRunYet?: boolean;
}
