/**
 * `kaji members`: what `kaji apply` asks of a master: who belongs to the cluster and how each was reached, nodes drained, marked and taken away.
 *
 * The list is ConfigMap `kube-system/kaji-members`, one entry a host; only administrators may write there. Written before a host joins, removed
 * after it was reset: so an interrupted run leaves nobody behind that the next does not know.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { configmaps, nodes } from "../../api/schema/generated/references.ts";
import type { ConfigMap, Node } from "../../api/schema/generated/models.ts";
import { hasReason } from "../../api/status-error.ts";
import type { Client } from "../../client/client.ts";
import { authorityPin } from "./bootstrap-token.ts";
import { parseSettings, SETTINGS_CONFIG_MAP } from "./cluster-settings.ts";
import { HOST_PATHS } from "./host-paths.ts";
import type { Member, MembersReport, NodeReport, NodeWish } from "./members-report.ts";

export const MEMBERS_CONFIG_MAP = "kaji-members";
const KEY = { namespace: "kube-system", name: MEMBERS_CONFIG_MAP }, ATTEMPTS_MAX = 10;

async function found<T>(work: Promise<T>): Promise<T | undefined> {
  try { return await work; }
  catch (error) { if (hasReason(error, "NotFound")) return undefined; throw error; }
}

const reportNode = (node: Node): NodeReport => ({
  name: node.metadata.name!, ready: node.status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") === true, unschedulable: node.spec?.unschedulable === true,
  machineId: node.status?.nodeInfo?.machineID ?? "", address: node.status?.addresses?.find((each) => each.type === "InternalIP")?.address ?? "",
  labels: node.metadata.labels ?? {}, taints: (node.spec?.taints ?? []).map(({ key, value, effect }) => ({ key, value: value ?? "", effect })),
});

const membersOf = (map: ConfigMap | undefined): Record<string, Member> => Object.fromEntries(Object.entries(map?.data ?? {}).map(([name, text]) => [name, JSON.parse(text) as Member]));

export async function membersReport(client: Client): Promise<MembersReport> {
  const [settings, members, list] = await Promise.all([found(client.get(configmaps, { namespace: "kube-system", name: SETTINGS_CONFIG_MAP })), found(client.get(configmaps, KEY)), client.list(nodes)]);
  return {
    version: 1, settings: settings?.data?.["settings"] === undefined ? undefined : parseSettings(settings.data["settings"]), pin: authorityPin(readFileSync(path.join(HOST_PATHS.pki, "ca.crt"), "utf8")),
    members: membersOf(members), nodes: list.items.map(reportNode),
  };
}

/** Notes members, or forgets those that are `null`. Two writers at once are both heard. */
export async function writeMembers(client: Client, changes: Readonly<Record<string, Member | null>>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const map = await found(client.get(configmaps, KEY)), data = { ...map?.data };
    for (const [name, member] of Object.entries(changes)) { if (member === null) delete data[name]; else data[name] = JSON.stringify(member); }
    try {
      if (map === undefined) await client.create(configmaps, { apiVersion: "v1", kind: "ConfigMap", metadata: KEY, data });
      else await client.update(configmaps, { ...map, data });
      return;
    } catch (error) { if (attempt >= ATTEMPTS_MAX || !hasReason(error, "Conflict", "AlreadyExists")) throw error; }
  }
}

/** Puts labels and taints on a node; leaves those of others as they are. */
export async function configureNode(client: Client, name: string, wish: NodeWish): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const node = await client.get(nodes, { name }), labels: Record<string, string> = { ...node.metadata.labels };
    for (const [key, value] of Object.entries(wish.labels)) { if (value === null) delete labels[key]; else labels[key] = value; }
    const gone = new Set([...wish.removeTaints, ...wish.addTaints.map((taint) => `${taint.key}:${taint.effect}`)]);
    const kept = (node.spec?.taints ?? []).filter((taint) => !gone.has(`${taint.key}:${taint.effect}`)), taints = [...kept, ...wish.addTaints.map(({ key, value, effect }) => ({ key, effect, ...(value === "" ? {} : { value }) }))];
    const spec = { ...node.spec, taints };
    if (wish.uncordon) delete spec.unschedulable;
    try { await client.update(nodes, { ...node, metadata: { ...node.metadata, labels }, spec }); return; }
    catch (error) { if (attempt >= ATTEMPTS_MAX || !hasReason(error, "Conflict")) throw error; }
  }
}

/** Takes a node out of the cluster; one that is not there is fine. */
export async function removeNode(client: Client, name: string): Promise<void> { await found(client.delete(nodes, { name })); }
