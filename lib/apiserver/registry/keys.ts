/**
 * Where objects live in the store: `/registry/<resource>[/<namespace>]/<name>`, byte for byte upstream's places.
 * Counterpart: kubernetes `kubeapiserver/default_storage_factory_builder.go` and apiserver `registry/generic`.
 */
import type { ResourceReference } from "../../api/reference.ts";

export const ROOT = "/registry/";

/** Upstream's historical names, where they are not the resource's own. */
const SPECIAL: Record<string, string> = {
  replicationcontrollers: "controllers", nodes: "minions", services: "services/specs", endpoints: "services/endpoints",
  "ingresses.networking.k8s.io": "ingress",
  "customresourcedefinitions.apiextensions.k8s.io": "apiextensions.k8s.io/customresourcedefinitions",
  "apiservices.apiregistration.k8s.io": "apiregistration.k8s.io/apiservices",
  // One kind, two groups: stored with the core events.
  "events.events.k8s.io": "events",
};

/** Key prefix of all objects of a resource, with a slash at its end. `custom` resources carry their group. */
export function resourcePrefix(resource: Pick<ResourceReference, "group" | "plural">, custom = false): string {
  if (custom) return `${ROOT}${resource.group}/${resource.plural}/`;
  const qualified = resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
  return `${ROOT}${Object.hasOwn(SPECIAL, qualified) ? SPECIAL[qualified]! : resource.plural}/`;
}

/** Key of one object; `namespace` is "" for resources of the cluster. */
export const objectKey = (prefix: string, namespace: string, name: string): string => (namespace === "" ? prefix + name : `${prefix}${namespace}/${name}`);

/** Prefix of the objects of one namespace, or of all when it is "". */
export const listPrefix = (prefix: string, namespace: string): string => (namespace === "" ? prefix : `${prefix}${namespace}/`);
