import test from "ava";
import { mutatingWebhookConfigurationDefinition } from "../../../lib/api/admissionregistration/mutating-webhook-configuration.ts";
import { validatingAdmissionPolicyDefinition } from "../../../lib/api/admissionregistration/validating-admission-policy.ts";
import { apiServiceDefinition } from "../../../lib/api/apiregistration/api-service.ts";
import { leaseDefinition } from "../../../lib/api/coordination/lease.ts";
import { flowSchemaDefinition } from "../../../lib/api/flowcontrol/flow-schema.ts";
import { priorityLevelConfigurationDefinition } from "../../../lib/api/flowcontrol/priority-level-configuration.ts";
import { runtimeClassDefinition } from "../../../lib/api/node/runtime-class.ts";
import { podDisruptionBudgetDefinition } from "../../../lib/api/policy/pod-disruption-budget.ts";
import { resourceClaimDefinition } from "../../../lib/api/resource/resource-claim.ts";
import { resourceSliceDefinition } from "../../../lib/api/resource/resource-slice.ts";
import { priorityClassDefinition } from "../../../lib/api/scheduling/priority-class.ts";
import { csiDriverDefinition } from "../../../lib/api/storage/csi-driver.ts";
import { storageClassDefinition } from "../../../lib/api/storage/storage-class.ts";
import { faults, prepared, row, updateFaults } from "./run-definition.ts";

test("leases", (t) => {
  t.deepEqual(faults(leaseDefinition, { metadata: { name: "l" }, spec: { leaseDurationSeconds: 0, leaseTransitions: -1, preferredHolder: "x" } }), [
    "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0", "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0",
    "spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined",
  ]);
  t.is(row(leaseDefinition, prepared(leaseDefinition, { metadata: { name: "l" }, spec: { holderIdentity: "me" } })), "l | me | 60m");
});

test("priority classes", (t) => {
  t.deepEqual(faults(priorityClassDefinition, { metadata: { name: "high" }, value: 1000 }), []);
  t.deepEqual(faults(priorityClassDefinition, { metadata: { name: "high" }, value: 2_000_000_000 }), ["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"]);
  t.deepEqual(faults(priorityClassDefinition, { metadata: { name: "system-node-critical" }, value: 2_000_001_000 }), []);
  t.deepEqual(faults(priorityClassDefinition, { metadata: { name: "system-mine" }, value: 1 }), [
    "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class",
  ]);
  t.deepEqual(updateFaults(priorityClassDefinition, { metadata: { name: "high" }, value: 1 }, (one) => void (one.value = 2)), ["value: Forbidden: may not be changed in an update."]);
  t.is(row(priorityClassDefinition, prepared(priorityClassDefinition, { metadata: { name: "high" }, value: 1000 })), "high | 1000 | false | 60m | PreemptLowerPriority");
});

test("disruption budgets", (t) => {
  const budget = (spec: object): Record<string, unknown> => ({ metadata: { name: "b" }, spec });
  t.deepEqual(faults(podDisruptionBudgetDefinition, budget({ minAvailable: "50%" })), []);
  t.deepEqual(faults(podDisruptionBudgetDefinition, budget({ minAvailable: "150%" })), ['spec.minAvailable: Invalid value: "150%": must not be greater than 100%']);
  t.deepEqual(faults(podDisruptionBudgetDefinition, budget({ minAvailable: 1, maxUnavailable: 1 })), [
    'spec: Invalid value: {"MinAvailable":1,"MaxUnavailable":1,"Selector":null,"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set',
  ]);
  t.is(row(podDisruptionBudgetDefinition, prepared(podDisruptionBudgetDefinition, budget({ minAvailable: "50%" }))), "b | 50% | N/A | 0 | 60m");
});

test("storage classes and drivers", (t) => {
  const one = { metadata: { name: "s", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } }, provisioner: "example.com/p" };
  t.deepEqual(faults(storageClassDefinition, one), []);
  t.is(row(storageClassDefinition, prepared(storageClassDefinition, one)), "s (default) | example.com/p | Delete | Immediate | false | 60m");
  t.deepEqual(updateFaults(storageClassDefinition, one, (changed) => void (changed.parameters = { a: "b" })), ["parameters: Forbidden: updates to parameters are forbidden."]);
  t.is(row(csiDriverDefinition, prepared(csiDriverDefinition, { metadata: { name: "d" } })), "d | true | false | false | <unset> | false | Persistent | 60m");
});

