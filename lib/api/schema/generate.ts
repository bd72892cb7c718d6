/**
 * Generates what the rest of the project knows of the Kubernetes API from the live models of the
 * package `@kubernetes/client-node`: TypeScript types, a runtime schema and references to resources.
 *
 * Guarantees: the output depends only on the package's version and this file; it is written
 * atomically and only when one of the two changed. Output: `lib/api/schema/generated/`, never committed.
 * Counterpart: Kubernetes' code-generator. Run as `npm run generate`; every gate runs it first.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

interface Attribute { name: string; baseName: string; type: string; format: string }
export interface FieldSchema { type: string; format?: string; required?: true; description?: string }
export interface ModelSchema { description?: string; fields: Record<string, FieldSchema> }
export interface ResourceSchema {
  group: string; version: string; kind: string; model: string; plural: string; namespaced: boolean;
  verbs: string[]; subresources: Record<string, { verbs: string[]; model: string }>;
}
export interface Schema { package: string; models: Record<string, ModelSchema>; resources: ResourceSchema[] }

const HERE = import.meta.dirname;
const OUT = path.join(HERE, "generated");
const PACKAGE = path.resolve(HERE, "../../../node_modules/@kubernetes/client-node");
const GEN = path.join(PACKAGE, "dist/gen");

/** The name a model has in our code: `V1Pod` -> `Pod`; other versions keep theirs (`V2HorizontalPodAutoscaler`). */
export const modelName = (name: string): string => name.replace(/^V1(?=[A-Z])/, "");

function stamp(): string {
  const version = (JSON.parse(readFileSync(path.join(PACKAGE, "package.json"), "utf8")) as { version: string }).version;
  return `${version} ${createHash("sha256").update(readFileSync(import.meta.filename)).digest("hex").slice(0, 16)}`;
}

function unescapeText(text: string): string {
  return text.replace(/\\(.)/g, "$1").replace(/\s+/g, " ").trim();
}

/** Descriptions and required marks live only in the `.d.ts`; names, types and formats in the live class. */
function readDeclaration(className: string): { description: string; fields: Map<string, { required: boolean; description: string }> } {
  const text = readFileSync(path.join(GEN, "models", `${className}.d.ts`), "utf8");
  const fields = new Map<string, { required: boolean; description: string }>();
  const body = text.slice(text.indexOf(`export declare class ${className}`));
  for (const match of body.matchAll(/(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?'([^']+)'(\??):/g)) {
    const description = unescapeText((match[1] ?? "").replace(/^\s*\*\s?/gm, " "));
    fields.set(match[2]!, { required: match[3] !== "?", description });
  }
  const head = /\/\*\*\s*\n\*([^\n]*)\n\*\/\s*\nexport declare class/.exec(text);
  return { description: unescapeText(head?.[1] ?? ""), fields };
}

function schemaType(type: string): string {
  const array = /^Array<(.+)>$/.exec(type);
  if (array) return `[]${schemaType(array[1]!)}`;
  const map = /^\{ \[key: string\]: (.+); \}$/.exec(type);
  if (map) return `map:${schemaType(map[1]!)}`;
  if (type === "Date") return "string";
  if (type === "V1MicroTime") return "string";
  return modelName(type);
}

function typescriptType(type: string): string {
  if (type.startsWith("[]")) return `Array<${typescriptType(type.slice(2))}>`;
  if (type.startsWith("map:")) return `Record<string, ${typescriptType(type.slice(4))}>`;
  if (type === "any") return "unknown";
  if (type === "IntOrString") return "string | number";
  return type;
}

