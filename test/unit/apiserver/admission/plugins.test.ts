import test from "ava";
import type { KubeObject, ResourceDefinition } from "../../../../lib/api/resource-definition.ts";
import { configmaps, ingressclasses, limitranges, namespaces, nodes, persistentvolumeclaims, pods, priorityclasses, runtimeclasses, serviceaccounts, storageclasses } from "../../../../lib/api/schema/generated/references.ts";
import type { ResourceReference } from "../../../../lib/api/reference.ts";
import type { Ingress, Node, PersistentVolumeClaim, Pod, PodSpec } from "../../../../lib/api/schema/generated/models.ts";
import { StatusError } from "../../../../lib/api/status-error.ts";
import { admissionPlugins } from "../../../../lib/apiserver/admission/plugins.ts";
import type { AdmissionAttributes, AdmissionOperation } from "../../../../lib/apiserver/contracts.ts";
import { FakeCache } from "../fake-cache.ts";

interface Given { operation?: AdmissionOperation; subresource?: string; namespace?: string; name?: string; oldObject?: object; user?: { name: string; groups: string[] } }

function setUp(options: Parameters<typeof admissionPlugins>[1] = {}) {
  const cache = new FakeCache(), plugins = admissionPlugins(cache, { random: () => 0, ...options });
  cache.put(namespaces, { metadata: { name: "a" }, spec: {} });
  cache.put(serviceaccounts, { metadata: { namespace: "a", name: "default" } });
  const definitions = new Map<ResourceReference, ResourceDefinition>();
  const attributes = (reference: ResourceReference, object: object | undefined, given: Given = {}): AdmissionAttributes => {
    if (!definitions.has(reference)) definitions.set(reference, { ...reference } as unknown as ResourceDefinition);
    return {
      operation: given.operation ?? "CREATE", definition: definitions.get(reference)!, subresource: given.subresource ?? "", namespace: given.namespace ?? (reference.namespaced ? "a" : ""), name: given.name ?? "",
      object: object as KubeObject | undefined, oldObject: given.oldObject as KubeObject | undefined, user: given.user ?? { name: "jane", groups: [] }, dryRun: false, addWarning() {},
    };
  };
  const write = (reference: ResourceReference, object: object | undefined, given: Given = {}): void => {
    const all = attributes(reference, object, given);
    const caring = plugins.filter((plugin) => plugin.handles(all.operation, all.definition, all.subresource));
    for (const plugin of caring) void plugin.admit?.(all);
    for (const plugin of caring) void plugin.validate?.(all);
  };
  const pod = (spec: Partial<PodSpec> = {}, meta: object = {}): Pod => ({ metadata: { name: "web", namespace: "a", ...meta }, spec: { containers: [{ name: "c" }], ...spec } });
  return { cache, names: plugins.map((plugin) => plugin.name), write, pod };
}

test("NamespaceLifecycle refuses what has no namespace, new things in one that goes, and the end of kube-system", (t) => {
  const { write, cache, pod } = setUp();
  t.throws(() => write(pods, pod(), { namespace: "x" }), { instanceOf: StatusError, message: 'namespaces "x" not found' });
  cache.put(namespaces, { metadata: { name: "a" }, spec: {}, status: { phase: "Terminating" } });
  const refused = t.throws(() => write(configmaps, { metadata: { name: "c" } }), { instanceOf: StatusError })!;
  t.is(refused.message, 'configmaps "c" is forbidden: unable to create new content in namespace a because it is being terminated');
  t.deepEqual(refused.details?.causes, [{ reason: "NamespaceTerminating", message: "namespace a is being terminated", field: "metadata.namespace" }]);
  t.notThrows(() => write(configmaps, { metadata: { name: "c" } }, { operation: "UPDATE", oldObject: {} }));
  t.throws(() => write(namespaces, undefined, { operation: "DELETE", name: "kube-system" }), { message: 'namespaces "kube-system" is forbidden: this namespace may not be deleted' });
  t.notThrows(() => write(namespaces, undefined, { operation: "DELETE", name: "a" }));
});