test("runtime classes", (t) => {
  t.deepEqual(faults(runtimeClassDefinition, { metadata: { name: "r" }, handler: "runc" }), []);
  t.deepEqual(updateFaults(runtimeClassDefinition, { metadata: { name: "r" }, handler: "runc" }, (one) => void (one.handler = "kata")), ['handler: Invalid value: "kata": field is immutable']);
});

test("webhooks and policies", (t) => {
  const webhook = { name: "a.b.c", clientConfig: { url: "http://x" }, sideEffects: "None", admissionReviewVersions: ["v1"], rules: [{ operations: ["*", "CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] }] };
  const made = prepared(mutatingWebhookConfigurationDefinition, { metadata: { name: "w" }, webhooks: [webhook] });
  t.is(made.webhooks?.[0]?.failurePolicy, "Fail");
  t.is(made.webhooks?.[0]?.reinvocationPolicy, "Never");
  t.is(made.webhooks?.[0]?.timeoutSeconds, 10);
  t.deepEqual(faults(mutatingWebhookConfigurationDefinition, { metadata: { name: "w" }, webhooks: [webhook] }), [
    "webhooks[0].rules[0].operations: Invalid value: [\"*\",\"CREATE\"]: if '*' is present, must not specify other operations",
    "webhooks[0].clientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme; desired format: https://host[/path]",
  ]);
  t.deepEqual(faults(validatingAdmissionPolicyDefinition, { metadata: { name: "p" }, spec: {} }), [
    "spec.matchConstraints: Required value", "spec.validations: Required value: validations or auditAnnotations must contain at least one item",
    "spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item",
  ]);
});

test("API services", (t) => {
  const local = { metadata: { name: "v1.apps" }, spec: { group: "apps", version: "v1", groupPriorityMinimum: 17800, versionPriority: 15 } };
  t.deepEqual(faults(apiServiceDefinition, local), []);
  t.is(row(apiServiceDefinition, prepared(apiServiceDefinition, local)), "v1.apps | Local | True | 60m");
  t.is(row(apiServiceDefinition, prepared(apiServiceDefinition, { ...local, spec: { ...local.spec, service: { name: "s", namespace: "n" } } })), "v1.apps | n/s | Unknown | 60m");
});

test("flow control", (t) => {
  const schema = { metadata: { name: "f" }, spec: { priorityLevelConfiguration: { name: "workload-low" }, rules: [{ subjects: [{ kind: "User", user: { name: "*" } }], nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["/healthz"] }] }] } };
  t.deepEqual(faults(flowSchemaDefinition, schema), []);
  t.is(row(flowSchemaDefinition, prepared(flowSchemaDefinition, schema)), "f | workload-low | 1000 | <none> | 60m | ?");
  const level = { metadata: { name: "l" }, spec: { type: "Limited", limited: { limitResponse: { type: "Queue", queuing: {} } } } };
  t.deepEqual(faults(priorityLevelConfigurationDefinition, level), []);
  t.is(row(priorityLevelConfigurationDefinition, prepared(priorityLevelConfigurationDefinition, level)), "l | Limited | 30 | 64 | 8 | 50 | 60m");
});

test("devices", (t) => {
  const claim = { metadata: { name: "c" }, spec: { devices: { requests: [{ name: "gpu", exactly: { deviceClassName: "gpu.example.com" } }] } } };
  t.deepEqual(faults(resourceClaimDefinition, claim), []);
  t.is(prepared(resourceClaimDefinition, claim).spec.devices?.requests?.[0]?.exactly?.count, 1);
  t.is(row(resourceClaimDefinition, prepared(resourceClaimDefinition, claim)), "c | pending | 60m");
  t.deepEqual(faults(resourceClaimDefinition, { metadata: { name: "c" }, spec: { devices: { requests: [{ name: "gpu" }] } } }), ["spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required"]);
  const slice = { metadata: { name: "s" }, spec: { driver: "gpu.example.com", nodeName: "n1", pool: { name: "n1", resourceSliceCount: 1 }, devices: [{ name: "gpu-0", attributes: { model: { string: "a" } } }] } };
  t.deepEqual(faults(resourceSliceDefinition, slice), []);
  t.is(row(resourceSliceDefinition, prepared(resourceSliceDefinition, slice)), "s | n1 | gpu.example.com | n1 | 60m");
});
