/**
 * Finding the cluster's authority from its address and a pin. The first look trusts nobody; what it brings counts only if its public
 * key has the pinned hash and the server then proves itself with it. Counterpart: kubeadm `discovery/token`.
 */
import { configmaps } from "../../api/schema/generated/references.ts";
import { createClient } from "../../client/http-client.ts";
import { configFromKubeconfig, parseKubeconfig } from "../../client/kubeconfig.ts";
import { authorityPin } from "./bootstrap-token.ts";
import { explain, pinDiffers } from "./join-error.ts";

export class DiscoveryError extends Error { override readonly name = "DiscoveryError"; }
const SIGNATURE_PREFIX = "jws-kubeconfig-";

/** The one authority in a cluster-info kubeconfig. */
function authorityOf(kubeconfig: string): string {
  const parsed = parseKubeconfig(kubeconfig), cluster = parsed.clusters[0];
  if (parsed.clusters.length !== 1 || cluster === undefined) throw new DiscoveryError("Cannot use cluster-info: it must name exactly one cluster");
  const { caData } = configFromKubeconfig({ ...parsed, users: [], contexts: [{ name: "found", context: { cluster: cluster.name, user: "" } }] }, "/", "found");
  if (caData === undefined) throw new DiscoveryError("Cannot use cluster-info: it holds no certificate authority");
  return caData;
}

/** The cluster's authority (PEM), proven, and the ids of the tokens in force. Throws JoinError or DiscoveryError when pin and cluster do not fit. */
export async function discoverAuthority(server: string, pins: readonly string[], signal: AbortSignal): Promise<{ authority: string; tokenIds: string[] }> {
  const read = async (trust: { insecureSkipVerify: true } | { caData: string }): Promise<Record<string, string>> => {
    const client = createClient({ server, component: "kaji", ...trust });
    try { return (await client.get(configmaps, { namespace: "kube-public", name: "cluster-info" }, signal)).data ?? {}; }
    catch (error) { throw explain(server, error); }
    finally { client.close(); }
  };
  const authority = authorityOf((await read({ insecureSkipVerify: true }))["kubeconfig"] ?? ""), pin = authorityPin(authority);
  if (!pins.includes(pin)) throw pinDiffers(server, pin, pins);
  const proven = await read({ caData: authority });
  if (authorityOf(proven["kubeconfig"] ?? "") !== authority) throw new DiscoveryError(`Cannot trust ${server}: it tells different authorities`);
  return { authority, tokenIds: Object.keys(proven).filter((key) => key.startsWith(SIGNATURE_PREFIX)).map((key) => key.slice(SIGNATURE_PREFIX.length)) };
}
