/** What every part that works on pods shares: the runtime, the clock, and the node's settings. */
import type { Cri } from "../cri/client.ts";
import type { Cgroups } from "../host/cgroups.ts";
import type { CgroupName } from "../host/cgroup-name.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import type { DnsSettings } from "./dns-config.ts";
import type { DownwardContext } from "./downward.ts";
import type { EnvironmentSources } from "./environment.ts";
import type { ImageManager } from "./image-manager.ts";
import type { PodEvents } from "./pod-events.ts";
import type { VolumeManager } from "./volumes/volume-manager.ts";

export interface NodeSettings {
  readonly nodeName: string;
  readonly hostIPs: readonly string[];
  readonly dns: DnsSettings;
  /** `/var/log/pods` and `/var/log/containers`. */
  readonly logRoot: string;
  readonly containerLogRoot: string;
  readonly seccompRoot: string;
  readonly memoryCapacityBytes: number;
  readonly cgroupRoot: CgroupName;
  /** Sysctls beyond the safe ones that pods may set. */
  readonly allowedUnsafeSysctls: readonly string[];
}

export interface NodeContext {
  readonly cri: Cri;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: PodEvents;
  readonly images: ImageManager;
  readonly volumes: VolumeManager;
  readonly sources: EnvironmentSources;
  readonly cgroups: Cgroups;
  readonly settings: NodeSettings;
  /** The runtime's handler for a RuntimeClass. */
  runtimeHandler(name: string): Promise<string>;
  downwardContext(podIPs: readonly string[]): DownwardContext;
}
