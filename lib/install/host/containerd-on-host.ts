/**
 * containerd for an installed host: the distribution's program under a unit of ours, with sockets and data of its own, so that a Docker or
 * another containerd on the same machine is neither used nor disturbed.
 */
import { stat } from "node:fs/promises";
import { containerdConfig } from "../containerd-config.ts";
import { HOST_PATHS } from "./host-paths.ts";

/** Fetched when there is no bundle; a bundle brings `kaji.local/pause:1`. */
export const PUBLIC_PAUSE_IMAGE = "registry.k8s.io/pause:3.10.1";

/** Whether control groups are version 2, where systemd must be the one to make them. */
export const isCgroup2 = (): Promise<boolean> => stat("/sys/fs/cgroup/cgroup.controllers").then(() => true, () => false);

export const hostContainerdConfig = (pauseImage: string): Promise<string> => containerdConfig({ root: "/var/lib/kaji/containerd", state: "/run/kaji/containerd", socket: HOST_PATHS.containerdSocket, pauseImage, systemdCgroup: true });
