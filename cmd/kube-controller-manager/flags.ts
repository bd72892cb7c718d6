/** Flags of kube-controller-manager: upstream's names; what is ours alone says so. */
import { CONNECTION_FLAGS, checkLeaderFlags, leaderFlags, servingFlags } from "../../lib/runtime/component.ts";
import { DAEMON_FLAGS, parseDaemonFlags } from "../../lib/util/daemon.ts";
import { FlagError, type FlagValues } from "../../lib/util/flags.ts";

export const COMPONENT = "kube-controller-manager";

export const FLAGS = {
  config: { type: "string", help: "a YAML file of these flags by their names; the command line's win (ours alone)" },
  ...CONNECTION_FLAGS,
  ...servingFlags(10257),
  controllers: { type: "list", default: ["*"], help: "which controllers run: '*' is all that are on by default, 'foo' turns one on, '-foo' off" },
  "use-service-account-credentials": { type: "bool", default: true, help: "each controller acts as its own service account (upstream's default, false, lets none of them write under RBAC)" },
  "cluster-name": { type: "string", default: "kubernetes", help: "name of the cluster; nothing is derived from it" },
  "allocate-node-cidrs": { type: "bool", help: "give each node a pod range out of --cluster-cidr" },
  "cluster-cidr": { type: "string", default: "", help: "pod ranges are cut from this; one, or one of each family by comma" },
  "service-cluster-ip-range": { type: "string", default: "", help: "addresses of Services; never given to nodes" },
  "node-cidr-mask-size": { type: "int", default: 0, help: "mask of a node's range (24 for IPv4, 64 for IPv6)" },
  "node-cidr-mask-size-ipv4": { type: "int", default: 0, help: "mask of a node's IPv4 range" },
  "node-cidr-mask-size-ipv6": { type: "int", default: 0, help: "mask of a node's IPv6 range" },
  "root-ca-file": { type: "string", help: "certificate authority published to pods as kube-root-ca.crt; the kubeconfig's when absent" },
  "service-account-private-key-file": { type: "string", help: "key that signs tokens of Secrets, the API server's own; without it none are signed" },
  "cluster-signing-cert-file": { type: "string", help: "certificate authority that signs certificate requests; without it none are signed" },
  "cluster-signing-key-file": { type: "string", help: "key of --cluster-signing-cert-file" },
  "cluster-signing-duration": { type: "duration", default: "8760h0m0s", help: "longest life of a signed certificate" },
  "requestheader-client-ca-file": { type: "string", help: "accepted and unused: no front proxy is trusted here" },
  "node-monitor-period": { type: "duration", help: "how often nodes are looked at (profile: 2s, upstream 5s)" },
  "node-monitor-grace-period": { type: "duration", help: "silence after which a node counts as gone (profile: 12s, upstream 50s)" },
  "node-startup-grace-period": { type: "duration", default: "1m0s", help: "the same for a node that never posted its status" },
  "node-eviction-rate": { type: "string", help: "nodes a second whose pods are evicted in a healthy zone (profile: 1, upstream 0.1)" },
  "secondary-node-eviction-rate": { type: "string", default: "0.01", help: "the same in a large unhealthy zone" },
  "large-cluster-size-threshold": { type: "int", default: 50, help: "nodes above which a zone is large" },
  "unhealthy-zone-threshold": { type: "string", default: "0.55", help: "share of silent nodes from which a zone counts as unhealthy" },
  "terminated-pod-gc-threshold": { type: "int", default: 12_500, help: "finished pods that are kept" },
  "max-endpoints-per-slice": { type: "int", default: 100, help: "endpoints in one EndpointSlice" },
  "endpoint-updates-batch-period": { type: "duration", default: "0s", help: "how long changes of pods are gathered before endpoints are written" },
  "endpointslice-updates-batch-period": { type: "duration", default: "0s", help: "the same for EndpointSlices" },
  "concurrent-deployment-syncs": { type: "int", default: 5, help: "deployments worked on at once" },
  "concurrent-replicaset-syncs": { type: "int", default: 5, help: "replica sets worked on at once" },
  "concurrent-rc-syncs": { type: "int", default: 5, help: "replication controllers worked on at once" },
  "concurrent-daemonset-syncs": { type: "int", default: 2, help: "daemon sets worked on at once" },
  "concurrent-cron-job-syncs": { type: "int", default: 5, help: "cron jobs worked on at once" },
  "concurrent-statefulset-syncs": { type: "int", default: 5, help: "stateful sets worked on at once" },
  "concurrent-job-syncs": { type: "int", default: 5, help: "jobs worked on at once" },
  "concurrent-ttl-after-finished-syncs": { type: "int", default: 5, help: "finished jobs looked at at once" },
  "concurrent-endpoint-syncs": { type: "int", default: 5, help: "Endpoints worked on at once" },
  "concurrent-service-endpoint-syncs": { type: "int", default: 5, help: "Services whose EndpointSlices are worked on at once" },
  "mirroring-concurrent-service-endpoint-syncs": { type: "int", default: 5, help: "hand-written Endpoints that are shown as slices at once" },
  "mirroring-max-endpoints-per-subset": { type: "int", default: 1_000, help: "addresses of a subset that are shown" },
  "mirroring-endpointslice-updates-batch-period": { type: "duration", default: "0s", help: "how long changes of such Endpoints are gathered" },
  "concurrent-namespace-syncs": { type: "int", default: 10, help: "namespaces emptied at once" },
  "concurrent-gc-syncs": { type: "int", default: 20, help: "objects the garbage collector looks at at once" },
  "concurrent-resource-quota-syncs": { type: "int", default: 5, help: "quotas counted at once" },
  "resource-quota-sync-period": { type: "duration", default: "5m0s", help: "how often usage of a quota is counted anew without any reason" },
  "concurrent-serviceaccount-token-syncs": { type: "int", default: 5, help: "Secrets for tokens worked on at once" },
  ...leaderFlags(COMPONENT),
  "renew-certificates": { type: "string", help: "folder whose kubeconfigs and pki/ are kept fresh, signed by the authorities in pki/, such as /etc/kaji; none when absent (ours alone)" },
  "configure-host-routes": { type: "bool", help: "keep routes on this machine to the pods of every node (ours alone)" },
  ...DAEMON_FLAGS,
} as const;
export type Flags = FlagValues<typeof FLAGS>;

/** Parses and checks. Throws FlagError. */
export function parse(argv: readonly string[]): Flags {
  const flags = parseDaemonFlags(COMPONENT, argv, FLAGS);
  checkLeaderFlags(flags);
  if (flags["allocate-node-cidrs"] && flags["cluster-cidr"] === "") throw new FlagError("--cluster-cidr is needed with --allocate-node-cidrs");
  for (const name of ["node-eviction-rate", "secondary-node-eviction-rate", "unhealthy-zone-threshold"] as const) numberOf(flags, name, 0);
  return flags;
}

/** A fraction given as text. Throws FlagError. */
export function numberOf(flags: Flags, name: "node-eviction-rate" | "secondary-node-eviction-rate" | "unhealthy-zone-threshold", fallback: number): number {
  const text = flags[name];
  if (text === undefined) return fallback;
  if (!/^\d+(\.\d+)?$/.test(text)) throw new FlagError(`invalid argument "${text}" for "--${name}" flag: strconv.ParseFloat: parsing "${text}": invalid syntax`);
  return Number(text);
}
