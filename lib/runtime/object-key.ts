/** Keys of objects in queues and stores: `namespace/name`, or `name` for cluster-scoped ones. Counterpart: client-go `MetaNamespaceKeyFunc`. */
import type { ObjectKey } from "../client/client.ts";

/** `namespace/name`, or `name` without a namespace. */
export const keyOf = (object: { metadata: { namespace?: string | undefined; name: string } }): string => joinKey(object.metadata.namespace, object.metadata.name);

export const joinKey = (namespace: string | undefined, name: string): string => (namespace === undefined || namespace === "" ? name : `${namespace}/${name}`);

/** The inverse of `keyOf`; goes into `client.get` as it is. */
export function splitKey(key: string): ObjectKey {
  const slash = key.indexOf("/");
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
