/** Kernel settings that the daemons of a host change while they run, so that `kaji reset` can put back what was there. Pure. */
export const NODE_SYSCTLS: readonly string[] = [
  "net.ipv4.ip_forward", "net.bridge.bridge-nf-call-iptables", "net.ipv4.conf.all.route_localnet", "net.netfilter.nf_conntrack_max",
  "net.netfilter.nf_conntrack_tcp_timeout_established", "net.netfilter.nf_conntrack_tcp_timeout_close_wait",
];
/** Docker and its like stop working without: left on where one runs. */
const NEEDED_BY_ENGINES = new Set(["net.ipv4.ip_forward", "net.bridge.bridge-nf-call-iptables"]);

/** What to write back: those that differ, but not what somebody else needs by now. */
export function sysctlsToRestore(before: Readonly<Record<string, string>>, now: Readonly<Record<string, string | undefined>>, engineRuns: boolean): [name: string, value: string][] {
  return Object.entries(before).filter(([name, value]) => now[name] !== undefined && now[name] !== value && !(engineRuns && NEEDED_BY_ENGINES.has(name)));
}
