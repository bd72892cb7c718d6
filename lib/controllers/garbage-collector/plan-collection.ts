/** What becomes of an object, given how its owners are. Pure. Counterpart: kubernetes `pkg/controller/garbagecollector` attemptToDeleteItem. */
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER } from "./owner-graph.ts";
import type { ObjectMeta, OwnerReference } from "../../api/schema/generated/models.ts";

/** `solid`: there. `absent`: gone. `waiting`: there, and waiting for its dependents to go. */
export type OwnerState = "solid" | "absent" | "waiting";
export interface JudgedOwner { readonly reference: OwnerReference; readonly state: OwnerState }

export type Collection =
  | { readonly kind: "keep" }
  /** Lives on with these owners alone. */
  | { readonly kind: "disown"; readonly owners: OwnerReference[] }
  | { readonly kind: "delete"; readonly propagation: "Orphan" | "Background" | "Foreground"; /** It is part of a ring that waits for itself: first it must stop blocking. */ readonly unblock: boolean };

/**
 * Decides for an object with owners. `dependents` are how those that own nothing of it fare: whether it has any, and whether one of
 * them is itself waiting for its dependents.
 */
export function planCollection(metadata: ObjectMeta, owners: readonly JudgedOwner[], dependents: { any: boolean; someWaiting: boolean }): Collection {
  if (owners.length === 0) return { kind: "keep" };
  const solid = owners.filter((o) => o.state === "solid");
  if (solid.length === owners.length) return { kind: "keep" };
  if (solid.length > 0) return { kind: "disown", owners: solid.map((o) => o.reference) };
  if (owners.some((o) => o.state === "waiting") && dependents.any) return { kind: "delete", propagation: "Foreground", unblock: dependents.someWaiting };
  const finalizers = metadata.finalizers ?? [];
  const propagation = finalizers.includes(ORPHAN_FINALIZER) ? "Orphan" : finalizers.includes(FOREGROUND_FINALIZER) ? "Foreground" : "Background";
  return { kind: "delete", propagation, unblock: false };
}
