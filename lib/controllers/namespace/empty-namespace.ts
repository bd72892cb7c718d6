/**
 * Empties a namespace of everything discovery knows: pods first, so that nothing a pod still needs (a policy that confines it, a
 * volume claim) goes before it. Counterpart: kubernetes `pkg/controller/namespace/deletion/namespaced_resources_deleter.go`.
 */
import { groupResource } from "../../api/reference.ts";
import { hasReason } from "../../api/status-error.ts";
import { discover, type DiscoveredResource } from "../../client/discovery.ts";
import type { Client, HasMeta } from "../../client/client.ts";
import type { EmptyingResult } from "./plan-conditions.ts";

/** Resources looked at side by side. */
const PARALLEL = 8;
const PAGE_OBJECTS = 500;

export interface Emptied extends EmptyingResult { readonly isEmpty: boolean }

/** One attempt. What it deleted may still be there for a while: try again until `isEmpty`. Throws only when discovery itself fails. */
export async function emptyNamespace(client: Client, namespace: string, signal: AbortSignal): Promise<Emptied> {
  const { resources, failed } = await discover(client, signal);
  const deletable = resources.filter((r) => r.namespaced && r.preferred && r.verbs.includes("list") && (r.verbs.includes("deletecollection") || r.verbs.includes("delete")));
  const result = { undiscovered: failed, failures: [] as string[], remaining: new Map<string, number>(), finalizers: new Map<string, number>() };
  const isPods = (r: DiscoveredResource): boolean => r.group === "" && r.plural === "pods";
  for (const stage of [deletable.filter(isPods), deletable.filter((r) => !isPods(r))]) {
    const waiting = [...stage];
    await Promise.all(Array.from({ length: PARALLEL }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await emptyResource(client, next, namespace, result, signal);
    }));
    if (result.remaining.size > 0 || result.failures.length > 0) break; // Pods that terminate still use the rest.
  }
  return { ...result, isEmpty: result.undiscovered.size === 0 && result.failures.length === 0 && result.remaining.size === 0 };
}

async function emptyResource(client: Client, resource: DiscoveredResource, namespace: string, result: { failures: string[]; remaining: Map<string, number>; finalizers: Map<string, number> }, signal: AbortSignal): Promise<void> {
  try {
    if ((await remainingOf(client, resource, namespace, signal)).length === 0) return;
    await deleteAll(client, resource, namespace, signal);
    const left = await remainingOf(client, resource, namespace, signal);
    if (left.length === 0) return;
    result.remaining.set(resource.group === "" ? `${resource.plural}.` : groupResource(resource), left.length);
    for (const object of left) for (const finalizer of object.metadata.finalizers ?? []) result.finalizers.set(finalizer, (result.finalizers.get(finalizer) ?? 0) + 1);
  } catch (error) {
    signal.throwIfAborted();
    if (hasReason(error, "NotFound", "MethodNotAllowed")) return; // The kind went away meanwhile, with all of its objects.
    result.failures.push(`unexpected error deleting ${groupResource(resource)}: ${(error as Error).message}`);
  }
}

async function deleteAll(client: Client, resource: DiscoveredResource, namespace: string, signal: AbortSignal): Promise<void> {
  if (resource.verbs.includes("deletecollection")) { await client.deleteCollection(resource, { namespace, propagationPolicy: "Background" }, signal); return; }
  for (const { metadata } of await remainingOf(client, resource, namespace, signal)) {
    try { await client.delete(resource, metadata, { propagationPolicy: "Background" }, signal); }
    catch (error) { if (!hasReason(error, "NotFound")) throw error; }
  }
}

async function remainingOf(client: Client, resource: DiscoveredResource, namespace: string, signal: AbortSignal): Promise<HasMeta[]> {
  const objects: HasMeta[] = [];
  let token: string | undefined;
  do {
    const page = await client.list(resource, { namespace, metadataOnly: true, limit: PAGE_OBJECTS, ...(token === undefined ? {} : { continue: token }) }, signal);
    objects.push(...page.items as HasMeta[]);
    token = page.metadata.continue || undefined;
  } while (token !== undefined);
  return objects;
}
