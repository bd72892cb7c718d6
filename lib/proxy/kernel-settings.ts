/** Kernel settings the proxy wants. A setting that cannot be written (in a namespace, or read-only) is told and left. Counterpart: kube-proxy `conntrack.go`. */
import { availableParallelism } from "node:os";
import { readSysctl, writeSysctl } from "../host/sysctl.ts";
import type { Logger } from "../util/logger.ts";
import type { ConntrackSettings } from "./config.ts";

/** Settings by name. Zero means: leave it alone. Pure. */
export function conntrackSysctls(settings: ConntrackSettings, cores: number): [name: string, value: string][] {
  const wanted: [string, string][] = [], seconds = (ms: number): string => String(Math.round(ms / 1_000));
  if (settings.maxPerCore > 0) wanted.push(["net.netfilter.nf_conntrack_max", String(Math.max(settings.min, settings.maxPerCore * cores))]);
  if (settings.tcpEstablishedTimeoutMs > 0) wanted.push(["net.netfilter.nf_conntrack_tcp_timeout_established", seconds(settings.tcpEstablishedTimeoutMs)]);
  if (settings.tcpCloseWaitTimeoutMs > 0) wanted.push(["net.netfilter.nf_conntrack_tcp_timeout_close_wait", seconds(settings.tcpCloseWaitTimeoutMs)]);
  if (settings.udpTimeoutMs > 0) wanted.push(["net.netfilter.nf_conntrack_udp_timeout", seconds(settings.udpTimeoutMs)]);
  if (settings.udpStreamTimeoutMs > 0) wanted.push(["net.netfilter.nf_conntrack_udp_timeout_stream", seconds(settings.udpStreamTimeoutMs)]);
  if (settings.tcpBeLiberal) wanted.push(["net.netfilter.nf_conntrack_tcp_be_liberal", "1"]);
  return wanted;
}

/** Writes them, and what node ports on localhost need. Returns whether the kernel is lenient about odd TCP packets. */
export async function applyKernelSettings(settings: ConntrackSettings, localhostNodePorts: boolean, log: Logger): Promise<{ conntrackTcpLiberal: boolean }> {
  const wanted = conntrackSysctls(settings, availableParallelism());
  if (localhostNodePorts) wanted.push(["net.ipv4.conf.all.route_localnet", "1"]);
  for (const [name, value] of wanted) {
    if (name.endsWith("conntrack_max") && Number(await readSysctl(name) ?? 0) >= Number(value)) continue; // Never lowered: others may have raised it.
    try { await writeSysctl(name, value); }
    catch (error) { log.warn({ setting: name, value, error: (error as Error).message }, "cannot write a kernel setting"); }
  }
  return { conntrackTcpLiberal: (await readSysctl("net.netfilter.nf_conntrack_tcp_be_liberal") ?? "0") !== "0" };
}
