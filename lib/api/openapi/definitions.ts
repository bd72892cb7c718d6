/**
 * Schema definitions of OpenAPI, from the models of the schema: properties, defaults, enums, list types, merge keys, kinds.
 * Counterpart: kube-openapi's generated definitions.
 */
import type { Descriptions } from "../schema/descriptions.ts";
import { findModel, modelNames, modelOf, resourceSchemas, type Field, type FieldType, type Model, type Scalar } from "../schema/schema.ts";
import { SPECIAL_DEFINITIONS, specialDefinitionOf } from "./special-definitions.ts";

export type Json = Record<string, unknown>;
/** Version 3 knows defaults and `allOf` around references, version 2 does not. */
export type OpenapiVersion = 2 | 3;
export interface GroupVersionKind { readonly group: string; readonly version: string; readonly kind: string }

const REF_PREFIX: Record<OpenapiVersion, string> = { 2: "#/definitions/", 3: "#/components/schemas/" };
const META = "io.k8s.apimachinery.pkg.apis.meta.v1.";

export const refTo = (definition: string, version: OpenapiVersion): Json => ({ $ref: REF_PREFIX[version] + definition });

const SIMPLE: Partial<Record<Scalar, Json>> = {
  string: { type: "string" }, boolean: { type: "boolean" }, int32: { type: "integer", format: "int32" }, int64: { type: "integer", format: "int64" },
  double: { type: "number", format: "double" }, bytes: { type: "string", format: "byte" }, Empty: { type: "object" },
};
const ZEROS: Partial<Record<Scalar, unknown>> = { string: "", boolean: false, int32: 0, int64: 0, double: 0 };

/** What a value is when Go leaves it alone; undefined where OpenAPI names no default. */
function zeroOf(type: FieldType): unknown {
  if (type.kind === "model") return {};
  return type.kind === "scalar" ? ZEROS[type.scalar] : undefined;
}

function referenced(type: FieldType): string | undefined {
  if (type.kind === "model") return modelOf(type.model).definition;
  return type.kind === "scalar" ? specialDefinitionOf(type.scalar) : undefined;
}

function typeSchema(type: FieldType, version: OpenapiVersion, extras: Json): Json {
  const definition = referenced(type);
  if (definition !== undefined) {
    const ref = refTo(definition, version);
    return version === 2 ? { ...ref, ...extras } : Object.keys(extras).length === 0 ? ref : { allOf: [ref], ...extras };
  }
  if (type.kind === "list") return { type: "array", items: nestedSchema(type.item, version), ...extras };
  if (type.kind === "map") return { type: "object", additionalProperties: nestedSchema(type.value, version), ...extras };
  return { ...(type.kind === "scalar" ? SIMPLE[type.scalar] : undefined), ...extras };
}

function nestedSchema(type: FieldType, version: OpenapiVersion): Json {
  const zero = version === 3 ? zeroOf(type) : undefined;
  return typeSchema(type, version, zero === undefined ? {} : { default: zero });
}

function defaultOf(field: Field): unknown {
  if (field.default !== undefined) return field.default;
  if (field.pointer || (!field.keep && field.type.kind !== "model")) return undefined;
  return zeroOf(field.type);
}

/** The package has no text for fields that are objects: these are ours, the others say what their kind of object is. */
const COMMON_FIELDS: Readonly<Record<string, string>> = {
  "metadata ObjectMeta": "Name, labels, annotations and bookkeeping of the object.", "metadata ListMeta": "Version and paging of the list.",
  spec: "The wanted state.", status: "The state as it was found last, written by the system.",
};

function describeField(model: Model, { name, type }: Field, describe: Descriptions): string {
  const description = describe(model.name, name);
  if (description !== "" || type.kind !== "model") return description;
  return COMMON_FIELDS[name] ?? COMMON_FIELDS[`${name} ${modelOf(type.model).goName}`] ?? describe(type.model);
}

