import test from "ava";
import { podDefinition } from "../../../../lib/api/core/pod.ts";
import type { Pod } from "../../../../lib/api/schema/generated/models.ts";
import { context, faults, prepared, statusFaults, texts, updateFaults } from "../run-definition.ts";

const written = (spec: object = {}): Record<string, unknown> => ({ metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "nginx" }], ...spec } });
const withContainer = (container: object): Record<string, unknown> => written({ containers: [{ name: "c", image: "nginx", ...container }] });

test("defaults fill what a user left out", (t) => {
  const { spec, status } = prepared(podDefinition, written());
  t.deepEqual(spec, {
    containers: [{ name: "c", image: "nginx", imagePullPolicy: "Always", resources: {}, terminationMessagePath: "/dev/termination-log", terminationMessagePolicy: "File" }],
    dnsPolicy: "ClusterFirst", enableServiceLinks: true, restartPolicy: "Always", schedulerName: "default-scheduler", securityContext: {}, terminationGracePeriodSeconds: 30,
  });
  t.deepEqual(status, { phase: "Pending", qosClass: "BestEffort" });
});

test("images with a tag are pulled once, others always", (t) => {
  const policy = (image: string): unknown => prepared(podDefinition, withContainer({ image })).spec?.containers[0]?.imagePullPolicy;
  t.is(policy("nginx:1.27"), "IfNotPresent");
  t.is(policy("nginx:latest"), "Always");
  t.is(policy("registry:5000/nginx"), "Always");
  t.is(policy(`nginx@sha256:${"0".repeat(64)}`), "IfNotPresent");
});

test("requests come from limits, and the class from both", (t) => {
  const guaranteed = prepared(podDefinition, withContainer({ resources: { limits: { cpu: "1", memory: "1Gi" } } }));
  t.deepEqual(guaranteed.spec?.containers[0]?.resources?.requests, { cpu: "1", memory: "1Gi" });
  t.is(guaranteed.status?.qosClass, "Guaranteed");
  t.is(prepared(podDefinition, withContainer({ resources: { requests: { cpu: "1" } } })).status?.qosClass, "Burstable");
});

