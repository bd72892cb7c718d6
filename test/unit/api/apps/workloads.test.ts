import test from "ava";
import { daemonSetDefinition } from "../../../../lib/api/apps/daemon-set.ts";
import { deploymentDefinition } from "../../../../lib/api/apps/deployment.ts";
import { replicaSetDefinition } from "../../../../lib/api/apps/replica-set.ts";
import { statefulSetDefinition } from "../../../../lib/api/apps/stateful-set.ts";
import { faults, prepared, row, statusFaults, updateFaults } from "../run-definition.ts";

const template = { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "nginx" }] } };
const written = (spec: object = {}): Record<string, unknown> => ({ metadata: { name: "web" }, spec: { selector: { matchLabels: { app: "web" } }, template, ...spec } });

test("a deployment's defaults", (t) => {
  const { spec, status } = prepared(deploymentDefinition, written());
  t.is(spec?.replicas, 1);
  t.deepEqual(spec?.strategy, { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } });
  t.is(spec?.revisionHistoryLimit, 10);
  t.is(spec?.progressDeadlineSeconds, 600);
  t.is(spec?.template.spec?.restartPolicy, "Always");
  t.deepEqual(status, {});
});

test("a deployment's faults", (t) => {
  t.deepEqual(faults(deploymentDefinition, written()), []);
  t.deepEqual(faults(deploymentDefinition, written({ selector: { matchLabels: { app: "other" } } })), ['spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`']);
  t.deepEqual(faults(deploymentDefinition, written({ selector: {} })), ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"]);
  t.deepEqual(faults(deploymentDefinition, written({ replicas: -1 })), ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]);
  t.deepEqual(faults(deploymentDefinition, written({ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } })), ["spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"]);
  t.deepEqual(faults(deploymentDefinition, written({ template: { ...template, spec: { ...template.spec, restartPolicy: "Never" } } })), ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"']);
});

test("selectors are immutable; what a set of pods may change is told", (t) => {
  const change = (object: { spec?: { selector?: object; template: { metadata?: unknown } } | undefined }): void => {
    object.spec!.selector = { matchLabels: { app: "api" } };
    object.spec!.template.metadata = { labels: { app: "api" } };
  };
  t.deepEqual(updateFaults(deploymentDefinition, written(), change as never), ['spec.selector: Invalid value: {"matchLabels":{"app":"api"}}: field is immutable']);
  t.deepEqual(updateFaults(replicaSetDefinition, written(), change as never), ['spec.selector: Invalid value: {"matchLabels":{"app":"api"}}: field is immutable']);
  t.deepEqual(updateFaults(statefulSetDefinition, written({ serviceName: "web" }), (set) => void (set.spec!.serviceName = "api")), [
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
  ]);
});

test("counts of a status fit together", (t) => {
  const old = prepared(replicaSetDefinition, written());
  t.deepEqual(statusFaults(replicaSetDefinition, old, (set) => void (set.status = { replicas: 1, readyReplicas: 2 })), ["status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas"]);
});

test("generation counts a deployment's annotations, but not a replica set's", (t) => {
  const deployment = prepared(deploymentDefinition, written()), annotated = structuredClone(deployment);
  annotated.metadata.annotations = { a: "b" };
  t.true(deploymentDefinition.generationChanged?.(annotated, deployment));
  const set = prepared(replicaSetDefinition, written()), annotatedSet = structuredClone(set);
  annotatedSet.metadata.annotations = { a: "b" };
  t.false(replicaSetDefinition.generationChanged?.(annotatedSet, set) ?? false);
});

test("rows", (t) => {
  const deployment = prepared(deploymentDefinition, written({ replicas: 3 }));
  deployment.status = { replicas: 3, readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1 };
  t.is(row(deploymentDefinition, deployment, { wide: true }), "web | 2/3 | 3 | 1 | 60m | c | nginx | app=web");
  const set = prepared(replicaSetDefinition, written({ replicas: 3 }));
  set.status = { replicas: 3, readyReplicas: 2 };
  t.is(row(replicaSetDefinition, set), "web | 3 | 3 | 2 | 60m");
  const daemons = prepared(daemonSetDefinition, written());
  daemons.status = { desiredNumberScheduled: 3, currentNumberScheduled: 3, numberReady: 2, numberMisscheduled: 0, updatedNumberScheduled: 3, numberAvailable: 2 };
  t.is(row(daemonSetDefinition, daemons), "web | 3 | 3 | 2 | 3 | 2 | <none> | 60m");
  t.is(row(statefulSetDefinition, prepared(statefulSetDefinition, written())), "web | 0/1 | 60m");
});
