/** CustomResourceDefinition: a kind of one's own. Counterpart: apiextensions `registry/customresourcedefinition`. */
import { createdAtColumn, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import type { CustomResourceDefinition, CustomResourceDefinitionNames } from "../schema/generated/models.ts";
import { customresourcedefinitions } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { collect } from "../validation/collect.ts";
import { checkDefinition, checkDefinitionStatus, checkDefinitionUpdate, checkStoredVersions } from "./crd-validation.ts";

function defaults(definition: CustomResourceDefinition): void {
  const spec = (definition.spec ??= { group: "", names: { kind: "", plural: "" }, scope: "", versions: [] });
  const names = (spec.names ??= { kind: "", plural: "" } as CustomResourceDefinitionNames);
  names.singular ||= (names.kind ?? "").toLowerCase();
  if ((names.listKind ?? "") === "" && (names.kind ?? "") !== "") names.listKind = `${names.kind}List`;
  const conversion = (spec.conversion ??= { strategy: "None" });
  if (conversion.webhook?.clientConfig?.service !== undefined) conversion.webhook.clientConfig.service.port ??= 443;
}

/** Remembers that objects may be stored in the version they are stored in now. */
function recordStorageVersion(definition: CustomResourceDefinition): void {
  const version = definition.spec.versions?.find(({ storage }) => storage)?.name, stored = ((definition.status ??= {}).storedVersions ??= []);
  if (version !== undefined && !stored.includes(version)) stored.push(version);
}

export const customResourceDefinitionDefinition = defineResource<CustomResourceDefinition>({
  reference: customresourcedefinitions,
  shortNames: ["crd", "crds"],
  categories: ["api-extensions"],
  hasGeneration: true,
  generationChanged: (definition, old) => !semanticEqual(definition.spec, old.spec),
  allowUnconditionalUpdate: false,
  notRunYet: true,
  defaults,
  prepareForCreate: (definition) => {
    definition.status = {};
    recordStorageVersion(definition);
  },
  prepareForUpdate: (definition, old) => {
    definition.status = structuredClone(old.status);
    recordStorageVersion(definition);
  },
  prepareForStatusUpdate: (definition, old) => void (definition.spec = old.spec),
  validate: (definition) => collect((errors) => checkDefinition(errors, definition)),
  validateUpdate: (definition, old) => collect((errors) => {
    checkDefinition(errors, definition);
    checkDefinitionUpdate(errors, definition, old);
    checkStoredVersions(errors, definition);
  }),
  validateStatusUpdate: (definition) => collect((errors) => checkDefinitionStatus(errors, definition)),
  columns: [nameColumn, createdAtColumn],
});
