import test from "ava";
import { resources } from "../../../../lib/api/resources.ts";
import type { KubeObject } from "../../../../lib/api/resource-definition.ts";
import { keepTimes, ownersAreKept, versionsOf } from "../../../../lib/apiserver/registry/tracked-write.ts";

const made = (time: string, data: object, fields: object = { "f:data": {} }): KubeObject =>
  ({ kind: "ConfigMap", apiVersion: "v1", metadata: { name: "a", managedFields: [{ manager: "m", operation: "Update", apiVersion: "v1", time, fieldsType: "FieldsV1", fieldsV1: fields }] }, data }) as KubeObject;
const OLD = "2026-01-01T00:00:00Z", NEW = "2026-01-02T00:00:00Z";
const timeAfter = (object: KubeObject, old: KubeObject): string | undefined => { if (ownersAreKept(object, old)) keepTimes(object, old); return object.metadata.managedFields![0]!.time; };

test("keepTimes() puts the old time back when nothing else differs", (t) => {
  t.is(timeAfter(made(NEW, { k: "v" }), made(OLD, { k: "v" })), OLD);
  t.is(timeAfter(made(NEW, { k: "v" }), made(OLD, { k: "w" })), NEW);
  t.is(timeAfter(made(NEW, { k: "v" }, { "f:data": { "f:k": {} } }), made(OLD, { k: "v" })), NEW);
});

test("versionsOf() shows one thing in each of its versions, and knows no others", (t) => {
  const versions = versionsOf(resources.filter(({ kind }) => kind === "HorizontalPodAutoscaler"))!;
  const old = { kind: "HorizontalPodAutoscaler", apiVersion: "autoscaling/v1", metadata: { name: "a" }, spec: { maxReplicas: 3, targetCPUUtilizationPercentage: 50, scaleTargetRef: { kind: "Deployment", name: "d" } } };
  const shown = versions.convert(old, "autoscaling/v1", "autoscaling/v2") as { apiVersion: string; spec: { metrics: { resource: { target: object } }[] } };
  t.deepEqual([shown.apiVersion, shown.spec.metrics[0]!.resource.target], ["autoscaling/v2", { type: "Utilization", averageUtilization: 50 }]);
  t.is((versions.convert(shown, "autoscaling/v2", "autoscaling/v1") as typeof old).spec.targetCPUUtilizationPercentage, 50);
  t.is(versions.modelOf("autoscaling/v2beta2"), undefined);
  t.is(versionsOf(resources.filter(({ kind }) => kind === "Pod")), undefined);
});
