/**
 * What a master tells `kaji apply` of its cluster, and what is noted there of hosts that were added over SSH. Types only, so that whoever
 * reads a report loads nothing that runs on a host.
 */
import type { ClusterSettings } from "./cluster-settings.ts";

/** How a host was reached, kept so that it can be taken away when the file names it no more. Nothing secret. */
export interface MemberReach { readonly address: string; readonly port: number; readonly user: string; readonly jump?: MemberReach | undefined }
export interface Member {
  readonly role: "master" | "worker";
  /** As the operator calls the host. */
  readonly host: string;
  readonly machineId: string;
  readonly reach: MemberReach;
  /** Labels and taints that `apply` set, so that it takes only these away again. Taints as `key:Effect`. */
  readonly labels: readonly string[]; readonly taints: readonly string[];
  /** It is being taken away. */
  readonly leaving?: boolean | undefined;
  /** More names of the API server; of a master. */
  readonly apiServerNames?: readonly string[] | undefined;
}
export interface NodeReport {
  readonly name: string; readonly ready: boolean; readonly unschedulable: boolean; readonly machineId: string; readonly address: string;
  readonly labels: Readonly<Record<string, string>>; readonly taints: readonly { readonly key: string; readonly value: string; readonly effect: string }[];
}
export interface MembersReport {
  readonly version: 1;
  /** Undefined while `kaji init` has not come to its end. */
  readonly settings: ClusterSettings | undefined;
  readonly pin: string;
  /** By node name; the master under its host's name. */
  readonly members: Readonly<Record<string, Member>>;
  readonly nodes: readonly NodeReport[];
}

/** What `kaji members configure` reads from stdin. */
export interface NodeWish {
  /** undefined takes the label away. */
  readonly labels: Readonly<Record<string, string | null>>;
  readonly addTaints: readonly { readonly key: string; readonly value: string; readonly effect: string }[];
  /** As `key:Effect`. */
  readonly removeTaints: readonly string[];
  readonly uncordon: boolean;
}
