/** Metadata a status update may not touch, for the kinds that hold to that. Counterpart: apimachinery `meta/v1` ResetObjectMetaForStatus. */
import type { KubeObject } from "../resource-definition.ts";

/** Takes labels, annotations, finalizers and owners from what is stored. */
export function keepMetadata({ metadata }: KubeObject, { metadata: old }: KubeObject): void {
  for (const field of ["labels", "annotations", "finalizers", "ownerReferences"] as const) {
    if (old[field] === undefined) delete metadata[field];
    else Object.assign(metadata, { [field]: old[field] });
  }
}
