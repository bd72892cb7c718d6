/** Owner references: who controls an object. Counterpart: apimachinery `meta/v1/controller_ref.go`. */
import type { ObjectMeta, OwnerReference } from "../schema/generated/models.ts";
import { apiVersionOf, type ResourceReference } from "../reference.ts";

interface Owned { readonly metadata: Pick<ObjectMeta, "ownerReferences"> }

/** The one owner that manages the object, if any. */
export const controllerOf = (object: Owned): OwnerReference | undefined => object.metadata.ownerReferences?.find((o) => o.controller === true);

/** Whether `owner` (by uid) controls the object. */
export const isControlledBy = (object: Owned, owner: { readonly metadata: Pick<ObjectMeta, "uid"> }): boolean => controllerOf(object)?.uid === owner.metadata.uid;

/** The reference a controller puts on what it makes. */
export function newControllerRef(owner: { readonly metadata: ObjectMeta }, resource: ResourceReference): OwnerReference {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, name: owner.metadata.name, uid: owner.metadata.uid ?? "", controller: true, blockOwnerDeletion: true };
}
