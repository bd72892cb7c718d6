/** Paths and queries of API requests: pure. Counterpart: client-go `rest/request.go` without the I/O. */
import { apiVersionOf, type ResourceReference } from "../api/reference.ts";
import type { DeleteParameters, ListParameters, ObjectKey, PatchType, WatchParameters, WriteParameters } from "./client.ts";

export const PATCH_CONTENT_TYPES: Readonly<Record<PatchType, string>> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml", // JSON is YAML.
};

export const ACCEPT_JSON = "application/json";
/** Metadata alone where the server can, else the whole object. */
export const ACCEPT_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
export const ACCEPT_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/** `/apis/apps/v1/namespaces/default/deployments`. Without a namespace, a namespaced resource is read over all namespaces. */
export function collectionPath(resource: ResourceReference, namespace?: string): string {
  const root = resource.group === "" ? `/api/${resource.version}` : `/apis/${apiVersionOf(resource)}`;
  const middle = resource.namespaced && namespace !== undefined && namespace !== "" ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${root}${middle}/${resource.plural}`;
}

/** Throws RangeError on an empty name, which would silently address the whole collection. */
export function objectPath(resource: ResourceReference, key: ObjectKey, subresource?: string): string {
  if (key.name === "") throw new RangeError(`Cannot address ${resource.plural}: the name is empty`);
  if (resource.namespaced && (key.namespace ?? "") === "") throw new RangeError(`Cannot address ${resource.plural} "${key.name}": the namespace is empty`);
  return `${collectionPath(resource, key.namespace)}/${encodeURIComponent(key.name)}${subresource === undefined ? "" : `/${subresource}`}`;
}

type QueryValue = string | number | boolean | undefined;
function query(values: Readonly<Record<string, QueryValue>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined && value !== "") parameters.append(name, String(value));
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}

export const listQuery = (p: ListParameters): string =>
  query({ labelSelector: p.labelSelector, fieldSelector: p.fieldSelector, limit: p.limit, continue: p.continue, resourceVersion: p.resourceVersion, resourceVersionMatch: p.resourceVersionMatch });

export const watchQuery = (p: WatchParameters): string =>
  query({ watch: true, labelSelector: p.labelSelector, fieldSelector: p.fieldSelector, resourceVersion: p.resourceVersion, allowWatchBookmarks: p.allowWatchBookmarks, timeoutSeconds: p.timeoutSeconds });

export const writeQuery = (p: WriteParameters & { force?: boolean }): string =>
  query({ dryRun: p.dryRun === true ? "All" : undefined, fieldManager: p.fieldManager, force: p.force });

/** The DeleteOptions body, or undefined when nothing is asked for. */
export function deleteOptions(p: DeleteParameters): Record<string, unknown> | undefined {
  const { gracePeriodSeconds, propagationPolicy, preconditions, dryRun } = p;
  if (gracePeriodSeconds === undefined && propagationPolicy === undefined && preconditions === undefined && dryRun !== true) return undefined;
  return {
    kind: "DeleteOptions", apiVersion: "v1",
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(preconditions === undefined ? {} : { preconditions }),
    ...(dryRun === true ? { dryRun: ["All"] } : {}),
  };
}