test("ServiceAccount names the default account and mounts its token where nothing else is", (t) => {
  const { write, pod, cache } = setUp(), own = { name: "mine", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" };
  const web = pod({ containers: [{ name: "c" }, { name: "d", volumeMounts: [own] }], initContainers: [{ name: "i" }] });
  write(pods, web);
  t.is(web.spec!.serviceAccountName, "default");
  const mount = { name: "kube-api-access-bbbbb", readOnly: true, mountPath: own.mountPath };
  t.deepEqual([web.spec!.containers[0]!.volumeMounts, web.spec!.containers[1]!.volumeMounts, web.spec!.initContainers![0]!.volumeMounts], [[mount], [own], [mount]]);
  t.is(web.spec!.volumes!.length, 1);
  t.deepEqual(web.spec!.volumes![0]!.projected!.sources!.map((source) => Object.keys(source)[0]), ["serviceAccountToken", "configMap", "downwardAPI"]);
  t.is(web.spec!.volumes![0]!.projected!.sources![0]!.serviceAccountToken!.expirationSeconds, 3_607);
  cache.put(serviceaccounts, { metadata: { namespace: "a", name: "quiet" }, automountServiceAccountToken: false, imagePullSecrets: [{ name: "pull" }] });
  const quiet = pod({ serviceAccountName: "quiet" });
  write(pods, quiet);
  t.is(quiet.spec!.volumes, undefined);
  t.deepEqual(quiet.spec!.imagePullSecrets, [{ name: "pull" }]);
});

test("ServiceAccount refuses an account that is not there, in upstream's words", (t) => {
  const { write, pod } = setUp();
  t.throws(() => write(pods, pod({ serviceAccountName: "nobody" })), { message: 'pods "web" is forbidden: error looking up service account a/nobody: serviceaccount "nobody" not found' });
});

test("DefaultTolerationSeconds adds ours, or upstream's, unless the pod tolerates already", (t) => {
  const { write, pod } = setUp(), web = pod({ tolerations: [{ key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 1 }] });
  write(pods, web);
  t.deepEqual(web.spec!.tolerations!.map((each) => [each.key, each.tolerationSeconds]), [["node.kubernetes.io/not-ready", 1], ["node.kubernetes.io/unreachable", 30]]);
  const all = pod({ tolerations: [{ operator: "Exists" }] });
  write(pods, all);
  t.is(all.spec!.tolerations!.length, 1);
  const upstream = setUp({ notReadyTolerationSeconds: 300, unreachableTolerationSeconds: 300 }), other = upstream.pod();
  upstream.write(pods, other);
  t.deepEqual(other.spec!.tolerations!.map((each) => each.tolerationSeconds), [300, 300]);
});

test("Priority turns a class into its number and keeps it on update", (t) => {
  const { write, pod, cache } = setUp(), plain = pod();
  write(pods, plain);
  t.deepEqual([plain.spec!.priority, plain.spec!.preemptionPolicy, plain.spec!.priorityClassName], [0, "PreemptLowerPriority", undefined]);
  cache.put(priorityclasses, { metadata: { name: "high" }, value: 1_000, preemptionPolicy: "Never", globalDefault: true });
  const high = pod();
  write(pods, high);
  t.deepEqual([high.spec!.priority, high.spec!.preemptionPolicy, high.spec!.priorityClassName], [1_000, "Never", "high"]);
  t.throws(() => write(pods, pod({ priorityClassName: "gone" })), { message: 'pods "web" is forbidden: no PriorityClass with name gone was found' });
  t.throws(() => write(pods, pod({ priorityClassName: "high", priority: 7 })), { message: /the integer value of priority \(7\) must not be provided in pod spec; priority admission controller computed 1000/ });
  t.throws(() => write(priorityclasses, { metadata: { name: "other" }, value: 1, globalDefault: true }), { message: /PriorityClass high is already marked as default/ });
  const updated = pod();
  write(pods, updated, { operation: "UPDATE", name: "web", oldObject: high });
  t.is(updated.spec!.priority, 1_000);
});

test("TaintNodesByCondition taints a new node once", (t) => {
  const { write } = setUp(), node: Node = { metadata: { name: "n" }, spec: {} };
  write(nodes, node);
  write(nodes, node);
  t.deepEqual(node.spec!.taints, [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }]);
});

