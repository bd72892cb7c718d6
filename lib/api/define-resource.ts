/**
 * Makes a ResourceDefinition from what a resource's own file says and what the generated schema knows of it
 * (verbs, subresources, model). Whatever the file leaves out gets upstream's common case.
 */
import { assert } from "../util/assert.ts";
import type { Column, KubeObject, ResourceDefinition } from "./resource-definition.ts";
import type { ResourceReference } from "./reference.ts";
import { ageColumn, nameColumn } from "./columns.ts";
import { resourceSchemaOf } from "./schema/schema.ts";
import { nameIsDnsSubdomain } from "./validation/names.ts";

type Derived = "singular" | "model" | "listKind" | "subresources" | keyof ResourceReference;
type Defaulted = "verbs" | "shortNames" | "categories" | "hasGeneration" | "allowCreateOnUpdate" | "allowUnconditionalUpdate" | "defaultPropagation" | "validateName" | "columns";
export type ResourceOptions<T extends KubeObject> = { readonly reference: ResourceReference<T> } & Omit<ResourceDefinition<T>, Derived | Defaulted> & Partial<Pick<ResourceDefinition<T>, Defaulted>>;

/** Name and Age: what a resource without columns of its own shows. */
function defaultColumns<T extends KubeObject>(): readonly Column<T>[] {
  return [nameColumn, ageColumn];
}

/** Defaults: no short names, no generation, DNS subdomain as name, background propagation, no create by PUT, PUT without resourceVersion allowed. */
export function defineResource<T extends KubeObject>({ reference, ...options }: ResourceOptions<T>): ResourceDefinition<T> {
  const { group, version, kind, plural, namespaced } = reference;
  const schema = resourceSchemaOf(reference);
  assert(schema !== undefined, `resource ${group}/${version}/${plural} is in the schema`);
  const { model, verbs, subresources } = schema;
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
