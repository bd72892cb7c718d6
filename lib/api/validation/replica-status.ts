/** Counts of replicas that must agree with each other. Counterpart: `ValidateReplicaSetStatus` in kubernetes `apis/apps/validation`. */
import { invalid } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { checkNonNegative, type Errors } from "./checks.ts";

export interface ReplicaCounts {
  readonly replicas?: number | undefined; readonly fullyLabeledReplicas?: number | undefined; readonly readyReplicas?: number | undefined;
  readonly availableReplicas?: number | undefined; readonly updatedReplicas?: number | undefined; readonly currentReplicas?: number | undefined;
  readonly terminatingReplicas?: number | undefined; readonly observedGeneration?: number | undefined; readonly collisionCount?: number | undefined;
}
const COUNTS = ["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "updatedReplicas", "currentReplicas", "terminatingReplicas", "observedGeneration", "collisionCount"] as const;

/** None negative, none of the parts more than the whole. */
export function checkReplicaCounts(errors: Errors, path: FieldPath, status: ReplicaCounts): void {
  for (const count of COUNTS) checkNonNegative(errors, path.child(count), status[count]);
  const replicas = status.replicas ?? 0, ready = status.readyReplicas ?? 0;
  for (const part of ["fullyLabeledReplicas", "updatedReplicas", "readyReplicas", "availableReplicas", "currentReplicas"] as const) {
    if ((status[part] ?? 0) > replicas) errors.push(invalid(path.child(part), status[part], "cannot be greater than status.replicas"));
  }
  if ((status.availableReplicas ?? 0) > ready) errors.push(invalid(path.child("availableReplicas"), status.availableReplicas, "cannot be greater than readyReplicas"));
}
