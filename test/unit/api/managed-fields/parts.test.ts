import test from "ava";
import { isFieldSet, setOf, type FieldSet } from "../../../../lib/api/managed-fields/field-set.ts";
import { readManagers } from "../../../../lib/api/managed-fields/managers.ts";
import { isElement } from "../../../../lib/api/managed-fields/path-element.ts";
import { ownable } from "../../../../lib/api/managed-fields/reset-fields.ts";
import { parentEntries, pathOfField, scaleEntries } from "../../../../lib/api/managed-fields/scale-fields.ts";
import type { ManagedFieldsEntry } from "../../../../lib/api/schema/generated/models.ts";

const REPLICAS = pathOfField(".spec.replicas");
const entry = (manager: string, fields: FieldSet, rest: Partial<ManagedFieldsEntry> = {}): ManagedFieldsEntry =>
  ({ manager, operation: "Update", apiVersion: "apps/v1", time: "2026-01-02T03:04:05Z", fieldsType: "FieldsV1", fieldsV1: fields, ...rest });
const scaled = (manager: string, rest: Partial<ManagedFieldsEntry> = {}): ManagedFieldsEntry =>
  entry(manager, { "f:spec": { "f:replicas": {} } }, { apiVersion: "autoscaling/v1", ...rest });

test("isElement() takes what upstream can read, and nothing else", (t) => {
  for (const good of ["f:a", "f:", 'k:{"name":"a"}', 'v:"a"', "v:1", "i:0"]) t.true(isElement(good), good);
  for (const bad of ["a", "x:a", "k:name", "k:1", "v:a", "i:x", ""]) t.false(isElement(bad), bad);
});

test("isFieldSet() looks all the way down", (t) => {
  t.true(isFieldSet({ "f:a": { ".": {}, 'k:{"n":1}': {} } }));
  for (const bad of [null, [], 1, { a: {} }, { "f:a": 1 }, { "f:a": { "k:x": {} } }]) t.false(isFieldSet(bad), JSON.stringify(bad));
});

test("readManagers() looks into the fields of foreign entries only", (t) => {
  const spoilt = [entry("a", { x: {} } as FieldSet)];
  t.is(readManagers(spoilt)?.size, 1);
  t.is(readManagers(spoilt, true), undefined);
});

test("ownable() keeps spec and status apart, by upstream's usual strategies", (t) => {
  const all = setOf(["f:spec", "f:a"], ["f:status", "f:b"], ["f:metadata", "f:labels", "f:c"]), part = (subresource: string, resource?: string, hasStatus = true): string[] => Object.keys(ownable({ resource, subresource, hasStatus })(all));
  t.deepEqual(part(""), ["f:metadata", "f:spec"]);
  t.deepEqual(part("", undefined, false), ["f:metadata", "f:spec", "f:status"]);
  t.deepEqual(part("status"), ["f:metadata", "f:status"]);
  t.deepEqual(part("status", "deployments.apps"), ["f:status"]);
  t.deepEqual(part("", "certificatesigningrequests.certificates.k8s.io"), ["f:metadata"]);
  t.deepEqual(part("scale", "scale"), Object.keys(all));
});

test("ownable() of pods/resize and pods/ephemeralcontainers keeps nothing but their fields", (t) => {
  const all: FieldSet = { "f:metadata": { "f:labels": {} }, "f:spec": { "f:nodeName": {}, "f:containers": { ".": {}, 'k:{"name":"a"}': { ".": {}, "f:image": {}, "f:resources": { "f:limits": {} } } }, "f:ephemeralContainers": { ".": {} } } };
  t.deepEqual(ownable({ resource: "pods", subresource: "resize", hasStatus: true })(all), { "f:spec": { "f:containers": { 'k:{"name":"a"}': { "f:resources": { "f:limits": {} } } } } });
  t.deepEqual(ownable({ resource: "pods", subresource: "ephemeralcontainers", hasStatus: true })(all), { "f:spec": { "f:ephemeralContainers": { ".": {} } } });
});

test("scaleEntries() shows who manages the replicas, in the Scale's version", (t) => {
  const parent = [entry("a", { "f:spec": { "f:paused": {}, "f:replicas": {} } }), entry("b", { "f:spec": { "f:paused": {} } })];
  t.deepEqual(scaleEntries(parent, REPLICAS), [scaled("a")]);
});

test("parentEntries() leaves untouched managers as they are", (t) => {
  const parent = [entry("a", { "f:spec": { "f:paused": {}, "f:replicas": {} } }), entry("b", { "f:spec": { "f:template": {} } })];
  t.deepEqual(parentEntries(parent, scaleEntries(parent, REPLICAS), REPLICAS, "apps/v1"), parent);
});

test("parentEntries() takes the replicas from who lost them and gives them, without a time, to who took them", (t) => {
  const parent = [entry("a", { "f:spec": { "f:paused": {}, "f:replicas": {} } }), entry("b", { "f:spec": { "f:replicas": {} } })];
  const { time: _, ...taken } = entry("s", { "f:spec": { "f:replicas": {} } }, { subresource: "scale" });
  t.deepEqual(parentEntries(parent, [scaled("s", { subresource: "scale" })], REPLICAS, "apps/v1"), [taken, entry("a", { "f:spec": { "f:paused": {} } })]);
});
