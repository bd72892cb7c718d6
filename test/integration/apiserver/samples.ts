/** One small object of every stored kind, as a user would write it, and what its status subresource is given: what tests of all kinds share. */
import { createRequest } from "../../../lib/pki/certificate-request.ts";
import { generateKey } from "../../../lib/pki/keys.ts";
import type { Json } from "./harness.ts";

export interface Sample {
  /** Beside apiVersion, kind and metadata. `index` tells apart what must differ between two objects. */
  readonly body: (index: number) => Json;
  /** Where the kind prescribes names; elsewhere any will do. */
  readonly name?: (index: number) => string;
  /** A status to patch in. */
  readonly status?: Json;
  /** Its status subresource leaves labels and annotations as they are. */
  readonly statusKeepsMetadata?: boolean;
}

const POD_SPEC = { containers: [{ name: "main", image: "nginx:1.27" }] };
const SELECTOR = { matchLabels: { app: "x" } }, TEMPLATE = { metadata: { labels: { app: "x" } }, spec: POD_SPEC };
const JOB_TEMPLATE = { spec: { ...POD_SPEC, restartPolicy: "Never" } };
const CONDITION = { type: "Seen", status: "True", reason: "ByTest", message: "seen", lastTransitionTime: "2026-01-01T00:00:00Z" };
const RULES = [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] }];
const WEBHOOKS = [{ name: "hook.example.com", clientConfig: { url: "https://hook.example.com/" }, sideEffects: "None", admissionReviewVersions: ["v1"], rules: RULES, namespaceSelector: { matchLabels: { nowhere: "true" } } }];
const ROLE_RULES = [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }], subjects = [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "jane" }];
const INVOLVED = { kind: "Pod", apiVersion: "v1", namespace: "lifecycles", name: "p" };
const DEVICES = { devices: { requests: [{ name: "one", exactly: { deviceClassName: "gpu.example.com" } }] } };
const CSR = Buffer.from(createRequest(generateKey(), { subject: { commonName: "test" } })).toString("base64");
const HPA = { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" }, maxReplicas: 3 };
const VOLUME = { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"] };
const CLAIM = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
const CIDR_OF = (index: number): string => `10.97.${index}.0/24`;

/** By `plural`, or `plural.group`; autoscaling/v1 has its own. */
export const SAMPLES: Readonly<Record<string, Sample>> = {
  configmaps: { body: () => ({ data: { key: "value" } }) },
  endpoints: { body: () => ({ subsets: [{ addresses: [{ ip: "10.0.0.24" }], ports: [{ name: "http", port: 80, protocol: "TCP" }] }] }) },
  events: { body: () => ({ involvedObject: INVOLVED, reason: "Test", message: "made by a test", type: "Normal", source: { component: "test" }, firstTimestamp: "2026-01-01T00:00:00Z", lastTimestamp: "2026-01-01T00:00:00Z", count: 1 }) },
  limitranges: { body: () => ({ spec: { limits: [{ type: "Container", default: { cpu: "500m" } }] } }) },
  namespaces: { body: () => ({}), status: { conditions: [{ ...CONDITION, type: "StatusPatch" }] } },
  nodes: { body: () => ({}), status: { capacity: { "example.com/thing": "5" } } },
  persistentvolumeclaims: { body: () => ({ spec: CLAIM }), status: { conditions: [CONDITION] } },
  persistentvolumes: { body: () => ({ spec: { ...VOLUME, hostPath: { path: "/tmp" } } }), status: { message: "StatusPatched", reason: "ByTest" } },
  pods: { body: () => ({ spec: POD_SPEC }), status: { conditions: [{ type: "Initialized", status: "True", reason: "ByTest" }] } },
  podtemplates: { body: () => ({ template: TEMPLATE }) },
  replicationcontrollers: { body: () => ({ spec: { replicas: 1, selector: { app: "x" }, template: TEMPLATE } }), status: { replicas: 1, readyReplicas: 1 } },
  resourcequotas: { body: () => ({ spec: { hard: { "count/secrets": "500" } } }), status: { hard: { "count/secrets": "500" }, used: { "count/secrets": "3" } } },
  secrets: { body: () => ({ data: { key: "dmFsdWU=" } }) },
  serviceaccounts: { body: () => ({ automountServiceAccountToken: false }) },
  services: { body: () => ({ spec: { type: "LoadBalancer", selector: { app: "x" }, ports: [{ port: 80 }] } }), status: { loadBalancer: { ingress: [{ ip: "203.0.113.1" }] } } },
  "apiservices.apiregistration.k8s.io": {
    name: (i) => `v1.group${i}.example.com`, statusKeepsMetadata: true, status: { conditions: [CONDITION] },
    body: (i) => ({ spec: { group: `group${i}.example.com`, version: "v1", groupPriorityMinimum: 100, versionPriority: 1, insecureSkipTLSVerify: true, service: { name: "s", namespace: "lifecycles" } } }),
  },
  "controllerrevisions.apps": { body: () => ({ data: { spec: { a: 1 } }, revision: 1 }) },
  "daemonsets.apps": { body: () => ({ spec: { selector: SELECTOR, template: TEMPLATE } }), status: { currentNumberScheduled: 1, desiredNumberScheduled: 1, numberMisscheduled: 0, numberReady: 1, conditions: [CONDITION] } },
  "deployments.apps": { body: () => ({ spec: { replicas: 1, selector: SELECTOR, template: TEMPLATE } }), status: { conditions: [{ type: "StatusPatched", status: "True" }] } },
  "replicasets.apps": { body: () => ({ spec: { replicas: 1, selector: SELECTOR, template: TEMPLATE } }), status: { replicas: 0, conditions: [{ type: "StatusPatched", status: "True" }] } },
  "statefulsets.apps": { body: () => ({ spec: { replicas: 1, serviceName: "x", selector: SELECTOR, template: TEMPLATE } }), status: { replicas: 0, conditions: [{ type: "StatusPatched", status: "True" }] } },
  "events.events.k8s.io": { body: () => ({ regarding: INVOLVED, reason: "Test", note: "made by a test", type: "Normal", action: "Do", eventTime: "2026-01-01T00:00:00.000001Z", reportingController: "example.com/test", reportingInstance: "test-1" }) },
  "horizontalpodautoscalers.autoscaling": { body: () => ({ spec: HPA }), status: { currentReplicas: 1, desiredReplicas: 2 } },
  "cronjobs.batch": { body: () => ({ spec: { schedule: "0 0 1 1 *", jobTemplate: { spec: { template: JOB_TEMPLATE } } } }), status: { lastScheduleTime: "2026-01-01T00:00:00Z" } },
  "jobs.batch": { body: () => ({ spec: { suspend: true, template: JOB_TEMPLATE } }), status: { conditions: [CONDITION] } },
  "certificatesigningrequests.certificates.k8s.io": { body: () => ({ spec: { request: CSR, signerName: "example.com/test", usages: ["digital signature", "server auth"] } }), status: { conditions: [{ type: "StatusPatched", status: "True", reason: "ByTest" }] } },
  "ingressclasses.networking.k8s.io": { body: () => ({ spec: { controller: "example.com/controller" } }) },
  "ingresses.networking.k8s.io": { body: () => ({ spec: { defaultBackend: { service: { name: "web", port: { number: 80 } } } } }), status: { loadBalancer: { ingress: [{ ip: "169.1.1.1" }] } } },
  "ipaddresses.networking.k8s.io": { name: (i) => `192.0.2.${10 + i}`, body: () => ({ spec: { parentRef: { resource: "services", namespace: "default", name: "kubernetes" } } }) },
  "networkpolicies.networking.k8s.io": { body: () => ({ spec: { podSelector: {}, policyTypes: ["Ingress"] } }) },
  "servicecidrs.networking.k8s.io": { body: (i) => ({ spec: { cidrs: [CIDR_OF(i)] } }), status: { conditions: [CONDITION] } },
  "poddisruptionbudgets.policy": { body: () => ({ spec: { minAvailable: 1, selector: SELECTOR } }), status: { observedGeneration: 1, disruptionsAllowed: 2, currentHealthy: 3, desiredHealthy: 1, expectedPods: 3 } },
  "clusterrolebindings.rbac.authorization.k8s.io": { body: () => ({ roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" }, subjects }) },
  "clusterroles.rbac.authorization.k8s.io": { body: () => ({ rules: ROLE_RULES }) },
  "rolebindings.rbac.authorization.k8s.io": { body: () => ({ roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" }, subjects }) },
  "roles.rbac.authorization.k8s.io": { body: () => ({ rules: ROLE_RULES }) },
  "csidrivers.storage.k8s.io": { body: () => ({ spec: { attachRequired: true, podInfoOnMount: true } }) },
  "csinodes.storage.k8s.io": { body: () => ({ spec: { drivers: [{ name: "csi.example.com", nodeID: "n", topologyKeys: [] }] } }) },
  "csistoragecapacities.storage.k8s.io": { body: () => ({ storageClassName: "slow", capacity: "10Gi", nodeTopology: SELECTOR }) },
  "storageclasses.storage.k8s.io": { body: () => ({ provisioner: "example.com/p", parameters: { a: "b" } }) },
  "volumeattachments.storage.k8s.io": { body: () => ({ spec: { attacher: "csi.example.com", nodeName: "n1", source: { persistentVolumeName: "pv" } } }), status: { attached: true }, statusKeepsMetadata: true },
  "volumeattributesclasses.storage.k8s.io": { body: () => ({ driverName: "csi.example.com", parameters: { iops: "100" } }) },
  "mutatingadmissionpolicies.admissionregistration.k8s.io": {
    body: () => ({ spec: { matchConstraints: { resourceRules: RULES }, reinvocationPolicy: "Never", mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression: "Object{}" } }] } }),
  },
  "mutatingadmissionpolicybindings.admissionregistration.k8s.io": { body: () => ({ spec: { policyName: "p" } }) },
  "mutatingwebhookconfigurations.admissionregistration.k8s.io": { body: () => ({ webhooks: WEBHOOKS }) },
  "validatingadmissionpolicies.admissionregistration.k8s.io": {
    body: () => ({ spec: { matchConstraints: { resourceRules: RULES }, validations: [{ expression: "true" }] } }), status: { conditions: [CONDITION] }, statusKeepsMetadata: true,
  },
  "validatingadmissionpolicybindings.admissionregistration.k8s.io": { body: () => ({ spec: { policyName: "p", validationActions: ["Deny"] } }) },
  "validatingwebhookconfigurations.admissionregistration.k8s.io": { body: () => ({ webhooks: WEBHOOKS }) },
  "customresourcedefinitions.apiextensions.k8s.io": {
    name: (i) => `things${i}.example.com`, status: { conditions: [CONDITION] },
    body: (i) => ({ spec: { group: "example.com", scope: "Namespaced", names: { plural: `things${i}`, kind: `Thing${i}` }, versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }] } }),
  },
  "priorityclasses.scheduling.k8s.io": { body: () => ({ value: 100 }) },
  "leases.coordination.k8s.io": { body: () => ({ spec: { holderIdentity: "me", leaseDurationSeconds: 30, leaseTransitions: 0 } }) },
  "runtimeclasses.node.k8s.io": { body: () => ({ handler: "runc" }) },
  "endpointslices.discovery.k8s.io": { body: () => ({ addressType: "IPv4", endpoints: [{ addresses: ["10.0.0.24"] }], ports: [{ name: "http", port: 80, protocol: "TCP" }] }) },
  "deviceclasses.resource.k8s.io": { body: () => ({ spec: { selectors: [{ cel: { expression: "true" } }] } }) },
  "resourceclaims.resource.k8s.io": {
    body: () => ({ spec: DEVICES }), statusKeepsMetadata: true,
    status: { allocation: { devices: { results: [{ request: "one", driver: "gpu.example.com", pool: "p", device: "d" }] } } },
  },
  "resourceclaimtemplates.resource.k8s.io": { body: () => ({ spec: { spec: DEVICES } }) },
  "resourceslices.resource.k8s.io": { body: (i) => ({ spec: { driver: "gpu.example.com", nodeName: "n1", pool: { name: `pool${i}`, generation: 1, resourceSliceCount: 1 }, devices: [{ name: "d" }] } }) },
  "flowschemas.flowcontrol.apiserver.k8s.io": {
    statusKeepsMetadata: true, status: { conditions: [{ type: "Seen", status: "False", reason: "ByTest", lastTransitionTime: "2026-01-01T00:00:00Z" }] },
    body: () => ({ spec: { matchingPrecedence: 9000, priorityLevelConfiguration: { name: "global-default" }, distinguisherMethod: { type: "ByUser" }, rules: [{ subjects: [{ kind: "User", user: { name: "jane" } }], nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }] }] } }),
  },
  "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": {
    statusKeepsMetadata: true, status: { conditions: [{ type: "Seen", status: "False", reason: "ByTest", lastTransitionTime: "2026-01-01T00:00:00Z" }] },
    body: () => ({ spec: { type: "Limited", limited: { nominalConcurrencyShares: 2, limitResponse: { type: "Reject" } } } }),
  },
};
