/**
 * All resources of the server, and the server's own way of writing them.
 * Counterpart: kubernetes `controlplane/instance.go` InstallAPIs.
 */
import type { ResourceReference } from "../../api/reference.ts";
import type { KubeObject, ResourceDefinition } from "../../api/resource-definition.ts";
import { AdmissionChain } from "../admission/admission-chain.ts";
import type { WatchCache } from "../cache/watch-cache.ts";
import type { InternalWriter } from "../contracts.ts";
import { Codec } from "./codec.ts";
import { createObject } from "./create.ts";
import { deleteObject } from "./delete.ts";
import { resourcePrefix } from "./keys.ts";
import { Resource, type RegistryDeps, type WriteContext } from "./resource.ts";
import { versionsOf } from "./tracked-write.ts";
import { updateObject } from "./update.ts";

export const resourceKey = (r: Pick<ResourceReference, "group" | "version" | "plural">): string => `${r.group}/${r.version}/${r.plural}`;

/** Whether objects of the kind are kept; reviews and the like are only answered. */
export const isStored = (definition: ResourceDefinition): boolean => definition.verbs.includes("list") && definition.verbs.includes("create");

/** Gives every stored definition its cache; the stored version of a shared thing first, so that the cache speaks it. */
export function addCaches(cache: WatchCache, definitions: readonly ResourceDefinition[]): void {
  const stored = definitions.filter(isStored);
  for (const definition of stored.toSorted((a, b) => Number(a.storage !== undefined) - Number(b.storage !== undefined))) cache.add(new Codec(definition), resourcePrefix(definition));
}

export function buildResources(cache: WatchCache, definitions: readonly ResourceDefinition[], deps: RegistryDeps): Map<string, Resource> {
  const stored = definitions.filter(isStored), sharing = Map.groupBy(stored, (definition) => cache.cacheOf(definition));
  return new Map(stored.map((definition) => {
    const shared = cache.cacheOf(definition);
    return [resourceKey(definition), new Resource(definition, new Codec(definition), shared, deps, versionsOf(sharing.get(shared)!))];
  }));
}

const SERVER: WriteContext = { user: { name: "system:apiserver", groups: ["system:masters"] }, dryRun: false, addWarning() {}, fieldManager: "kube-apiserver" };

/** Writes as the server itself: past admission and authorization, through defaults and validation. */
export function internalWriter(cache: WatchCache, definitions: readonly ResourceDefinition[], deps: RegistryDeps): InternalWriter {
  const resources = buildResources(cache, definitions, { ...deps, admission: new AdmissionChain([]) });
  const find = (reference: ResourceReference): Resource => {
    const resource = resources.get(resourceKey(reference));
    if (resource === undefined) throw new Error(`Cannot write resource "${resourceKey(reference)}": it is not stored`);
    return resource;
  };
  return {
    create: async <T extends KubeObject>(reference: ResourceReference<T>, object: T): Promise<T> => {
      const resource = find(reference);
      return resource.decode(await createObject(resource, structuredClone(object), object.metadata.namespace ?? "", SERVER)) as T;
    },
    update: async <T extends KubeObject>(reference: ResourceReference<T>, object: T, subresource: "" | "status" = ""): Promise<T> => {
      const resource = find(reference), { namespace = "", name } = object.metadata;
      const { entry } = await updateObject(resource, { namespace, name: name!, subresource, patch: false, change: () => structuredClone(object) }, SERVER);
      return resource.decode(entry) as T;
    },
    remove: async (reference: ResourceReference, { namespace = "", name }): Promise<void> => { await deleteObject(find(reference), namespace, name, {}, SERVER); },
  };
}
