import test from "ava";
import protobuf from "protobufjs";
import { listModelOf } from "../../../../lib/api/openapi/definitions.ts";
import { buildOpenapiV2 } from "../../../../lib/api/openapi/v2.ts";
import { encodeOpenapiV2 } from "../../../../lib/api/openapi/v2-protobuf.ts";
import { buildOpenapiV3, buildOpenapiV3Index, fingerprintOf } from "../../../../lib/api/openapi/v3.ts";
import { resources } from "../../../../lib/api/resources.ts";
import { loadDescriptions } from "../../../../lib/api/schema/descriptions.ts";

type Any = Record<string, unknown>;
const describe = await loadDescriptions();
const groups = [...new Set(resources.map((r) => `${r.group}/${r.version}`))].map((key) => key.split("/") as [string, string]);
const documentOf = (group: string, version: string): Any => buildOpenapiV3(group, version, resources.filter((r) => r.group === group && r.version === version), describe);
const at = (value: unknown, ...path: string[]): unknown => path.reduce((inner, key) => (inner as Any | undefined)?.[key], value);
const refsIn = (text: string): Set<string> => new Set([...text.matchAll(/"\$ref":"#\/(?:components\/schemas|definitions)\/([^"]+)"/g)].map((match) => match[1]!));

test("buildOpenapiV3() defines everything it refers to, for every group and version", (t) => {
  for (const [group, version] of groups) {
    const document = documentOf(group, version), schemas = at(document, "components", "schemas") as Any;
    for (const name of refsIn(JSON.stringify(document))) t.true(Object.hasOwn(schemas, name), `${group}/${version}: ${name}`);
    for (const resource of resources.filter((r) => r.group === group && r.version === version)) {
      const found = Object.values(schemas).some((schema) => (at(schema, "x-kubernetes-group-version-kind") as Any[] | undefined)?.some((gvk) => gvk["kind"] === resource.kind && gvk["group"] === group && gvk["version"] === version));
      t.true(found, `${group}/${version} ${resource.kind} has a schema that names it`);
    }
  }
});

test("buildOpenapiV3() carries what kubectl reads from it", (t) => {
  const core = documentOf("", "v1"), apps = documentOf("apps", "v1");
  t.deepEqual(at(core, "components", "schemas", "io.k8s.api.core.v1.Container", "properties", "ports"), {
    type: "array", description: describe("Container", "ports"),
    items: { allOf: [{ $ref: "#/components/schemas/io.k8s.api.core.v1.ContainerPort" }], default: {} },
    "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["containerPort", "protocol"], "x-kubernetes-patch-merge-key": "containerPort", "x-kubernetes-patch-strategy": "merge",
  });
  t.like(at(core, "components", "schemas", "io.k8s.api.core.v1.ServicePort", "properties"), { protocol: { type: "string", default: "TCP", enum: ["SCTP", "TCP", "UDP"] }, port: { default: 0, format: "int32" } });
  t.deepEqual(at(core, "components", "schemas", "io.k8s.apimachinery.pkg.api.resource.Quantity", "oneOf"), [{ type: "string" }, { type: "number" }]);
  const patch = at(apps, "paths", "/apis/apps/v1/namespaces/{namespace}/deployments/{name}", "patch") as Any;
  t.deepEqual(patch["x-kubernetes-group-version-kind"], { group: "apps", version: "v1", kind: "Deployment" });
  t.deepEqual((patch["parameters"] as Any[]).map((parameter) => parameter["name"]), ["dryRun", "fieldManager", "fieldValidation", "force"]);
  t.deepEqual(at(apps, "paths", "/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale", "get", "x-kubernetes-group-version-kind"), { group: "autoscaling", version: "v1", kind: "Scale" });
});

test("buildOpenapiV3Index() gives each document a path and a hash of its own", (t) => {
  const index = buildOpenapiV3Index(groups.map(([group, version]) => ({ group, version, fingerprint: fingerprintOf(resources.filter((r) => r.group === group && r.version === version), "1") })));
  const paths = index["paths"] as Record<string, { serverRelativeURL: string }>;
  t.regex(paths["api/v1"]!.serverRelativeURL, /^\/openapi\/v3\/api\/v1\?hash=[0-9A-F]{128}$/);
  t.true(Object.hasOwn(paths, "apis/apps/v1"));
  t.is(new Set(Object.values(paths).map((entry) => entry.serverRelativeURL)).size, groups.length);
});

test("buildOpenapiV2() defines everything it refers to and names no defaults", (t) => {
  const document = buildOpenapiV2(resources, "v1.36.0", describe), definitions = document["definitions"] as Any;
  for (const name of refsIn(JSON.stringify(document))) t.true(Object.hasOwn(definitions, name), name);
  t.deepEqual(at(definitions, "io.k8s.api.core.v1.ServicePort", "properties", "targetPort", "$ref"), "#/definitions/io.k8s.apimachinery.pkg.util.intstr.IntOrString");
  t.is(at(definitions, "io.k8s.api.core.v1.ServicePort", "properties", "protocol", "default"), undefined);
});

test("operation ids are unique", (t) => {
  const paths = Object.values(buildOpenapiV2(resources, "v1.36.0", describe)["paths"] as Record<string, Any>);
  const ids = paths.flatMap((path) => Object.values(path).map((operation) => at(operation, "operationId") as string | undefined).filter((id) => id !== undefined));
  t.deepEqual(ids.filter((id, i) => ids.indexOf(id) !== i), []);
});

test("encodeOpenapiV2() writes what gnostic's messages read", (t) => {
  const document = buildOpenapiV2(resources.filter((r) => r.kind === "ConfigMap"), "v1.36.0", describe);
  const { root } = protobuf.parse(`syntax = "proto3";
    message Any { string yaml = 2; } message NamedAny { string name = 1; Any value = 2; }
    message Type { repeated string value = 1; } message Items { repeated Schema schema = 1; } message More { Schema schema = 1; }
    message NamedSchema { string name = 1; Schema value = 2; } message Schemas { repeated NamedSchema all = 1; }
    message Schema { string ref = 1; string format = 2; string description = 4; repeated string required = 19; More more = 21; Type type = 22; Items items = 23; Schemas properties = 25; repeated NamedAny x = 31; }
    message Query { string name = 4; string type = 6; } message NonBody { Query query = 3; } message Body { string name = 2; Schema schema = 5; }
    message Parameter { Body body = 1; NonBody other = 2; } message ParametersItem { Parameter parameter = 1; }
    message Operation { string id = 5; repeated ParametersItem parameters = 8; repeated NamedAny x = 13; }
    message PathItem { Operation get = 2; Operation patch = 8; } message NamedPath { string name = 1; PathItem value = 2; } message Paths { repeated NamedPath path = 2; }
    message Info { string title = 1; string version = 2; }
    message Document { string swagger = 1; Info info = 2; Paths paths = 8; Schemas definitions = 9; }`);
  const read = root.lookupType("Document").decode(encodeOpenapiV2(document)).toJSON() as { swagger: string; info: Any; paths: { path: { name: string; value: Any }[] }; definitions: { all: { name: string; value: Any }[] } };
  t.like(read, { swagger: "2.0", info: { title: "Kubernetes", version: "v1.36.0" } });
  const patch = read.paths.path.find((path) => path.name === "/api/v1/namespaces/{namespace}/configmaps/{name}")!.value["patch"];
  t.is(at(patch, "id"), "patchCoreV1NamespacedConfigMap");
  t.deepEqual((at(patch, "parameters") as Any[]).map((p) => at(p, "parameter", "other", "query", "name") ?? at(p, "parameter", "body", "name")), ["body", "dryRun", "fieldManager", "fieldValidation", "force"]);
  t.deepEqual(JSON.parse(at((at(patch, "x") as Any[])[1], "value", "yaml") as string), { group: "", version: "v1", kind: "ConfigMap" });
  const configMap = read.definitions.all.find((definition) => definition.name === "io.k8s.api.core.v1.ConfigMap")!.value;
  const data = (at(configMap, "properties", "all") as { name: string; value: Any }[]).find((property) => property.name === "data")!.value;
  t.like(data, { type: { value: ["object"] }, more: { schema: { type: { value: ["string"] } } } });
});

test("listModelOf() finds the list of every resource that can be listed", (t) => {
  for (const resource of resources) if (resource.verbs.includes("list")) t.truthy(listModelOf(resource.model), resource.kind);
});

test("buildOpenapiV3() lets every patch of a served kind take fieldValidation: kubectl asks whichever it meets first", (t) => {
  for (const [group, version] of groups) {
    const kinds = new Set(resources.filter((r) => r.group === group && r.version === version).map((r) => r.kind));
    for (const [path, item] of Object.entries(at(documentOf(group, version), "paths") as Record<string, Any>)) {
      const kind = at(item, "patch", "x-kubernetes-group-version-kind", "kind") as string | undefined;
      if (kind === undefined || !kinds.has(kind)) continue;
      const parameters = [...((item["parameters"] ?? []) as Any[]), ...(at(item, "patch", "parameters") as Any[])];
      t.true(parameters.some((p) => p["name"] === "fieldValidation" || String(p["$ref"]).includes("fieldValidation")), path);
    }
  }
});