test("probes, ports and volumes are completed", (t) => {
  const { spec } = prepared(podDefinition, written({
    containers: [{ name: "c", image: "nginx", ports: [{ containerPort: 80 }], livenessProbe: { httpGet: { port: 80 } }, env: [{ name: "N", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }] }],
    volumes: [{ name: "v", configMap: { name: "m" } }, { name: "e" }],
  }));
  const container = spec?.containers[0];
  t.deepEqual(container?.ports, [{ containerPort: 80, protocol: "TCP" }]);
  t.deepEqual(container?.livenessProbe, { httpGet: { port: 80, path: "/", scheme: "HTTP" }, timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
  t.is(container?.env?.[0]?.valueFrom?.fieldRef?.apiVersion, "v1");
  t.deepEqual(spec?.volumes, [{ name: "v", configMap: { name: "m", defaultMode: 420 } }, { name: "e", emptyDir: {} }]);
});

test("a good pod has no faults", (t) => {
  t.deepEqual(faults(podDefinition, written()), []);
});

test("what is missing is told", (t) => {
  t.deepEqual(faults(podDefinition, { metadata: { name: "p" }, spec: {} }), ["spec.containers: Required value"]);
  t.deepEqual(faults(podDefinition, written({ containers: [{}] })), ["spec.containers[0].name: Required value", "spec.containers[0].image: Required value"]);
});

test("names are DNS labels, each once", (t) => {
  t.deepEqual(faults(podDefinition, written({ containers: [{ name: "C_1", image: "i" }] })), [
    "spec.containers[0].name: Invalid value: \"C_1\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character "
    + "(e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  ]);
  t.deepEqual(faults(podDefinition, written({ containers: [{ name: "c", image: "i" }, { name: "c", image: "i" }] })), ['spec.containers[1].name: Duplicate value: "c"']);
});

test("values out of range and unknown words are told with what is allowed", (t) => {
  t.deepEqual(faults(podDefinition, written({ restartPolicy: "Sometimes" })), ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"']);
  t.deepEqual(faults(podDefinition, withContainer({ ports: [{ containerPort: 70000 }] })), ["spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"]);
  t.deepEqual(faults(podDefinition, withContainer({ resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } })), ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1']);
});

test("mounts name volumes of the pod", (t) => {
  t.deepEqual(faults(podDefinition, withContainer({ volumeMounts: [{ name: "v", mountPath: "/v" }] })), ['spec.containers[0].volumeMounts[0].name: Not found: "v"']);
});

test("of a pod that exists little may change", (t) => {
  const [fault] = updateFaults(podDefinition, written(), (pod) => void (pod.spec!.restartPolicy = "Never"));
  t.regex(fault!, /^spec: Forbidden: pod updates may not change fields other than `spec\.containers\[\*\]\.image`,`spec\.initContainers\[\*\]\.image`,`spec\.activeDeadlineSeconds`,`spec\.tolerations` \(only additions to existing tolerations\),`spec\.terminationGracePeriodSeconds` \(allow it to be set to 1 if it was previously negative\)\n/);
  t.deepEqual(updateFaults(podDefinition, written(), (pod) => void (pod.spec!.containers[0]!.image = "nginx:2")), []);
  t.deepEqual(updateFaults(podDefinition, written(), (pod) => void (pod.spec!.tolerations = [{ key: "k", operator: "Exists" }])), []);
  t.is(updateFaults(podDefinition, written({ tolerations: [{ key: "k", operator: "Exists" }] }), (pod) => void (pod.spec!.tolerations = [])).length, 1);
});

test("status is the kubelet's: the spec stays, a node that was nominated must be a name", (t) => {
  const old = prepared(podDefinition, written()), pod: Pod = structuredClone(old);
  pod.spec!.containers[0]!.image = "other";
  pod.status = { phase: "Running", nominatedNodeName: "Not A Node" };
  podDefinition.prepareForStatusUpdate?.(pod, old, context);
  t.is(pod.spec?.containers[0]?.image, "nginx");
  t.is(pod.status.qosClass, "BestEffort");
  t.is(texts(podDefinition.validateStatusUpdate?.(pod, old) ?? []).length, 1);
  t.deepEqual(statusFaults(podDefinition, old, (changed) => void (changed.status = { phase: "Running" })), []);
});

test("fields a list can be selected by, and the grace of a delete", (t) => {
  const pod = prepared(podDefinition, written({ nodeName: "n1", terminationGracePeriodSeconds: 5 }));
  t.deepEqual(podDefinition.selectableFields?.(pod), {
    "spec.nodeName": "n1", "spec.restartPolicy": "Always", "spec.schedulerName": "default-scheduler", "spec.serviceAccountName": "", "spec.hostNetwork": "false",
    "status.phase": "Pending", "status.podIP": "", "status.nominatedNodeName": "",
  });
  t.is(podDefinition.defaultGraceSeconds?.(pod), 5);
});

test("thousands of tolerations, spread constraints and variables take time by their number, and are told apart", (t) => {
  const many = Array.from({ length: 3_000 }, (_, i) => i), spec = {
    containers: [{ name: "c", image: "x", env: [...many.map((i) => ({ name: `V${i}`, value: "" })), { name: "V7", value: "again" }] }],
    tolerations: many.map((i) => ({ key: `k${i}`, operator: "Exists", effect: "NoExecute", tolerationSeconds: i })),
    topologySpreadConstraints: [...many.slice(0, 1_000).map((i) => ({ topologyKey: `k${i}`, maxSkew: 1, whenUnsatisfiable: "DoNotSchedule" })), { topologyKey: "k3", maxSkew: 2, whenUnsatisfiable: "DoNotSchedule" }],
  };
  const made = prepared(podDefinition, { metadata: { name: "p" }, spec });
  t.deepEqual(faults(podDefinition, { metadata: { name: "p" }, spec }), ['spec.topologySpreadConstraints[3].{topologyKey, whenUnsatisfiable}: Duplicate value: "{k3, DoNotSchedule}"']);
  t.deepEqual(podDefinition.warnings!(made, undefined).filter((text) => !text.includes("labelSelector")), ['spec.containers[0].env[3000]: hides previous definition of "V7", which may be dropped when using apply']);
  const old = { metadata: { name: "p" }, spec: { ...spec, topologySpreadConstraints: [] } };
  t.deepEqual(updateFaults(podDefinition, old, (pod) => void (pod.spec.tolerations![5]!.tolerationSeconds = 1)), []);
  t.deepEqual(updateFaults(podDefinition, old, (pod) => void (pod.spec.tolerations![5]!.key = "other")), ["spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"]);
});
