/** What a kubelet is told: flags and configuration file, resolved once at the edge. */
import type { Taint } from "../api/schema/generated/models.ts";
import type { CgroupDriver, CgroupName } from "../host/cgroup-name.ts";
import type { NodeResources, Pressure } from "./node-status.ts";

export interface KubeletOptions {
  readonly nodeName: string;
  readonly hostname: string;
  /** As they are now: they may change while the kubelet runs. */
  readonly nodeIPs: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly rootDirectory: string;
  readonly podLogDirectory: string;
  readonly containerLogDirectory: string;
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  /** "" for none. */
  readonly resolvConf: string;
  readonly cgroupDriver: CgroupDriver;
  readonly cgroupRoot: CgroupName;
  readonly maxPods: number;
  /** Port of the kubelet's server, as the node announces it. */
  readonly port: number;
  readonly reserved: NodeResources;
  readonly evictionMemoryBytes: number;
  readonly leaseDurationSeconds: number;
  readonly statusCheckMs: number;
  readonly statusReportMs: number;
  readonly allowedUnsafeSysctls: readonly string[];
  /** What the machine is short of right now. */
  readonly pressure: () => Pressure;
}
