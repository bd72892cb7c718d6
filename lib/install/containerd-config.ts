/** containerd's configuration, for hosts of `kaji up` and for installed ones. */
import { readFile, stat } from "node:fs/promises";

export const PAUSE_IMAGE = "kaji.local/pause:1";
const CAP_SYS_RESOURCE = 24;

/** Whether this process may lower an OOM score: asked of the kernel, not assumed. */
async function mayLowerOomScore(): Promise<boolean> {
  const line = /^CapEff:\s*([0-9a-f]+)$/m.exec(await readFile("/proc/self/status", "utf8"));
  return (BigInt(`0x${line?.[1] ?? "0"}`) & (1n << BigInt(CAP_SYS_RESOURCE))) !== 0n;
}

/** Where this machine keeps its CNI plugins. Throws when there are none. */
export async function cniPluginDirectory(): Promise<string> {
  for (const directory of ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"]) {
    if (await stat(`${directory}/bridge`).then(() => true, () => false)) return directory;
  }
  throw new Error("Cannot find the CNI plugin \"bridge\": looked in /opt/cni/bin, /usr/lib/cni and /usr/libexec/cni; install containernetworking-plugins");
}

/** What differs between hosts. Folders and the socket are paths there. */
export interface ContainerdSettings {
  readonly root: string; readonly state: string; readonly socket: string; readonly pauseImage: string;
  /** systemd makes the control groups: version 2, or a host that systemd runs. */
  readonly systemdCgroup: boolean;
}

/** The whole file, of version 2, which containerd 1.4 to 2.x read. */
export async function containerdConfig({ root, state, socket, pauseImage, systemdCgroup }: ContainerdSettings): Promise<string> {
  return `version = 2
root = "${root}"
state = "${state}"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp"]

[grpc]
  address = "${socket}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = ${!(await mayLowerOomScore())}
  disable_apparmor = false
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
        SystemdCgroup = ${systemdCgroup}
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "/etc/containerd/certs.d"
`;
}

/** Of a host of `kaji up`: the defaults, because it has its own `/run` and `/var/lib/containerd`. */
export const hostOfUpConfig = (): Promise<string> => containerdConfig({ root: "/var/lib/containerd", state: "/run/containerd", socket: "/run/containerd/containerd.sock", pauseImage: PAUSE_IMAGE, systemdCgroup: false });