/** What people read of the values of a plain field; lists and maps show theirs in the schema alone. */
function withValues(description: string, { type, enum: values }: Field): string {
  if (values === undefined || type.kind !== "scalar") return description;
  return `${description}${description === "" ? "" : "\n\n"}Possible enum values:\n${values.map((value) => ` - \`${JSON.stringify(value)}\``).join("\n")}`;
}

function propertySchema(model: Model, field: Field, version: OpenapiVersion, describe: Descriptions): Json {
  const description = withValues(describeField(model, field, describe), field), fallback = version === 3 ? defaultOf(field) : undefined;
  const extras: Json = {
    ...(description === "" ? {} : { description }), ...(fallback === undefined ? {} : { default: fallback }),
    ...(field.enum === undefined || field.type.kind === "list" ? {} : { enum: [...field.enum] }),
    ...(field.listType === undefined ? {} : { "x-kubernetes-list-type": field.listType }),
    ...(field.listMapKeys.length === 0 ? {} : { "x-kubernetes-list-map-keys": [...field.listMapKeys] }),
    ...(field.atomic ? { "x-kubernetes-map-type": "atomic" } : {}),
    ...(field.patchMergeKey === undefined ? {} : { "x-kubernetes-patch-merge-key": field.patchMergeKey }),
    ...(field.patchStrategy.length === 0 ? {} : { "x-kubernetes-patch-strategy": field.patchStrategy.join(",") }),
  };
  const schema = typeSchema(field.type, version, extras);
  if (field.enum !== undefined && field.type.kind === "list") schema["items"] = { ...(schema["items"] as Json), enum: [...field.enum] };
  return schema;
}

/** Group and version by the start of a definition's name: `io.k8s.api.apps.v1.` -> apps/v1. */
const groupVersions = new Map<string, { group: string; version: string }>();
function groupVersionOf(definition: string): { group: string; version: string } | undefined {
  if (groupVersions.size === 0) {
    for (const { group, version, model } of resourceSchemas()) {
      const name = modelOf(model).definition;
      groupVersions.set(name.slice(0, name.lastIndexOf(".") + 1), { group, version });
    }
  }
  return groupVersions.get(definition.slice(0, definition.lastIndexOf(".") + 1));
}

/** Kinds every group and version answers to. */
const EVERYWHERE = new Set(["DeleteOptions", "WatchEvent"]);
const META_KINDS = new Set(["APIGroup", "APIGroupList", "APIResourceList", "APIVersions", "Status"]);

/** The kinds a model is the body of. */
export function kindsOf(model: Model): GroupVersionKind[] {
  if (model.definition.startsWith(META)) {
    if (META_KINDS.has(model.goName)) return [{ group: "", version: "v1", kind: model.goName }];
    if (!EVERYWHERE.has(model.goName)) return [];
    const all = new Map([["/v1", { group: "", version: "v1" }], ...resourceSchemas().map(({ group, version }) => [`${group}/${version}`, { group, version }] as const)]);
    return [...all.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, groupVersion]) => ({ ...groupVersion, kind: model.goName }));
  }
  const groupVersion = groupVersionOf(model.definition);
  if (groupVersion === undefined || !["kind", "apiVersion", "metadata"].every((field) => model.byName.has(field))) return [];
  return [{ ...groupVersion, kind: model.goName }];
}

function modelSchema(model: Model, version: OpenapiVersion, describe: Descriptions): Json {
  const description = describe(model.name), required = model.fields.filter((field) => field.required).map((field) => field.name), kinds = kindsOf(model);
  const fields = model.fields.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    ...(description === "" ? {} : { description }), type: "object",
    ...(required.length === 0 ? {} : { required }),
    ...(fields.length === 0 ? {} : { properties: Object.fromEntries(fields.map((field) => [field.name, propertySchema(model, field, version, describe)])) }),
    ...(kinds.length === 0 ? {} : { "x-kubernetes-group-version-kind": kinds }),
    ...(model.atomic ? { "x-kubernetes-map-type": "atomic" } : {}),
  };
}

/** Models reached from `roots` through their fields, `roots` included. */
function closure(roots: Iterable<string>): { models: Set<string>; specials: Set<string> } {
  const models = new Set<string>(), specials = new Set<string>(["io.k8s.apimachinery.pkg.apis.meta.v1.Patch"]), waiting = [...roots];
  const follow = (type: FieldType): void => {
    if (type.kind === "list") return follow(type.item);
    if (type.kind === "map") return follow(type.value);
    if (type.kind === "model") return void waiting.push(type.model);
    const special = specialDefinitionOf(type.scalar);
    if (special !== undefined) specials.add(special);
  };
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (models.has(name)) continue;
    models.add(name);
    for (const field of modelOf(name).fields) follow(field.type);
  }
  return { models, specials };
}

/** The definitions `roots` need, by definition name in order. Unknown names are left out. */
export function definitionsFor(roots: Iterable<string>, version: OpenapiVersion, describe: Descriptions): Json {
  const { models, specials } = closure([...roots].filter((name) => findModel(name) !== undefined));
  const schemas = new Map<string, Json>([...models].map((name) => [modelOf(name).definition, modelSchema(modelOf(name), version, describe)]));
  for (const name of specials) schemas.set(name, SPECIAL_DEFINITIONS[name]![version]);
  return Object.fromEntries([...schemas].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The definition name of a model, e.g. "Pod" -> `io.k8s.api.core.v1.Pod`. */
export const definitionName = (model: string): string => modelOf(model).definition;

const listModels = new Map<string, string>();

/** The model of the list of `model`: the one whose items it is. */
export function listModelOf(model: string): string | undefined {
  if (listModels.size === 0) {
    for (const name of modelNames()) {
      if (!name.endsWith("List")) continue;
      const items = modelOf(name).byName.get("items")?.type;
      if (items?.kind === "list" && items.item.kind === "model") listModels.set(items.item.model, name);
    }
  }
  return listModels.get(model);
}
