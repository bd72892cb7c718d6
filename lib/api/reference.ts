/**
 * Names of a resource: what a client needs to build its URL and what a server needs to route to it.
 * Counterpart: apimachinery's GroupVersionKind, GroupVersionResource and RESTScope in one value.
 */
export interface ResourceReference<T = unknown> {
  /** "" for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Carries the type of the object; never present at run time. */
  readonly __type?: T;
}

/** `v1` for the core group, else `group/version`. */
export const apiVersionOf = (r: Pick<ResourceReference, "group" | "version">): string => (r.group === "" ? r.version : `${r.group}/${r.version}`);

/** `pods` for the core group, else `deployments.apps`: the name error messages and RBAC use. */
export const groupResource = (r: Pick<ResourceReference, "group" | "plural">): string => (r.group === "" ? r.plural : `${r.plural}.${r.group}`);