test("RuntimeClass brings overhead and place, and must exist", (t) => {
  const { write, pod, cache } = setUp();
  cache.put(runtimeclasses, { metadata: { name: "kata" }, handler: "kata", overhead: { podFixed: { memory: "100Mi" } }, scheduling: { nodeSelector: { kata: "yes" } } });
  const web = pod({ runtimeClassName: "kata", nodeSelector: { zone: "1" } });
  write(pods, web);
  t.deepEqual([web.spec!.overhead, web.spec!.nodeSelector], [{ memory: "100Mi" }, { zone: "1", kata: "yes" }]);
  t.throws(() => write(pods, pod({ runtimeClassName: "gone" })), { message: /pod rejected: RuntimeClass "gone" not found/ });
  t.throws(() => write(pods, pod({ overhead: { cpu: "1" } })), { message: /Pod Overhead set without corresponding RuntimeClass/ });
});

test("DefaultStorageClass and DefaultIngressClass fill in the newest default and leave an empty name alone", (t) => {
  const { write, cache } = setUp(), meta = (name: string, annotation: string, creationTimestamp: string) => ({ name, creationTimestamp, annotations: { [annotation]: "true" } });
  cache.put(storageclasses, { metadata: meta("old", "storageclass.kubernetes.io/is-default-class", "2026-01-01T00:00:00Z"), provisioner: "p" });
  cache.put(storageclasses, { metadata: meta("new", "storageclass.kubernetes.io/is-default-class", "2026-02-01T00:00:00Z"), provisioner: "p" });
  cache.put(ingressclasses, { metadata: meta("nginx", "ingressclass.kubernetes.io/is-default-class", "2026-01-01T00:00:00Z") });
  const claim = (spec: object) => ({ metadata: { name: "c", namespace: "a" }, spec }) as PersistentVolumeClaim;
  const chosen = claim({}), none = claim({ storageClassName: "" }), ingress = { metadata: { name: "i" }, spec: {} } as Ingress;
  write(persistentvolumeclaims, chosen);
  write(persistentvolumeclaims, none);
  write({ group: "networking.k8s.io", version: "v1", kind: "Ingress", plural: "ingresses", namespaced: true }, ingress);
  t.deepEqual([chosen.spec!.storageClassName, none.spec!.storageClassName, ingress.spec!.ingressClassName], ["new", "", "nginx"]);
});

test("LimitRanger sets defaults, says so, and holds pods to the bounds", (t) => {
  const { write, pod, cache } = setUp();
  cache.put(limitranges, { metadata: { namespace: "a", name: "l" }, spec: { limits: [{ type: "Container", default: { cpu: "1", memory: "1Gi" }, defaultRequest: { cpu: "100m" }, max: { cpu: "2" }, min: { cpu: "50m" } }] } });
  const web = pod();
  write(pods, web);
  t.deepEqual(web.spec!.containers[0]!.resources, { requests: { cpu: "100m" }, limits: { cpu: "1", memory: "1Gi" } });
  t.is(web.metadata.annotations!["kubernetes.io/limit-ranger"], "LimitRanger plugin set: cpu request for container c; cpu, memory limit for container c");
  t.throws(() => write(pods, pod({ containers: [{ name: "c", resources: { requests: { cpu: "10m" }, limits: { cpu: "3" } } }] })),
    { message: 'pods "web" is forbidden: [minimum cpu usage per Container is 50m, but request is 10m, maximum cpu usage per Container is 2, but limit is 3]' });
});

