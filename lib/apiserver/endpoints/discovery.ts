/**
 * Discovery: which groups, versions and resources there are. Everything follows from the definitions.
 * Counterpart: apiserver `endpoints/discovery`, kube-aggregator `apis` handler.
 */
import { createHash } from "node:crypto";
import type { ResourceDefinition } from "../../api/resource-definition.ts";
import { resourceSchemaOf } from "../../api/schema/schema.ts";

export interface GroupVersionKind { readonly group: string; readonly version: string; readonly kind: string }
export interface DiscoveredSubresource { readonly name: string; readonly responseKind: GroupVersionKind; readonly verbs: readonly string[] }
export interface DiscoveredResource {
  readonly definition: ResourceDefinition;
  readonly verbs: readonly string[];
  readonly storageVersionHash: string | undefined;
  readonly subresources: readonly DiscoveredSubresource[];
}
export interface DiscoveredVersion { readonly version: string; readonly resources: readonly DiscoveredResource[] }
export interface DiscoveredGroup { readonly name: string; /** Preferred first. */ readonly versions: readonly DiscoveredVersion[] }

/** Upstream's order of built-in groups; others follow by name. */
const GROUP_ORDER = [
  "", "apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "batch", "certificates.k8s.io",
  "networking.k8s.io", "policy", "rbac.authorization.k8s.io", "storage.k8s.io", "admissionregistration.k8s.io", "apiextensions.k8s.io", "scheduling.k8s.io",
  "coordination.k8s.io", "node.k8s.io", "discovery.k8s.io", "resource.k8s.io", "flowcontrol.apiserver.k8s.io",
];

