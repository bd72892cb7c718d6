/** Where an installed host keeps its things. Counterpart: docs/ARCHITECTURE.md, "On a host". */
export interface HostPaths { readonly config: string; readonly pki: string; readonly data: string; readonly store: string; readonly certificates: string; readonly containerdSocket: string; readonly units: string; readonly binary: string }

export const HOST_PATHS: HostPaths = {
  config: "/etc/kaji", pki: "/etc/kaji/pki", data: "/var/lib/kaji", store: "/var/lib/kaji/state.db", certificates: "/var/lib/kaji/certificates",
  containerdSocket: "/run/kaji/containerd/containerd.sock", units: "/etc/systemd/system", binary: "/usr/local/bin/kaji",
};

export const apiServiceNames = (domain: string): string[] => ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", `kubernetes.default.svc.${domain}`];
export const unitName = (daemon: string): string => `kaji-${daemon}.service`;
