/**
 * How many pods the controllers of some pods are to have together: known kinds from informers, others by their scale subresource.
 * Counterpart: getExpectedScale and its finders in kubernetes `pkg/controller/disruption/disruption.go`.
 */
import { controllerOf } from "../../api/helpers/owner-references.ts";
import { hasReason, StatusError } from "../../api/status-error.ts";
import { joinKey } from "../../runtime/object-key.ts";
import type { Client } from "../../client/client.ts";
import type { Lister } from "../../runtime/store.ts";
import type { Deployment, ObjectMeta, OwnerReference, Pod, ReplicaSet, ReplicationController, StatefulSet } from "../../api/schema/generated/models.ts";

export interface ScaleDeps {
  readonly client: Client;
  readonly deployments: Lister<Deployment>;
  readonly replicaSets: Lister<ReplicaSet>;
  readonly replicationControllers: Lister<ReplicationController>;
  readonly statefulSets: Lister<StatefulSet>;
}
interface Scaled { readonly uid: string; readonly replicas: number }
interface Scale { readonly metadata: ObjectMeta; readonly spec?: { readonly replicas?: number } }
interface ResourceList { readonly resources?: readonly { readonly name: string; readonly kind: string }[] }

/** Throws when a pod's controller cannot be found or asked. */
export async function expectedScale(deps: ScaleDeps, pods: readonly Pod[], signal: AbortSignal): Promise<{ scale: number; unmanaged: string[] }> {
  const scales = new Map<string, number>(), unmanaged: string[] = [];
  for (const pod of pods) {
    const reference = controllerOf(pod);
    if (reference === undefined) { unmanaged.push(pod.metadata.name); continue; }
    if (scales.has(reference.uid)) continue;
    const found = findKnown(deps, reference, pod.metadata.namespace ?? "") ?? await askForScale(deps.client, reference, pod.metadata.namespace ?? "", signal);
    if (found === undefined) throw new Error(`found no controllers for pod ${JSON.stringify(pod.metadata.name)}`);
    scales.set(found.uid, found.replicas);
  }
  return { scale: [...scales.values()].reduce((sum, replicas) => sum + replicas, 0), unmanaged };
}

const groupOf = ({ apiVersion }: OwnerReference): string => (apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "");
const toScaled = (object: ReplicaSet | Deployment | ReplicationController | StatefulSet): Scaled => ({ uid: object.metadata.uid ?? "", replicas: object.spec.replicas ?? 1 });

function findKnown(deps: ScaleDeps, reference: OwnerReference, namespace: string): Scaled | undefined {
  const find = <T extends { metadata: ObjectMeta }>(lister: Lister<T>, { name, uid }: OwnerReference): T | undefined => { const object = lister.get(joinKey(namespace, name)); return object?.metadata.uid === uid ? object : undefined; };
  switch (`${groupOf(reference)}/${reference.kind}`) {
    case "/ReplicationController": { const found = find(deps.replicationControllers, reference); return found === undefined ? undefined : toScaled(found); }
    case "apps/StatefulSet": { const found = find(deps.statefulSets, reference); return found === undefined ? undefined : toScaled(found); }
    case "apps/ReplicaSet": {
      const set = find(deps.replicaSets, reference), owner = set === undefined ? undefined : controllerOf(set);
      if (set === undefined || owner?.kind !== "Deployment" || groupOf(owner) !== "apps") return set === undefined ? undefined : toScaled(set);
      const deployment = find(deps.deployments, owner); // The sets of a rollout have one size together.
      return deployment === undefined ? undefined : toScaled(deployment);
    }
    default: return undefined;
  }
}

async function askForScale(client: Client, reference: OwnerReference, namespace: string, signal: AbortSignal): Promise<Scaled | undefined> {
  const root = reference.apiVersion.includes("/") ? `/apis/${reference.apiVersion}` : `/api/${reference.apiVersion}`, group = groupOf(reference);
  const { resources = [] } = await read<ResourceList>(client, root, signal), resource = resources.find(({ name, kind }) => kind === reference.kind && !name.includes("/"));
  if (resource === undefined) throw new Error(`no matches for kind ${JSON.stringify(reference.kind)} in version ${JSON.stringify(reference.apiVersion)}`);
  if (!resources.some(({ name }) => name === `${resource.name}/scale`)) throw new Error(`${resource.name}${group === "" ? "" : `.${group}`} does not implement the scale subresource`);
  try {
    const scale = await read<Scale>(client, `${root}/namespaces/${namespace}/${resource.name}/${encodeURIComponent(reference.name)}/scale`, signal);
    return scale.metadata.uid === reference.uid ? { uid: reference.uid, replicas: scale.spec?.replicas ?? 0 } : undefined;
  } catch (error) { if (hasReason(error, "NotFound")) return undefined; throw error; }
}

async function read<T>(client: Client, path: string, signal: AbortSignal): Promise<T> {
  const { status, body } = await client.raw("GET", path, { headers: { accept: "application/json" }, signal });
  if (status === 200) return JSON.parse(body) as T;
  let answer: { reason?: string; message?: string } = {};
  try { answer = JSON.parse(body) as typeof answer; } catch { /* Plain text. */ }
  throw StatusError.fromStatus({ message: answer.message ?? `the server answered ${status} to ${path}`, ...(answer.reason === undefined ? {} : { reason: answer.reason }) }, status);
}