test("NodeRestriction keeps a node to its own Node, pods and tokens", (t) => {
  const { write, pod, cache } = setUp(), user = { name: "system:node:n1", groups: ["system:nodes"] }, as = (given: Given = {}) => ({ user, ...given });
  const mine = cache.put(pods, pod({ nodeName: "n1", volumes: [{ name: "t", projected: { sources: [{ serviceAccountToken: { path: "t", audience: "vault" } }] } }] }));
  cache.put(pods, pod({ nodeName: "n2" }, { name: "theirs" }));
  t.throws(() => write(nodes, { metadata: { name: "n2" } }, as({ name: "n2" })), { message: /node "n1" is not allowed to modify node "n2"/ });
  t.throws(() => write(nodes, { metadata: { name: "n1", labels: { "node-restriction.kubernetes.io/x": "1", "kubernetes.io/os": "linux" } } }, as({ name: "n1" })), { message: /not allowed to set the following labels: node-restriction.kubernetes.io\/x$/ });
  t.throws(() => write(nodes, { metadata: { name: "n1" } }, as({ name: "n1", operation: "UPDATE", oldObject: { metadata: { name: "n1" }, spec: { taints: [{ key: "a", effect: "NoSchedule" }] } } })), { message: /not allowed to modify taints/ });
  t.throws(() => write(pods, pod(), as()), { message: /can only create mirror pods/ });
  t.throws(() => write(pods, undefined, as({ operation: "DELETE", name: "theirs" })), { message: /can only delete pods with spec.nodeName set to itself/ });
  t.notThrows(() => write(pods, undefined, as({ operation: "DELETE", name: "web" })));
  t.throws(() => write(pods, { metadata: {} }, as({ operation: "UPDATE", subresource: "status", oldObject: pod({ nodeName: "n2" }) })), { message: /can only update pod status for pods with spec.nodeName set to itself/ });
  const token = (name: string, audiences: string[], uid = mine.metadata.uid) => () => write(serviceaccounts, { metadata: {}, spec: { audiences, boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid } } }, as({ subresource: "token", name: "default" }));
  t.notThrows(token("web", ["vault"]));
  t.throws(token("web", ["other"]), { message: /audience "other" not found in pod spec volume/ });
  t.throws(token("theirs", [], cache.get(pods, "a", "theirs")!.metadata.uid), { message: /pod scheduled on a different node/ });
  t.throws(token("web", [], "old"), { message: /does not match the UID in record/ });
  t.notThrows(() => write(nodes, { metadata: { name: "n2" } }, { name: "n2" })); // Anybody else is not its business.
});

test("admissionPlugins() switches plugins by name and refuses unknown ones", (t) => {
  const { names } = setUp({ enable: ["LimitRanger"], disable: ["ServiceAccount"] });
  t.true(names.includes("LimitRanger") && !names.includes("ServiceAccount"));
  t.throws(() => setUp({ enable: ["Nope"] }), { message: /unknown admission plugin "Nope"/ });
});

test("PersistentVolumeClaimResize lets a bound claim grow where its class allows it", (t) => {
  const { write, cache } = setUp();
  cache.put(storageclasses, { metadata: { name: "grows" }, provisioner: "x", allowVolumeExpansion: true });
  cache.put(storageclasses, { metadata: { name: "fixed" }, provisioner: "x" });
  const claim = (storage: string, storageClassName: string, phase = "Bound"): object => ({ metadata: { name: "c", namespace: "a" }, spec: { storageClassName, resources: { requests: { storage } } }, status: { phase } });
  const grow = (from: object, to: object) => () => write(persistentvolumeclaims, to, { operation: "UPDATE", name: "c", oldObject: from });
  t.notThrows(grow(claim("1Gi", "grows"), claim("2Gi", "grows")));
  t.notThrows(grow(claim("2Gi", "fixed"), claim("2Gi", "fixed")));
  t.throws(grow(claim("1Gi", "fixed"), claim("2Gi", "fixed")), { message: 'persistentvolumeclaims "c" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize' });
  t.throws(grow(claim("1Gi", "grows", "Pending"), claim("2Gi", "grows", "Pending")), { message: /only bound persistent volume claims can be expanded/ });
});
