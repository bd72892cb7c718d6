/** The ports our daemons need. */
import { findingsOf } from "./finding.ts";
import type { Check, HostRole } from "./host-facts.ts";

const { error } = findingsOf("ports");
export interface WantedPort { readonly port: number; readonly protocol: "tcp" | "udp"; readonly daemon: string; /** Other hosts must reach it. */ readonly open: boolean }
const tcp = (port: number, daemon: string, open = false): WantedPort => ({ port, protocol: "tcp", daemon, open });
const udp = (port: number, daemon: string, open = false): WantedPort => ({ port, protocol: "udp", daemon, open });

/** What a host of this role listens on. See docs/ARCHITECTURE.md. */
export const portsOf = (role: HostRole, apiPort: number): WantedPort[] => role === "master"
  ? [tcp(apiPort, "kube-apiserver", true), tcp(10_257, "kube-controller-manager"), tcp(10_259, "kube-scheduler")]
  : [tcp(10_250, "kubelet", true), tcp(10_248, "kubelet"), tcp(10_256, "kube-proxy", true), tcp(10_249, "kube-proxy"), tcp(53, "kube-proxy"), udp(53, "kube-proxy"), tcp(10_053, "kube-proxy", true), udp(10_053, "kube-proxy", true), udp(8_472, "kube-proxy", true)];

export const checkPorts: Check = ({ ports }) => ports.flatMap(({ port, protocol, daemon, holder, own }) => {
  if (holder === undefined || own) return [];
  const who = holder.pid === 0 ? holder.command : `process ${holder.pid} (${holder.command})`;
  return [error(`port ${port}/${protocol}, which ${daemon} needs, is taken by ${who}`, port === 53 ? "let it listen on its own address instead of every one, or stop it" : "stop it, or give it another port")];
});
