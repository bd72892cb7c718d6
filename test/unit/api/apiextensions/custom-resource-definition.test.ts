import test from "ava";
import { customResourceDefinitionDefinition as definition } from "../../../../lib/api/apiextensions/custom-resource-definition.ts";
import { faults, prepared, updateFaults } from "../run-definition.ts";

const schema = { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties: { size: { type: "integer" } } } } } };
const version = { name: "v1", served: true, storage: true, schema };
const written = (spec: object = {}, name = "widgets.example.com"): Record<string, unknown> => ({ metadata: { name }, spec: { group: "example.com", scope: "Namespaced", names: { kind: "Widget", plural: "widgets" }, versions: [version], ...spec } });

test("names are made of the kind, and the stored version is remembered", (t) => {
  const { spec, status } = prepared(definition, written());
  t.deepEqual(spec.names, { kind: "Widget", plural: "widgets", singular: "widget", listKind: "WidgetList" });
  t.deepEqual(spec.conversion, { strategy: "None" });
  t.deepEqual(status, { storedVersions: ["v1"] });
});

test("faults", (t) => {
  t.deepEqual(faults(definition, written()), []);
  t.deepEqual(faults(definition, written({}, "gadgets.example.com")), ['metadata.name: Invalid value: "gadgets.example.com": must be spec.names.plural+"."+spec.group']);
  t.deepEqual(faults(definition, written({ versions: [{ ...version, schema: undefined }] })), ["spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required"]);
  t.deepEqual(faults(definition, written({ versions: [{ ...version, schema: { openAPIV3Schema: { type: "object", properties: { spec: {} } } } }] })), [
    "spec.validation.openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified object fields",
  ]);
  t.deepEqual(faults(definition, written({ versions: [{ ...version, storage: false }] })).map((text) => text.replace(/\[\{.*\}\]/, "…")), ["spec.versions: Invalid value: …: must have exactly one version marked as storage version"]);
  t.deepEqual(faults(definition, written({ scope: "Galaxy" })), ['spec.scope: Unsupported value: "Galaxy": supported values: "Cluster", "Namespaced"']);
});

test("group and plural stay", (t) => {
  t.deepEqual(updateFaults(definition, written(), (changed) => void (changed.spec.group = "example.org")), [
    'metadata.name: Invalid value: "widgets.example.com": must be spec.names.plural+"."+spec.group', 'spec.group: Invalid value: "example.org": field is immutable',
  ]);
});
