/** The /etc/hosts of a pod. Pure. Counterpart: kubelet `kubelet_pods.go` managedHostsFileContent. */
import type { HostAlias } from "../api/schema/generated/models.ts";

const aliasLines = (aliases: readonly HostAlias[]): string =>
  aliases.length === 0 ? "" : `\n# Entries added by HostAliases.\n${aliases.map((alias) => `${alias.ip}\t${(alias.hostnames ?? []).join("\t")}\n`).join("")}`;

/** For a pod with a network of its own. */
export function podHosts(ips: readonly string[], hostname: string, fqdn: string | undefined, aliases: readonly HostAlias[]): string {
  const fixed = ["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback", "fe00::0\tip6-localnet", "fe00::0\tip6-mcastprefix", "fe00::1\tip6-allnodes", "fe00::2\tip6-allrouters"];
  const own = ips.map((ip) => (fqdn === undefined ? `${ip}\t${hostname}` : `${ip}\t${fqdn}\t${hostname}`));
  return `# Kubernetes-managed hosts file.\n${[...fixed, ...own].join("\n")}\n${aliasLines(aliases)}`;
}

/** For a pod on the host's network: the host's own file, and the pod's aliases. */
export const hostNetworkHosts = (hostFile: string, aliases: readonly HostAlias[]): string => `# Kubernetes-managed hosts file (host network).\n${hostFile}${aliasLines(aliases)}`;