async function readModels(): Promise<Record<string, ModelSchema>> {
  const live = (await import(pathToFileURL(path.join(GEN, "models/all.js")).href)) as Record<string, { getAttributeTypeMap?: () => Attribute[] }>;
  const models: Record<string, ModelSchema> = {};
  for (const className of Object.keys(live).sort()) {
    const attributes = live[className]!.getAttributeTypeMap?.();
    if (attributes === undefined || className === "V1MicroTime") continue;
    const declaration = readDeclaration(className);
    const fields: Record<string, FieldSchema> = {};
    for (const attribute of attributes) {
      const declared = declaration.fields.get(attribute.name);
      if (declared === undefined) throw new Error(`Cannot read ${className}: field ${attribute.name} has no declaration`);
      const micro = attribute.type === "V1MicroTime";
      const format = micro ? "date-time-micro" : attribute.format;
      fields[attribute.baseName] = {
        type: schemaType(attribute.type),
        ...(format === "" ? {} : { format }),
        ...(declared.required ? { required: true as const } : {}),
        ...(declared.description === "" ? {} : { description: declared.description }),
      };
    }
    models[modelName(className)] = { ...(declaration.description === "" ? {} : { description: declaration.description }), fields };
  }
  return models;
}

const METHOD_VERB: Record<string, string> = { GET: "get", POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" };

async function readResources(models: Record<string, ModelSchema>): Promise<ResourceSchema[]> {
  const live = Object.keys((await import(pathToFileURL(path.join(GEN, "types/PromiseAPI.js")).href)) as object);
  const resources = new Map<string, ResourceSchema>();
  for (const className of live) {
    const api = /^Promise(\w+Api)$/.exec(className)?.[1];
    if (api === undefined) continue;
    const text = readFileSync(path.join(GEN, "apis", `${api}.js`), "utf8");
    const responseTypes = new Map<string, string>();
    for (const match of text.matchAll(/async (\w+)WithHttpInfo\(response\) \{[\s\S]*?ObjectSerializer\.deserialize\([\s\S]*?, "([^"]+)"/g)) responseTypes.set(match[1]!, match[2]!);
    for (const match of text.matchAll(/async (\w+)\([^)]*_options\) \{[\s\S]*?localVarPath = '([^']+)'[\s\S]*?HttpMethod\.(\w+)\)/g)) {
      addOperation(resources, models, match[2]!, match[3]!, responseTypes.get(match[1]!) ?? "");
    }
  }
  return [...resources.values()].sort((a, b) => `${a.group}/${a.version}/${a.plural}` < `${b.group}/${b.version}/${b.plural}` ? -1 : 1);
}

function addOperation(resources: Map<string, ResourceSchema>, models: Record<string, ModelSchema>, urlPath: string, method: string, type: string): void {
  const match = /^\/(?:api\/(v1)|apis\/([^/]+)\/([^/]+))\/(.*)$/.exec(urlPath);
  if (!match || match[4]!.startsWith("watch/")) return;
  const group = match[2] ?? "", version = match[1] ?? match[3]!;
  const isNamespaceResource = group === "" && /^namespaces(\/\{name\}.*)?$/.test(match[4]!);
  const namespaced = !isNamespaceResource && match[4]!.startsWith("namespaces/{namespace}/");
  const rest = namespaced ? match[4]!.slice("namespaces/{namespace}/".length) : match[4]!;
  const [plural, name, ...sub] = rest.split("/");
  if (plural === undefined || plural === "" || plural.startsWith("{")) return;
  const key = `${group}/${version}/${plural}`;
  const entry = resources.get(key) ?? { group, version, kind: "", model: "", plural, namespaced: false, verbs: [], subresources: {} };
  resources.set(key, entry);
  if (namespaced) entry.namespaced = true;
  if (sub.length > 0) {
    const subresource = sub.join("/").replace(/\/\{path\}$/, "");
    const target = (entry.subresources[subresource] ??= { verbs: [], model: "" });
    const verb = METHOD_VERB[method];
    if (verb !== undefined && !target.verbs.includes(verb)) target.verbs.push(verb);
    if (models[modelName(type)] !== undefined) target.model = modelName(type);
    return;
  }
  const verbs = name === undefined ? { GET: ["list", "watch"], POST: ["create"], DELETE: ["deletecollection"] }[method] : [METHOD_VERB[method]!];
  for (const verb of verbs ?? []) if (!entry.verbs.includes(verb)) entry.verbs.push(verb);
  if ((method === "POST" && name === undefined) || (entry.model === "" && method === "GET" && name !== undefined)) {
    entry.model = modelName(type);
    entry.kind = type.replace(/^(?:(?:\w*?)V\d+(?:(?:alpha|beta)\d+)?)(?=[A-Z])/, "");
  }
}

function renderTypes(models: Record<string, ModelSchema>): string {
  const lines = ["/** Generated by lib/api/schema/generate.ts: one interface a model, wire names; times are RFC 3339 strings, quantities strings. */", ""];
  for (const [name, model] of Object.entries(models)) {
    const isKind = model.fields["kind"] !== undefined && model.fields["apiVersion"] !== undefined && model.fields["metadata"] !== undefined;
    lines.push(`export interface ${name} {`);
    for (const [field, schema] of Object.entries(model.fields)) {
      const always = (isKind && (field === "metadata" || field === "spec")) || (name === "ObjectMeta" && field === "name");
      const required = schema.required === true || always;
      const type = typescriptType(schema.type);
      lines.push(`  ${JSON.stringify(field)}${required ? "" : "?"}: ${type}${required ? "" : " | undefined"};`);
    }
    lines.push("}");
  }
  return `${lines.join("\n")}\n`;
}

function renderReferences(resources: ResourceSchema[]): string {
  const lines = ["/** Generated by lib/api/schema/generate.ts: a typed reference to every resource of the GA groups. */", 'import type * as m from "./models.ts";', 'import type { ResourceReference } from "../../reference.ts";', ""];
  for (const r of resources) {
    if (!/^v\d+$/.test(r.version)) continue;
    const clash = resources.filter((other) => /^v\d+$/.test(other.version) && other.plural === r.plural).length > 1;
    const prefix = clash && !(r.group === "" ) ? `${(r.group.split(".")[0] ?? "")}${r.version === "v1" ? "" : r.version.toUpperCase()}` : "";
    const plural = prefix === "" ? r.plural : prefix + r.plural[0]!.toUpperCase() + r.plural.slice(1);
    lines.push(`export const ${plural}: ResourceReference<m.${r.model}> = ${JSON.stringify({ group: r.group, version: r.version, kind: r.kind, plural: r.plural, namespaced: r.namespaced })};`);
  }
  return `${lines.join("\n")}\n`;
}

/** Descriptions are two thirds of the schema and only OpenAPI shows them: they lie in a file of their own, read when asked for. */
function withoutDescriptions(models: Record<string, ModelSchema>): Record<string, ModelSchema> {
  return Object.fromEntries(Object.entries(models).map(([name, model]) =>
    [name, { fields: Object.fromEntries(Object.entries(model.fields).map(([field, { description: _, ...schema }]) => [field, schema])) }]));
}

/** Model -> field -> text; the model's own text is under "". */
function descriptionsOf(models: Record<string, ModelSchema>): Record<string, Record<string, string>> {
  return Object.fromEntries(Object.entries(models).map(([name, model]) =>
    [name, Object.fromEntries([["", model.description ?? ""], ...Object.entries(model.fields).map(([field, schema]) => [field, schema.description ?? ""])])]));
}

function writeAtomically(name: string, text: string): void {
  const target = path.join(OUT, name), temporary = `${target}.${process.pid}`;
  writeFileSync(temporary, text);
  renameSync(temporary, target);
}

/** Generates when the package or the generator changed since the last run; returns whether it did. */
export async function generate(): Promise<boolean> {
  const wanted = stamp();
  const stampFile = path.join(OUT, "stamp");
  try {
    if (readFileSync(stampFile, "utf8") === wanted) return false;
  } catch { /* Never generated. */ }
  mkdirSync(OUT, { recursive: true });
  rmSync(stampFile, { force: true });
  const models = await readModels();
  const resources = await readResources(models);
  const schema: Schema = { package: wanted.split(" ")[0]!, models: withoutDescriptions(models), resources };
  writeAtomically("schema.json", JSON.stringify(schema));
  writeAtomically("descriptions.json", JSON.stringify(descriptionsOf(models)));
  writeAtomically("models.ts", renderTypes(models));
  writeAtomically("references.ts", renderReferences(resources));
  writeAtomically("stamp", wanted);
  return true;
}

if (import.meta.main) await generate();
