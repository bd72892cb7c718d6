/**
 * What a DELETE does to an object: removes it, marks it, or finds it on its way already. Pure.
 * Counterpart: apiserver `registry/rest/delete.go` BeforeDelete and `registry/generic/registry/store.go`.
 */
import type { KubeObject, ResourceDefinition } from "../../api/resource-definition.ts";
import { invalidError, invalid, notSupported } from "../../api/field-error.ts";
import { conflict } from "../../api/status-error.ts";
import type { DeleteOptions, ObjectMeta, Pod } from "../../api/schema/generated/models.ts";
import { toTimestamp } from "../../api/helpers/timestamps.ts";

export type DeletePlan =
  | { readonly kind: "remove" }
  /** Deletion is under way and this request adds nothing. */
  | { readonly kind: "pending" }
  /** Write these into the metadata, and wait for finalizers or the kubelet. */
  | { readonly kind: "mark"; readonly metadata: Pick<ObjectMeta, "finalizers" | "deletionTimestamp" | "deletionGracePeriodSeconds" | "generation"> };

export const ORPHAN = "orphan", FOREGROUND = "foregroundDeletion";
const POLICIES = ["Background", "Foreground", "Orphan"];

/** Refuses options upstream refuses. */
export function checkDeleteOptions(options: DeleteOptions): void {
  const errors = [];
  if (options.orphanDependents !== undefined && options.orphanDependents !== null && options.propagationPolicy !== undefined) errors.push(invalid("propagationPolicy", options.propagationPolicy, "orphanDependents and deletionPropagation cannot be both set"));
  if (options.propagationPolicy !== undefined && !POLICIES.includes(options.propagationPolicy)) errors.push(notSupported("propagationPolicy", options.propagationPolicy, [...POLICIES, "nil"]));
  if (errors.length > 0) throw invalidError("", "DeleteOptions", "", errors);
}

/** Throws Conflict when the object is not the one the client means. */
export function checkPreconditions(definition: ResourceDefinition, object: KubeObject, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions ?? {}, meta = object.metadata;
  if (uid !== undefined && uid !== meta.uid) {
    throw conflict(definition, meta.name!, `the UID in the precondition (${uid}) does not match the UID in record (${meta.uid}). The object might have been deleted and then recreated`);
  }
  if (resourceVersion !== undefined && resourceVersion !== meta.resourceVersion) {
    throw conflict(definition, meta.name!, `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${meta.resourceVersion}). The object might have been modified`);
  }
}

/** Finalizers after the options had their say: dependents orphaned, waited for, or left to the collector. */
export function planFinalizers(finalizers: readonly string[], options: DeleteOptions, defaultPropagation: "background" | "orphan"): string[] {
  let orphan: boolean, foreground: boolean;
  if (typeof options.orphanDependents === "boolean") { orphan = options.orphanDependents; foreground = false; }
  else if (options.propagationPolicy !== undefined) { orphan = options.propagationPolicy === "Orphan"; foreground = options.propagationPolicy === "Foreground"; }
  else {
    // What the object itself says comes before the kind's default.
    foreground = finalizers.includes(FOREGROUND);
    orphan = finalizers.includes(ORPHAN) || (!foreground && defaultPropagation === "orphan");
  }
  const kept = finalizers.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND);
  if (orphan) kept.push(ORPHAN);
  if (foreground) kept.push(FOREGROUND);
  return kept;
}

/** Seconds a pod may take to stop; the client's wish counts only while it runs somewhere. */
function podGrace(pod: Pod, definition: ResourceDefinition, options: DeleteOptions): number {
  if ((pod.spec?.nodeName ?? "") === "" || pod.status?.phase === "Failed" || pod.status?.phase === "Succeeded") return 0;
  const wanted = options.gracePeriodSeconds ?? definition.defaultGraceSeconds?.(pod) ?? pod.spec?.terminationGracePeriodSeconds ?? 30;
  return wanted < 0 ? 1 : wanted;
}

const isPod = (definition: ResourceDefinition): boolean => definition.group === "" && definition.plural === "pods";

/** Decides. `object` carries its resourceVersion. Throws Conflict for a failed precondition. */
export function planDelete(definition: ResourceDefinition, object: KubeObject, options: DeleteOptions, now: Date): DeletePlan {
  checkPreconditions(definition, object, options);
  const meta = object.metadata, graceful = isPod(definition);
  const current = meta.finalizers ?? [];
  const bumped = meta.generation !== undefined && meta.generation > 0 ? { generation: meta.generation + 1 } : {};
  if (graceful && meta.deletionTimestamp !== undefined) {
    const left = meta.deletionGracePeriodSeconds ?? 0;
    if (left !== 0) {
      const wanted = options.gracePeriodSeconds;
      if (wanted === undefined || wanted >= left) return { kind: "pending" };
      if (wanted <= 0 && current.length === 0) return { kind: "remove" };
      const moved = new Date(Date.parse(meta.deletionTimestamp) - (left - Math.max(wanted, 0)) * 1000);
      return { kind: "mark", metadata: { finalizers: current, deletionTimestamp: toTimestamp(moved), deletionGracePeriodSeconds: Math.max(wanted, 0) } };
    }
  }
  const finalizers = planFinalizers(current, options, definition.defaultPropagation);
  if (graceful && meta.deletionTimestamp === undefined) {
    const grace = podGrace(object as unknown as Pod, definition, options);
    if (grace > 0 || finalizers.length > 0) {
      return { kind: "mark", metadata: { finalizers, deletionTimestamp: toTimestamp(new Date(now.getTime() + grace * 1000)), deletionGracePeriodSeconds: grace, ...bumped } };
    }
    return { kind: "remove" };
  }
  if (finalizers.length === 0) return { kind: "remove" };
  const marked = meta.deletionTimestamp !== undefined;
  if (marked && finalizers.length === current.length && finalizers.every((finalizer, i) => finalizer === current[i])) return { kind: "pending" };
  return { kind: "mark", metadata: { finalizers, deletionTimestamp: meta.deletionTimestamp ?? toTimestamp(now), deletionGracePeriodSeconds: 0, ...(marked ? {} : bumped) } };
}
