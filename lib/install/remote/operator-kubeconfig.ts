/**
 * The admin kubeconfig on the operator's machine: fetched from the master, with an address that can be reached from here, merged into the file kubectl
 * reads. Never replaces another cluster's entry of the same name.
 */
import path from "node:path";
import { createClient } from "../../client/http-client.ts";
import { configFromKubeconfig, type Kubeconfig, mergeKubeconfig, parseKubeconfig } from "../../client/kubeconfig.ts";
import { changeUserKubeconfig, type User } from "../user.ts";
import type { RemoteHost } from "./remote-host.ts";
import { ADMIN_FILE } from "./remote-kaji.ts";

const PROBE_TIMEOUT_MS = 5_000;

/** The administrator's kubeconfig as it lies on the master; undefined when there is none. */
export async function fetchAdmin(master: RemoteHost, signal: AbortSignal): Promise<Kubeconfig | undefined> {
  const text = await master.readFile(ADMIN_FILE, { sudo: true, signal });
  return text === undefined ? undefined : parseKubeconfig(text.toString("utf8"));
}

/** The same with names of the operator's choice and another server: pure. */
export function adaptKubeconfig(admin: Kubeconfig, name: string, server: string): Kubeconfig {
  const user = `${name}-admin`;
  return {
    apiVersion: "v1", kind: "Config", "current-context": name, clusters: [{ name, cluster: { ...admin.clusters[0]!.cluster, server } }],
    contexts: [{ name, context: { cluster: name, user } }], users: [{ name: user, user: admin.users[0]!.user }], preferences: {},
  };
}

/** Where the API server may be reached from here, best first: pure. */
export function serverCandidates(server: string, addresses: readonly string[]): string[] {
  const { port, hostname } = new URL(server);
  return [...new Set([...addresses, hostname])].map((address) => `https://${address.includes(":") && !address.startsWith("[") ? `[${address}]` : address}:${port || 443}`);
}

/** The first candidate that answers as the cluster's API server; undefined when none does. */
export async function reachableServer(admin: Kubeconfig, candidates: readonly string[], signal: AbortSignal): Promise<string | undefined> {
  const answers = await Promise.all(candidates.map(async (server) => {
    const client = createClient(configFromKubeconfig(adaptKubeconfig(admin, "probe", server), "/"));
    try { return (await client.raw("GET", "/version", { signal: AbortSignal.any([signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)]) })).status === 200; }
    catch { return false; }
    finally { client.close(); }
  }));
  return candidates.find((_, i) => answers[i]);
}

/** The file kubectl would change: `--kubeconfig`, the first that `KUBECONFIG` names, or `~/.kube/config`. */
export const kubeconfigFile = (given: string | undefined, environment: NodeJS.ProcessEnv, user: User): string =>
  path.resolve(given ?? environment["KUBECONFIG"]?.split(path.delimiter).find((file) => file !== "") ?? path.join(user.home, ".kube", "config"));

const sameCluster = (a: Kubeconfig, b: Kubeconfig, name: string): boolean => {
  const [old, fresh] = [a, b].map((each) => each.clusters.find((cluster) => cluster.name === name)?.cluster);
  return old === undefined || old.server === fresh?.server || old["certificate-authority-data"] === fresh?.["certificate-authority-data"];
};

/** Merges and makes it the current context. Returns whether the file changed. Throws when another cluster has the name. */
export function saveKubeconfig(user: User, file: string, added: Kubeconfig): Promise<boolean> {
  const name = added.clusters[0]!.name;
  return changeUserKubeconfig(user, file, (before) => {
    if (before === undefined) return added;
    if (!sameCluster(before, added, name)) throw new Error(`Cannot add cluster "${name}" to ${file}: another cluster of that name is in it; give this one another name ("name:" in the file, or --name), or another file (--kubeconfig)`);
    if (inIt(before, added)) return { ...before, "current-context": name };
    return mergeKubeconfig(before, added);
  });
}
const inIt = (before: Kubeconfig, added: Kubeconfig): boolean => (["clusters", "contexts", "users"] as const).every((part) => before[part].some((entry) => JSON.stringify(entry) === JSON.stringify(added[part][0])));

/** Takes the cluster out again, if it is this one (by authority, when that is known). Returns whether it was there. */
export function forgetKubeconfig(user: User, file: string, name: string, authority: string | undefined): Promise<boolean> {
  return changeUserKubeconfig(user, file, (before) => {
    const cluster = before?.clusters.find((each) => each.name === name)?.cluster;
    if (before === undefined || cluster === undefined || (authority !== undefined && cluster["certificate-authority-data"] !== authority)) return undefined;
    const without = <T extends { name: string }>(list: T[], gone: string): T[] => list.filter((each) => each.name !== gone);
    return { ...before, "current-context": before["current-context"] === name ? "" : before["current-context"], clusters: without(before.clusters, name), contexts: without(before.contexts, name), users: without(before.users, `${name}-admin`) };
  });
}
