/**
 * What a server serves, as references ready for a Client: built-in, custom and aggregated resources.
 *
 * Promises: one request a root where the server has aggregated discovery, else one a group version; a group that cannot be asked is
 * named in `failed` and does not hide the others. Counterpart: client-go `discovery`.
 */
import { hasReason } from "../api/status-error.ts";
import type { ResourceReference } from "../api/reference.ts";
import type { Client } from "./client.ts";

export interface DiscoveredResource extends ResourceReference {
  readonly verbs: readonly string[];
  readonly subresources: readonly string[];
  /** Whether it is of the version the server prefers for this resource. */
  readonly preferred: boolean;
}
export interface Discovery {
  readonly resources: readonly DiscoveredResource[];
  /** Group versions, e.g. `metrics.k8s.io/v1beta1`, that could not be asked, with why. */
  readonly failed: ReadonlyMap<string, string>;
}

const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

interface AggregatedList { kind?: string; items?: { metadata?: { name?: string }; versions?: { version: string; freshness?: string; resources?: AggregatedResource[] }[] }[] }
interface AggregatedResource { resource: string; responseKind?: { group?: string; version?: string; kind?: string }; scope?: string; verbs?: string[]; subresources?: { subresource: string }[] }
interface ResourceList { resources?: { name: string; kind: string; namespaced: boolean; verbs?: string[]; group?: string; version?: string }[] }

/** Asks the server. Throws ConnectionError or StatusError only when the roots themselves cannot be read. */
export async function discover(client: Client, signal?: AbortSignal): Promise<Discovery> {
  const found: Omit<DiscoveredResource, "preferred">[] = [], failed = new Map<string, string>();
  for (const root of ["/api", "/apis"]) {
    const { status, body } = await client.raw("GET", root, { headers: { accept: AGGREGATED }, ...(signal === undefined ? {} : { signal }) });
    if (status !== 200) throw new Error(`Cannot discover ${root}: the server answered ${status}`);
    const list = JSON.parse(body) as AggregatedList & { versions?: string[]; groups?: { name: string; versions: { version: string }[] }[] };
    if (list.kind === "APIGroupDiscoveryList") readAggregated(list, found, failed);
    else {
      const groups = list.versions?.map((version) => ({ group: "", version })) ?? (list.groups ?? []).flatMap((g) => g.versions.map(({ version }) => ({ group: g.name, version })));
      await Promise.all(groups.map(async ({ group, version }) => readGroup(client, group, version, found, failed, signal)));
    }
  }
  return { resources: markPreferred(found), failed };
}

function readAggregated(list: AggregatedList, found: Omit<DiscoveredResource, "preferred">[], failed: Map<string, string>): void {
  for (const { metadata, versions } of list.items ?? []) {
    const group = metadata?.name ?? "";
    for (const { version, freshness, resources } of versions ?? []) {
      if (freshness === "Stale") failed.set(group === "" ? version : `${group}/${version}`, "stale GroupVersion discovery");
      for (const r of resources ?? []) {
        if (r.responseKind?.kind === undefined) continue; // Only subresources are served.
        found.push({ group, version, kind: r.responseKind.kind, plural: r.resource, namespaced: r.scope === "Namespaced", verbs: r.verbs ?? [], subresources: (r.subresources ?? []).map((s) => s.subresource) });
      }
    }
  }
}

async function readGroup(client: Client, group: string, version: string, found: Omit<DiscoveredResource, "preferred">[], failed: Map<string, string>, signal: AbortSignal | undefined): Promise<void> {
  const name = group === "" ? version : `${group}/${version}`;
  try {
    const { status, body } = await client.raw("GET", group === "" ? `/api/${version}` : `/apis/${name}`, signal === undefined ? {} : { signal });
    if (status !== 200) { failed.set(name, `the server answered ${status}`); return; }
    const { resources = [] } = JSON.parse(body) as ResourceList;
    for (const r of resources.filter((x) => !x.name.includes("/"))) {
      const subresources = resources.filter((x) => x.name.startsWith(`${r.name}/`)).map((x) => x.name.slice(r.name.length + 1));
      found.push({ group, version, kind: r.kind, plural: r.name, namespaced: r.namespaced, verbs: r.verbs ?? [], subresources });
    }
  } catch (error) {
    if (signal?.aborted === true || hasReason(error, "Unauthorized")) throw error;
    failed.set(name, (error as Error).message);
  }
}

/** Versions come in the server's order of preference. */
function markPreferred(found: readonly Omit<DiscoveredResource, "preferred">[]): DiscoveredResource[] {
  const seen = new Set<string>();
  return found.map((resource) => {
    const id = `${resource.group}/${resource.plural}`, preferred = !seen.has(id);
    seen.add(id);
    return { ...resource, preferred };
  });
}
