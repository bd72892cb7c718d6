/** What is so on a host, as values: gathered in one place, judged in others. */
import type { HostFinding } from "./finding.ts";
import type { BackendInfo, OtherBackend } from "../../../node-iptables/index.ts";

export type HostRole = "master" | "worker";
/** `active`: built in or loaded. `unknown`: neither a list of modules nor the kernel's configuration is there to read. */
export type FeatureState = "active" | "loadable" | "missing" | "unknown";
export interface KernelFacts { readonly release: string; readonly features: Readonly<Record<string, FeatureState>>; /** undefined where this kernel has none, or not yet. */ readonly sysctls: Readonly<Record<string, string | undefined>> }

/** Who listens. */
export interface Listener { readonly pid: number; readonly command: string }
export interface PortFact { readonly port: number; readonly protocol: "tcp" | "udp"; readonly daemon: string; readonly holder: Listener | undefined; /** Our own daemon holds it. */ readonly own: boolean }

export interface DiskFact { readonly path: string; readonly freeBytes: number; /** undefined on file systems that have no fixed number. */ readonly inodesFree: number | undefined; readonly type: string; readonly readOnly: boolean; readonly noExec: boolean }

export interface ClockFacts {
  /** undefined when nothing on this host can tell. */
  readonly synchronised: boolean | undefined;
  /** A time service is installed and only has to be turned on. */
  readonly canSync: boolean;
  /** How much the master's clock is ahead of ours; undefined when no master was asked. */
  readonly masterAheadMs: number | undefined;
}

export interface NameFacts { readonly hostname: string; /** What the host's own name resolves to. */ readonly resolvesTo: readonly string[]; /** Lines of /etc/hosts, without comments. */ readonly hostsEntries: readonly { readonly address: string; readonly names: readonly string[] }[] }
export interface IdentityFacts { readonly machineId: string; readonly productUuid: string }
/** Another node of the cluster, as its status tells it. */
export interface OtherNode { readonly name: string; readonly machineId: string; readonly systemUuid: string }

export interface IptablesFacts {
  readonly own: BackendInfo | undefined;
  readonly other: OtherBackend | undefined;
  /** `iptables-save -t filter` of the host's own iptables; empty when there is none. */
  readonly filter: string;
}
export interface FirewallFacts { readonly ufw: boolean; /** Output of `ufw status`. */ readonly ufwStatus: string; readonly firewalld: boolean; /** Open in the default zone, such as `6443/tcp`. */ readonly firewalldPorts: readonly string[] }

export interface HostFacts {
  readonly role: HostRole;
  readonly uid: number;
  readonly hasSudo: boolean;
  readonly hasSystemd: boolean;
  readonly architecture: string;
  readonly kernel: KernelFacts;
  readonly cgroups: { readonly version: 1 | 2 | undefined; readonly controllers: readonly string[] };
  readonly ports: readonly PortFact[];
  readonly memoryMib: number;
  readonly swap: readonly string[];
  readonly failSwapOn: boolean;
  readonly disks: readonly DiskFact[];
  readonly clock: ClockFacts;
  readonly names: NameFacts;
  /** The name the node is to have instead of the host's. */
  readonly nodeName: string | undefined;
  readonly identity: IdentityFacts;
  readonly iptables: IptablesFacts;
  readonly firewall: FirewallFacts;
  /** systemd units that run, of those that were asked for. */
  readonly activeUnits: readonly string[];
  /** Names of programs that run. */
  readonly programs: readonly string[];
  /** Of the files that other clusters leave, those that are there. */
  readonly foreignFiles: readonly string[];
  readonly cniFiles: readonly string[];
  readonly resolver: { readonly nameservers: readonly string[]; /** A file pods can use; "" for none. */ readonly podResolvConf: string };
}
/** A check decides from facts alone. */
export type Check = (facts: HostFacts) => HostFinding[];
