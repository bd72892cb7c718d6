/**
 * Every controller of this release, in the order they are built. The garbage collector is last: it shares the informers of the rest.
 * Counterpart: kube-controller-manager `app/controllermanager.go` and `names/controller_names.go`.
 */
import { readFileSync } from "node:fs";
import { parsePrivateKey } from "../../lib/pki/keys.ts";
import { FlagError } from "../../lib/util/flags.ts";
import { createBootstrapSigner } from "../../lib/controllers/bootstrap/bootstrap-signer.ts";
import { createTokenCleaner } from "../../lib/controllers/bootstrap/token-cleaner.ts";
import { createApprovingController } from "../../lib/controllers/certificates/approving-controller.ts";
import { createCleaningController } from "../../lib/controllers/certificates/cleaning-controller.ts";
import { createSigningController } from "../../lib/controllers/certificates/signing-controller.ts";
import { createAggregationController } from "../../lib/controllers/clusterrole-aggregation/aggregation-controller.ts";
import { createCronJobController } from "../../lib/controllers/cronjob/cron-job-controller.ts";
import { createDaemonSetController } from "../../lib/controllers/daemonset/daemon-set-controller.ts";
import { createDeploymentController } from "../../lib/controllers/deployment/deployment-controller.ts";
import { createDisruptionController } from "../../lib/controllers/disruption/disruption-controller.ts";
import { createEndpointSliceController } from "../../lib/controllers/endpointslice/endpoint-slice-controller.ts";
import { createEndpointSliceMirroringController } from "../../lib/controllers/endpointslicemirroring/endpoint-slice-mirroring-controller.ts";
import { createEndpointsController } from "../../lib/controllers/endpoints/endpoints-controller.ts";
import { createGarbageCollector } from "../../lib/controllers/garbage-collector/garbage-collector.ts";
import { createJobController } from "../../lib/controllers/job/job-controller.ts";
import { createNamespaceController } from "../../lib/controllers/namespace/namespace-controller.ts";
import { createNodeIpamController } from "../../lib/controllers/nodeipam/node-ipam-controller.ts";
import { createNodeLifecycleController } from "../../lib/controllers/nodelifecycle/node-lifecycle-controller.ts";
import { createPodGcController } from "../../lib/controllers/podgc/pod-gc-controller.ts";
import { createResourceQuotaController } from "../../lib/controllers/resourcequota/resource-quota-controller.ts";
import { createReplicaSetController, createReplicationController } from "../../lib/controllers/replicaset/replica-set-controller.ts";
import { createRootCaPublisher } from "../../lib/controllers/serviceaccount/root-ca-publisher.ts";
import { createTokensController } from "../../lib/controllers/serviceaccount/tokens-controller.ts";
import { createServiceAccountsController } from "../../lib/controllers/serviceaccount/service-accounts-controller.ts";
import { createServiceCidrController } from "../../lib/controllers/service-cidrs/service-cidr-controller.ts";
import { createStatefulSetController } from "../../lib/controllers/statefulset/stateful-set-controller.ts";
import { createClaimProtection, createClassProtection, createVolumeProtection } from "../../lib/controllers/storage-protection/protection-controllers.ts";
import { createTaintEvictionController } from "../../lib/controllers/taint-eviction/taint-eviction-controller.ts";
import { createTtlController } from "../../lib/controllers/ttl/ttl-controller.ts";
import { createTtlAfterFinishedController } from "../../lib/controllers/ttl-after-finished/ttl-after-finished-controller.ts";
import { numberOf, type Flags } from "./flags.ts";
import type { ControllerContext } from "../../lib/controllers/shared/context.ts";
import type { Runnable } from "../../lib/util/runnable.ts";

export interface ControllerDescriptor {
  readonly name: string;
  /** The name before Kubernetes 1.28, still accepted. */
  readonly alias: string;
  /** The service account in kube-system whose role says what it may do; undefined: it acts as the daemon itself. */
  readonly account: string | undefined;
  /** Undefined: the flags give it nothing to do. */
  readonly build: (context: ControllerContext, flags: Flags, defaults: Defaults) => Runnable | undefined;
}
/** What flags leave open. */
export interface Defaults { readonly rootCa: string | undefined }

const list = (text: string): string[] => (text === "" ? [] : text.split(","));