/** Subresources that answer with another kind than their parent's. */
const SUBRESOURCE_KINDS: Record<string, GroupVersionKind> = {
  "pods/attach": { group: "", version: "v1", kind: "PodAttachOptions" }, "pods/exec": { group: "", version: "v1", kind: "PodExecOptions" },
  "pods/portforward": { group: "", version: "v1", kind: "PodPortForwardOptions" }, "pods/proxy": { group: "", version: "v1", kind: "PodProxyOptions" },
  "pods/binding": { group: "", version: "v1", kind: "Binding" }, "pods/eviction": { group: "policy", version: "v1", kind: "Eviction" },
  "nodes/proxy": { group: "", version: "v1", kind: "NodeProxyOptions" }, "services/proxy": { group: "", version: "v1", kind: "ServiceProxyOptions" },
  "serviceaccounts/token": { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" },
};
const SCALE: GroupVersionKind = { group: "autoscaling", version: "v1", kind: "Scale" };

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Tells clients whether a stored form changed. */
function storageVersionHash({ group, version, kind }: GroupVersionKind): string {
  return createHash("sha256").update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString("base64");
}

function discoverSubresources(definition: ResourceDefinition): DiscoveredSubresource[] {
  const schema = resourceSchemaOf(definition);
  return definition.subresources.map((name) => ({
    name,
    responseKind: name === "scale" ? SCALE : SUBRESOURCE_KINDS[`${definition.plural}/${name}`] ?? { group: definition.group, version: definition.version, kind: definition.kind },
    verbs: [...(schema?.subresources[name]?.verbs ?? ["get", "patch", "update"])].sort(byText),
  })).sort((a, b) => byText(a.name, b.name));
}

function discoverResource(definition: ResourceDefinition): DiscoveredResource {
  const stored = definition.verbs.includes("watch");
  const { storage } = definition;
  return {
    definition, verbs: [...definition.verbs].sort(byText), subresources: discoverSubresources(definition),
    storageVersionHash: stored ? storageVersionHash(storage === undefined ? definition : storage.reference) : undefined,
  };
}

/** Groups in upstream's order, versions newest first, resources by name. */
export function discover(definitions: readonly ResourceDefinition[]): DiscoveredGroup[] {
  const groups = new Map<string, Map<string, DiscoveredResource[]>>();
  for (const definition of definitions) {
    const versions = groups.get(definition.group) ?? new Map<string, DiscoveredResource[]>();
    groups.set(definition.group, versions);
    const list = versions.get(definition.version) ?? [];
    versions.set(definition.version, list);
    list.push(discoverResource(definition));
  }
  const rank = (name: string): number => (GROUP_ORDER.includes(name) ? GROUP_ORDER.indexOf(name) : GROUP_ORDER.length);
  return [...groups].sort(([a], [b]) => rank(a) - rank(b) || byText(a, b)).map(([name, versions]) => ({
    name,
    versions: [...versions].sort(([a], [b]) => byText(b, a)).map(([version, list]) => ({ version, resources: list.sort((a, b) => byText(a.definition.plural, b.definition.plural)) })),
  }));
}

const groupVersion = (group: string, version: string): string => (group === "" ? version : `${group}/${version}`);

/** Body of `/apis/<group>`, and an item of `/apis`. */
export function groupBody(group: DiscoveredGroup): { name: string; versions: object[]; preferredVersion: object } {
  const versions = group.versions.map(({ version }) => ({ groupVersion: groupVersion(group.name, version), version }));
  return { name: group.name, versions, preferredVersion: versions[0]! };
}

/** Body of `/api/v1` and `/apis/<group>/<version>`. */
export function resourceListBody(group: DiscoveredGroup, version: DiscoveredVersion): object {
  const resources = version.resources.flatMap(({ definition, verbs, subresources, storageVersionHash: hash }) => [
    {
      name: definition.plural, singularName: definition.singular, namespaced: definition.namespaced, kind: definition.kind, verbs,
      ...(definition.shortNames.length > 0 ? { shortNames: definition.shortNames } : {}),
      ...(definition.categories.length > 0 ? { categories: definition.categories } : {}),
      ...(hash === undefined ? {} : { storageVersionHash: hash }),
    },
    ...subresources.map(({ name, responseKind, verbs: subVerbs }) => ({
      name: `${definition.plural}/${name}`, singularName: "", namespaced: definition.namespaced,
      ...(responseKind.group === group.name && responseKind.version === version.version ? {} : { group: responseKind.group, version: responseKind.version }),
      kind: responseKind.kind, verbs: subVerbs,
    })),
  ]);
  // The core group's list goes without apiVersion, the others with: upstream's way.
  return { kind: "APIResourceList", ...(group.name === "" ? {} : { apiVersion: "v1" }), groupVersion: groupVersion(group.name, version.version), resources };
}

/** Body of the aggregated form, of `/api` (the core group) or `/apis` (the others). */
export function aggregatedBody(groups: readonly DiscoveredGroup[], apiVersion: "v2" | "v2beta1"): object {
  const items = groups.map((group) => ({
    metadata: group.name === "" ? {} : { name: group.name },
    versions: group.versions.map(({ version, resources }) => ({ version, resources: resources.map(aggregatedResource), freshness: "Current" })),
  }));
  return { kind: "APIGroupDiscoveryList", apiVersion: `apidiscovery.k8s.io/${apiVersion}`, metadata: {}, items };
}

function aggregatedResource({ definition, verbs, subresources }: DiscoveredResource): object {
  // Group and version stand only where they are others than the document's: clients fill them in.
  const kindIn = ({ group, version, kind }: GroupVersionKind): GroupVersionKind => (group === definition.group && version === definition.version ? { group: "", version: "", kind } : { group, version, kind });
  return {
    resource: definition.plural, responseKind: kindIn(definition), scope: definition.namespaced ? "Namespaced" : "Cluster", singularResource: definition.singular, verbs,
    ...(definition.shortNames.length > 0 ? { shortNames: definition.shortNames } : {}),
    ...(definition.categories.length > 0 ? { categories: definition.categories } : {}),
    ...(subresources.length > 0 ? { subresources: subresources.map(({ name, responseKind, verbs: subVerbs }) => ({ subresource: name, responseKind: kindIn(responseKind), verbs: subVerbs })) } : {}),
  };
}
