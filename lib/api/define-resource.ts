/**
 * Makes a ResourceDefinition from what a resource's own file says and what the generated schema knows of it
 * (verbs, subresources, model). Whatever the file leaves out gets upstream's common case.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import type { Column, KubeObject, ResourceDefinition } from "./resource-definition.ts";
import type { ResourceReference } from "./reference.ts";
import { ageColumn, nameColumn } from "./columns.ts";
import { nameIsDnsSubdomain } from "./validation/names.ts";

type Derived = "singular" | "model" | "listKind" | "verbs" | "subresources" | keyof ResourceReference;
type Defaulted = "shortNames" | "categories" | "hasGeneration" | "allowCreateOnUpdate" | "allowUnconditionalUpdate" | "defaultPropagation" | "validateName" | "columns";
export type ResourceOptions<T extends KubeObject> = { readonly reference: ResourceReference<T> } & Omit<ResourceDefinition<T>, Derived | Defaulted> & Partial<Pick<ResourceDefinition<T>, Defaulted>>;

interface ResourceFacts { group: string; version: string; plural: string; model: string; verbs: string[]; subresources: Record<string, unknown> }
const facts = new Map<string, ResourceFacts>();

function factsOf(reference: ResourceReference): ResourceFacts {
  if (facts.size === 0) {
    const schema = JSON.parse(readFileSync(path.join(import.meta.dirname, "schema/generated/schema.json"), "utf8")) as { resources: ResourceFacts[] };
    for (const resource of schema.resources) facts.set(`${resource.group}/${resource.version}/${resource.plural}`, resource);
  }
  const key = `${reference.group}/${reference.version}/${reference.plural}`;
  const found = facts.get(key);
  if (found === undefined) throw new Error(`Cannot define resource ${JSON.stringify(key)}: the schema does not have it`);
  return found;
}

/** Name and Age: what a resource without columns of its own shows. */
function defaultColumns<T extends KubeObject>(): readonly Column<T>[] {
  return [nameColumn, ageColumn];
}

/** Defaults: no short names, no generation, DNS subdomain as name, background propagation, no create by PUT, PUT without resourceVersion allowed. */
export function defineResource<T extends KubeObject>({ reference, ...options }: ResourceOptions<T>): ResourceDefinition<T> {
  const { model, verbs, subresources } = factsOf(reference);
  const { group, version, kind, plural, namespaced } = reference;
  return {
    group, version, kind, plural, namespaced, model,
    singular: kind.toLowerCase(),
    listKind: `${kind}List`,
    verbs: verbs.toSorted(),
    subresources: Object.keys(subresources),
    shortNames: [], categories: [],
    hasGeneration: false, allowCreateOnUpdate: false, allowUnconditionalUpdate: true,
    defaultPropagation: "background",
    validateName: nameIsDnsSubdomain,
    columns: defaultColumns<T>(),
    ...options,
  };
}