export const CONTROLLERS: readonly ControllerDescriptor[] = [
  { name: "namespace-controller", alias: "namespace", account: "namespace-controller", build: (c, f) => createNamespaceController(c, { workers: f["concurrent-namespace-syncs"] }) },
  { name: "serviceaccount-controller", alias: "serviceaccount", account: "service-account-controller", build: (c) => createServiceAccountsController(c, { workers: 1 }) },
  {
    name: "serviceaccount-token-controller", alias: "serviceaccount-token", account: undefined,
    build: (c, f, { rootCa }) => {
      const file = f["service-account-private-key-file"];
      return file === undefined ? undefined : createTokensController(c, { workers: f["concurrent-serviceaccount-token-syncs"], rootCa, signingKey: parsePrivateKey(readFileSync(file)) });
    },
  },
  {
    name: "root-ca-certificate-publisher-controller", alias: "root-ca-cert-publisher", account: "root-ca-cert-publisher",
    build: (c, _, { rootCa }) => (rootCa === undefined ? undefined : createRootCaPublisher(c, { workers: 1, rootCa })),
  },
  { name: "clusterrole-aggregation-controller", alias: "clusterrole-aggregation", account: "clusterrole-aggregation-controller", build: (c) => createAggregationController(c, { workers: 1 }) },
  {
    name: "node-ipam-controller", alias: "nodeipam", account: "node-controller",
    build: (c, f) => (f["allocate-node-cidrs"] ? createNodeIpamController(c, {
      clusterCidrs: list(f["cluster-cidr"]), serviceCidrs: list(f["service-cluster-ip-range"]), workers: 4,
      maskSizeV4: f["node-cidr-mask-size-ipv4"] || f["node-cidr-mask-size"] || 24, maskSizeV6: f["node-cidr-mask-size-ipv6"] || f["node-cidr-mask-size"] || 64,
    }) : undefined),
  },
  {
    name: "node-lifecycle-controller", alias: "nodelifecycle", account: "node-controller",
    build: (c, f) => {
      const upstream = f.profile === "upstream";
      return createNodeLifecycleController(c, {
        monitorPeriodMs: f["node-monitor-period"] ?? (upstream ? 5_000 : 2_000), monitorGraceMs: f["node-monitor-grace-period"] ?? (upstream ? 50_000 : 12_000), startupGraceMs: f["node-startup-grace-period"],
        rates: {
          normal: numberOf(f, "node-eviction-rate", upstream ? 0.1 : 1), secondary: numberOf(f, "secondary-node-eviction-rate", 0.01),
          largeZoneNodes: f["large-cluster-size-threshold"], unhealthyThreshold: numberOf(f, "unhealthy-zone-threshold", 0.55),
        },
      });
    },
  },
  { name: "ttl-controller", alias: "ttl", account: "ttl-controller", build: (c) => createTtlController(c, { workers: 5 }) },
  { name: "taint-eviction-controller", alias: "taint-eviction-controller", account: "node-controller", build: (c) => createTaintEvictionController(c, { workers: 8 }) },
  { name: "pod-garbage-collector-controller", alias: "podgc", account: "pod-garbage-collector", build: (c, f) => createPodGcController(c, { terminatedThreshold: f["terminated-pod-gc-threshold"] }) },
  { name: "replicaset-controller", alias: "replicaset", account: "replicaset-controller", build: (c, f) => createReplicaSetController(c, { workers: f["concurrent-replicaset-syncs"] }) },
  { name: "replicationcontroller-controller", alias: "replicationcontroller", account: "replication-controller", build: (c, f) => createReplicationController(c, { workers: f["concurrent-rc-syncs"] }) },
  { name: "deployment-controller", alias: "deployment", account: "deployment-controller", build: (c, f) => createDeploymentController(c, { workers: f["concurrent-deployment-syncs"] }) },
  { name: "daemonset-controller", alias: "daemonset", account: "daemon-set-controller", build: (c, f) => createDaemonSetController(c, { workers: f["concurrent-daemonset-syncs"] }) },
  { name: "statefulset-controller", alias: "statefulset", account: "statefulset-controller", build: (c, f) => createStatefulSetController(c, { workers: f["concurrent-statefulset-syncs"] }) },
  { name: "job-controller", alias: "job", account: "job-controller", build: (c, f) => createJobController(c, { workers: f["concurrent-job-syncs"] }) },
  {
    name: "cronjob-controller", alias: "cronjob", account: "cronjob-controller",
    build: (c, f) => createCronJobController(c, { workers: f["concurrent-cron-job-syncs"], localZone: new Intl.DateTimeFormat().resolvedOptions().timeZone }),
  },
  { name: "disruption-controller", alias: "disruption", account: "disruption-controller", build: (c) => createDisruptionController(c, { workers: 1 }) },
  { name: "ttl-after-finished-controller", alias: "ttl-after-finished", account: "ttl-after-finished-controller", build: (c, f) => createTtlAfterFinishedController(c, { workers: f["concurrent-ttl-after-finished-syncs"] }) },
  {
    name: "endpointslice-controller", alias: "endpointslice", account: "endpointslice-controller",
    build: (c, f) => createEndpointSliceController(c, { workers: f["concurrent-service-endpoint-syncs"], endpointsMax: f["max-endpoints-per-slice"], batchMs: f["endpointslice-updates-batch-period"] }),
  },
  {
    name: "endpointslice-mirroring-controller", alias: "endpointslicemirroring", account: "endpointslicemirroring-controller",
    build: (c, f) => createEndpointSliceMirroringController(c, { workers: f["mirroring-concurrent-service-endpoint-syncs"], addressesMax: f["mirroring-max-endpoints-per-subset"], batchMs: f["mirroring-endpointslice-updates-batch-period"] }),
  },
  { name: "service-cidr-controller", alias: "service-cidr-controller", account: "service-cidrs-controller", build: (c) => createServiceCidrController(c, { workers: 5 }) },
  { name: "endpoints-controller", alias: "endpoint", account: "endpoint-controller", build: (c, f) => createEndpointsController(c, { workers: f["concurrent-endpoint-syncs"], batchMs: f["endpoint-updates-batch-period"] }) },
  { name: "bootstrap-signer-controller", alias: "bootstrapsigner", account: "bootstrap-signer", build: (c) => createBootstrapSigner(c) },
  { name: "token-cleaner-controller", alias: "tokencleaner", account: "token-cleaner", build: (c) => createTokenCleaner(c) },
  { name: "certificatesigningrequest-approving-controller", alias: "csrapproving", account: "certificate-controller", build: (c) => createApprovingController(c, { workers: 5 }) },
  {
    name: "certificatesigningrequest-signing-controller", alias: "csrsigning", account: "certificate-controller",
    build: (c, f) => {
      const certificateFile = f["cluster-signing-cert-file"], keyFile = f["cluster-signing-key-file"];
      return certificateFile === undefined || keyFile === undefined ? undefined : createSigningController(c, { workers: 5, certificateFile, keyFile, longestMs: f["cluster-signing-duration"] });
    },
  },
  { name: "certificatesigningrequest-cleaner-controller", alias: "csrcleaner", account: "certificate-controller", build: (c) => createCleaningController(c) },
  { name: "persistentvolumeclaim-protection-controller", alias: "pvc-protection", account: "pvc-protection-controller", build: (c) => createClaimProtection(c) },
  { name: "persistentvolume-protection-controller", alias: "pv-protection", account: "pv-protection-controller", build: (c) => createVolumeProtection(c) },
  { name: "volumeattributesclass-protection-controller", alias: "vac-protection", account: "volumeattributesclass-protection-controller", build: (c) => createClassProtection(c) },
  { name: "resourcequota-controller", alias: "resourcequota", account: "resourcequota-controller", build: (c, f) => createResourceQuotaController(c, { workers: f["concurrent-resource-quota-syncs"], resyncMs: f["resource-quota-sync-period"] }) },
  { name: "garbage-collector-controller", alias: "garbagecollector", account: "generic-garbage-collector", build: (c, f) => createGarbageCollector(c, { workers: f["concurrent-gc-syncs"] }) },
];

