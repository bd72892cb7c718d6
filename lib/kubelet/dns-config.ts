/** The resolv.conf of a pod by its dnsPolicy. Pure. Counterpart: kubelet `network/dns`. */
import type { Pod } from "../api/schema/generated/models.ts";
import { namespaceOf } from "./pod-facts.ts";

export interface ResolvConf { readonly servers: readonly string[]; readonly searches: readonly string[]; readonly options: readonly string[] }
export interface DnsSettings { readonly clusterDns: readonly string[]; readonly clusterDomain: string; readonly host: ResolvConf }

const SERVERS_MAX = 3, SEARCHES_MAX = 32, SEARCH_LENGTH_MAX = 2_048;

/** Parses resolv.conf(5); the last `search` or `domain` line counts. */
export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = [];
  let searches: string[] = [], options: string[] = [];
  for (const line of text.split("\n")) {
    const [keyword, ...values] = line.replace(/[#;].*$/, "").trim().split(/\s+/);
    if (keyword === "nameserver" && values[0] !== undefined) servers.push(values[0]);
    else if (keyword === "search" || keyword === "domain") searches = values.map((value) => value.replace(/(.)\.$/, "$1"));
    else if (keyword === "options") options = values;
  }
  return { servers, searches, options };
}

function policyOf(pod: Pod): "None" | "Cluster" | "Host" {
  switch (pod.spec.dnsPolicy ?? "ClusterFirst") {
    case "None": return "None";
    case "Default": return "Host";
    case "ClusterFirstWithHostNet": return "Cluster";
    default: return pod.spec.hostNetwork === true ? "Host" : "Cluster";
  }
}

const mergeOptions = (options: readonly string[], extra: readonly { name?: string | undefined; value?: string | undefined }[]): string[] => {
  const byName = new Map(options.map((option) => [option.split(":")[0]!, option]));
  for (const { name = "", value } of extra) byName.set(name, value === undefined || value === "" ? name : `${name}:${value}`);
  return [...byName.values()];
};

function fitSearches(searches: readonly string[]): string[] {
  const result: string[] = [];
  for (const search of new Set(searches)) if (result.length < SEARCHES_MAX && [...result, search].join(" ").length <= SEARCH_LENGTH_MAX) result.push(search);
  return result;
}

export function podDnsConfig(pod: Pod, settings: DnsSettings): { servers: string[]; searches: string[]; options: string[] } {
  const policy = settings.clusterDns.length === 0 && policyOf(pod) === "Cluster" ? "Host" : policyOf(pod);
  const domain = settings.clusterDomain, host = settings.host;
  const base: ResolvConf = policy === "None" ? { servers: [], searches: [], options: [] }
    : policy === "Host" ? host
    : { servers: settings.clusterDns, searches: domain === "" ? host.searches : [`${namespaceOf(pod)}.svc.${domain}`, `svc.${domain}`, domain, ...host.searches], options: ["ndots:5"] };
  const own = pod.spec.dnsConfig ?? {};
  return {
    servers: [...new Set([...base.servers, ...(own.nameservers ?? [])])].slice(0, SERVERS_MAX),
    searches: fitSearches([...base.searches, ...(own.searches ?? [])]), options: mergeOptions(base.options, own.options ?? []),
  };
}
