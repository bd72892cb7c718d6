/** Where a cluster on this machine keeps its things. Counterpart: docs/ARCHITECTURE.md, "On a host". */
import path from "node:path";

export const CONFIG_DIR = "/etc/kaji";
export const PKI_DIR = "/etc/kaji/pki";
export const DATA_DIR = "/var/lib/kaji";
export const RUN_DIR = "/run/kaji";
/** Packed images; its parent is shared with other caches of ours. */
export const CACHE_DIR = "/var/cache/kaji/images";
/** The daemons' code as V8 wants it; only used when they run from source. */
export const COMPILED_DIR = "/var/cache/kaji/compiled";
export const LOG_DIR = "/var/lib/kaji/logs";
export const CLUSTER_FILE = "/var/lib/kaji/cluster.json";
export const STORE_FILE = "/var/lib/kaji/state.db";
export const NAMESPACES_DIR = "/run/kaji/ns";
export const PIDS_DIR = "/run/kaji/pids";
export const ADMIN_KUBECONFIG = "/etc/kaji/admin.conf";

export const hostDir = (name: string): string => path.join(DATA_DIR, "hosts", name);
/** The pinned namespaces of a host. */
export const namespaceFile = (host: string, kind: "net" | "mnt" | "uts"): string => path.join(NAMESPACES_DIR, host, kind);
export const kubeconfigFile = (component: string): string => path.join(CONFIG_DIR, `${component}.conf`);
