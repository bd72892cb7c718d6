import test from "ava";
import facts from "../../../../lib/api/schema/facts.json" with { type: "json" };
import generated from "../../../../lib/api/schema/generated/schema.json" with { type: "json" };
import { findModel, modelNames, modelOf, resourceSchemas, type FieldType } from "../../../../lib/api/schema/schema.ts";

const FACTS = facts.models as unknown as Record<string, { fields: Record<string, unknown> }>;
const PACKAGE = generated.models as unknown as Record<string, { fields: Record<string, unknown> }>;

test("facts.json has exactly the models and fields of the package", (t) => {
  t.deepEqual(Object.keys(FACTS).sort(), Object.keys(PACKAGE).sort());
  for (const [name, model] of Object.entries(PACKAGE)) t.deepEqual(Object.keys(FACTS[name]!.fields).sort(), Object.keys(model.fields).sort(), name);
});

test("modelOf() joins every model, and every type it names exists", (t) => {
  const check = (type: FieldType, where: string): void => {
    if (type.kind === "model") t.truthy(findModel(type.model), where);
    if (type.kind === "list") check(type.item, where);
    if (type.kind === "map") check(type.value, where);
  };
  for (const name of modelNames()) for (const field of modelOf(name).fields) check(field.type, `${name}.${field.name}`);
});

test("modelOf() keeps definition names unique", (t) => {
  const definitions = modelNames().map((name) => modelOf(name).definition);
  t.is(new Set(definitions).size, definitions.length);
});

test("modelOf() knows what the package lacks", (t) => {
  const container = modelOf("Container"), ports = container.byName.get("ports")!;
  t.is(container.definition, "io.k8s.api.core.v1.Container");
  t.is(container.fields[0]!.name, "name");
  t.deepEqual(ports.listMapKeys, ["containerPort", "protocol"]);
  t.is(ports.patchMergeKey, "containerPort");
  t.is(ports.type.goType, "[]v1.ContainerPort");
  const limits = modelOf("ResourceRequirements").byName.get("limits")!.type;
  t.is(limits.goType, "v1.ResourceList");
  t.like(limits, { kind: "map", value: { kind: "scalar", scalar: "Quantity", goType: "resource.Quantity" } });
  t.like(modelOf("ServicePort").byName.get("protocol"), { default: "TCP", enum: ["SCTP", "TCP", "UDP"], type: { goType: "v1.Protocol" } });
  t.true(modelOf("Pod").byName.get("status")!.keep);
  t.true(modelOf("DeploymentSpec").byName.get("replicas")!.pointer);
});

test("every fact of a map list names keys its items have", (t) => {
  for (const name of modelNames()) {
    for (const field of modelOf(name).fields) {
      if (field.listType !== "map") continue;
      t.true(field.listMapKeys.length > 0, `${name}.${field.name}`);
      if (field.type.kind !== "list" || field.type.item.kind !== "model") { t.fail(`${name}.${field.name}`); continue; }
      for (const key of field.listMapKeys) t.true(modelOf(field.type.item.model).byName.has(key), `${name}.${field.name}: ${key}`);
    }
  }
});

test("resourceSchemas() names a model for every resource", (t) => {
  for (const resource of resourceSchemas()) t.truthy(findModel(resource.model), `${resource.group}/${resource.plural}`);
});