/** Upstream's controllers that this release does not have: may be turned off, not on. */
export const NOT_BUILT: ReadonlySet<string> = new Set([
  "ephemeral-volume-controller", "horizontal-pod-autoscaler-controller", "legacy-serviceaccount-token-cleaner-controller",
  "persistentvolume-attach-detach-controller", "persistentvolume-binder-controller", "persistentvolume-expander-controller",
  "resourceclaim-controller",
  "storage-version-migrator-controller", "storageversion-garbage-collector-controller", "validatingadmissionpolicy-status-controller",
  "horizontalpodautoscaling", "attachdetach", "persistentvolume-binder", "persistentvolume-expander",
]);

/** The controllers that `--controllers` turns on. Throws FlagError on a name nobody knows, and on one that is not built. */
export function selectControllers(wanted: readonly string[]): ControllerDescriptor[] {
  for (const item of wanted) {
    const name = item.replace(/^-/, "");
    if (name === "*" || CONTROLLERS.some((c) => c.name === name || c.alias === name)) continue;
    if (!NOT_BUILT.has(name)) throw new FlagError(`"${name}" is not in the list of known controllers`);
    if (!item.startsWith("-")) throw new FlagError(`controller "${name}" is not part of this release`);
  }
  const on = (c: ControllerDescriptor): boolean => {
    if (wanted.includes(c.name) || wanted.includes(c.alias)) return true;
    return wanted.includes("*") && !wanted.includes(`-${c.name}`) && !wanted.includes(`-${c.alias}`);
  };
  return CONTROLLERS.filter(on);
}

/** The authority to publish: the flag's file, else what the client itself trusts. */
export function rootCaOf(flags: Flags, config: { caData?: string | undefined; caFile?: string | undefined }): string | undefined {
  const file = flags["root-ca-file"] ?? config.caFile;
  return flags["root-ca-file"] === undefined && config.caData !== undefined ? config.caData : file === undefined ? undefined : readFileSync(file, "utf8");
}
