/**
 * containerd for an installed host: the distribution's program under a unit of ours, with sockets and data of its own, so that a Docker or
 * another containerd on the same machine is neither used nor disturbed.
 */
import { stat } from "node:fs/promises";
import { cniPluginDirectory } from "../containerd-config.ts";

/** Fetched when there is no bundle; a bundle brings `kaji.local/pause:1`. */
export const PUBLIC_PAUSE_IMAGE = "registry.k8s.io/pause:3.10.1";

/** Whether control groups are version 2, where systemd must be the one to make them. */
export const isCgroup2 = (): Promise<boolean> => stat("/sys/fs/cgroup/cgroup.controllers").then(() => true, () => false);

export async function hostContainerdConfig(pauseImage: string): Promise<string> {
  return `version = 2
root = "/var/lib/kaji/containerd"
state = "/run/kaji/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp"]

[grpc]
  address = "/run/kaji/containerd/containerd.sock"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  max_container_log_line_size = 16384
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${await cniPluginDirectory()}"
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = true
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "/etc/containerd/certs.d"
`;
}
