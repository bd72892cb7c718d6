/**
 * Finding the cluster's authority from its address and a pin. The first look trusts nobody; what it brings counts only if its public
 * key has the pinned hash and the server then proves itself with it. Counterpart: kubeadm `discovery/token`.
 */
import { configmaps } from "../../api/schema/generated/references.ts";
import { createClient } from "../../client/http-client.ts";
import { configFromKubeconfig, parseKubeconfig } from "../../client/kubeconfig.ts";
import { authorityPin } from "./bootstrap-token.ts";

export class DiscoveryError extends Error { override readonly name = "DiscoveryError"; }

/** The one authority in a cluster-info kubeconfig. */
function authorityOf(kubeconfig: string): string {
  const parsed = parseKubeconfig(kubeconfig), cluster = parsed.clusters[0];
  if (parsed.clusters.length !== 1 || cluster === undefined) throw new DiscoveryError("Cannot use cluster-info: it must name exactly one cluster");
  const { caData } = configFromKubeconfig({ ...parsed, users: [], contexts: [{ name: "found", context: { cluster: cluster.name, user: "" } }] }, "/", "found");
  if (caData === undefined) throw new DiscoveryError("Cannot use cluster-info: it holds no certificate authority");
  return caData;
}

/** The cluster's authority (PEM), proven. Throws DiscoveryError when pin and cluster do not fit. */
export async function discoverAuthority(server: string, pins: readonly string[], signal: AbortSignal): Promise<string> {
  const read = async (trust: { insecureSkipVerify: true } | { caData: string }): Promise<string> => {
    const client = createClient({ server, component: "kaji", ...trust });
    try { return (await client.get(configmaps, { namespace: "kube-public", name: "cluster-info" }, signal)).data?.["kubeconfig"] ?? ""; }
    finally { client.close(); }
  };
  const authority = authorityOf(await read({ insecureSkipVerify: true })), pin = authorityPin(authority);
  if (!pins.includes(pin)) throw new DiscoveryError(`Cannot trust ${server}: its authority has the pin ${pin}, wanted ${pins.join(" or ")}; make a new join command on the master with "kaji token create --print-join-command"`);
  if (authorityOf(await read({ caData: authority })) !== authority) throw new DiscoveryError(`Cannot trust ${server}: it tells different authorities`);
  return authority;
}
