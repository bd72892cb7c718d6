/** What a CustomResourceDefinition must be. Counterpart: apiextensions `apis/apiextensions/validation`. */
import { forbiddenField, invalid, notSupported, required } from "../field-error.ts";
import { SPEC, STATUS, type FieldPath } from "../field-path.ts";
import type { CustomResourceColumnDefinition, CustomResourceConversion, CustomResourceDefinition, CustomResourceDefinitionSpec, CustomResourceDefinitionVersion, CustomResourceSubresourceScale } from "../schema/generated/models.ts";
import { checkImmutable, checkOneOf, checkText, type Errors } from "../validation/checks.ts";
import { isDns1035Label } from "../validation/names.ts";
import { checkWebhookClient } from "../validation/webhook-client.ts";
import { checkApproval, checkGroup, checkNames, checkOwnName, checkRequiredNames } from "./crd-names-validation.ts";
import { checkRootSchema } from "./crd-schema-validation.ts";

const VERSIONS = SPEC.child("versions"), CONVERSION = SPEC.child("conversion"), STORED_VERSIONS = STATUS.child("storedVersions");
const COLUMN_TYPES = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
const REVIEW_VERSIONS = ["v1", "v1beta1"];
const DEPRECATION_MAX = 256;

export function checkDefinition(errors: Errors, definition: CustomResourceDefinition): void {
  const spec = (definition.spec as Partial<CustomResourceDefinitionSpec> | undefined) ?? {}, versions = spec.versions ?? [], names = spec.names ?? {};
  checkOwnName(errors, definition);
  checkGroup(errors, spec.group ?? "");
  checkOneOf(errors, SPEC.child("scope"), spec.scope, ["Cluster", "Namespaced"]);
  versions.forEach((version, i) => { if (version.schema?.openAPIV3Schema === undefined) errors.push(required(VERSIONS.index(i).child("schema", "openAPIV3Schema"), "schemas are required")); });
  if (spec.preserveUnknownFields === true) errors.push(invalid(SPEC.child("preserveUnknownFields"), true, "must be false in order to use defaults in the schema"));
  versions.forEach((version, i) => checkVersion(errors, VERSIONS.index(i), version, versions.length === 1));
  if (new Set(versions.map(({ name }) => name)).size !== versions.length) errors.push(invalid(VERSIONS, versions, "must contain unique version names"));
  if (versions.filter(({ storage }) => storage).length !== 1) errors.push(invalid(VERSIONS, versions, "must have exactly one version marked as storage version"));
  checkRequiredNames(errors, names);
  checkNames(errors, SPEC.child("names"), names);
  if (spec.conversion !== undefined) checkConversion(errors, spec.conversion);
  checkApproval(errors, definition);
}

/** What all versions have alike upstream holds at the top, and tells its faults there. */
function checkVersion(errors: Errors, path: FieldPath, version: CustomResourceDefinitionVersion, isOnly: boolean): void {
  const { deprecationWarning: warning } = version, at = path.child("deprecationWarning"), nameFaults = isDns1035Label(version.name ?? "");
  const { schema, subresources, additionalPrinterColumns } = version, top = isOnly ? SPEC : path;
  if (nameFaults.length > 0) errors.push(invalid(path.child("name"), version.name ?? "", nameFaults.join(",")));
  if (warning !== undefined) {
    if (version.deprecated !== true) errors.push(invalid(at, warning, "can only be set for deprecated versions"));
    else if (warning === "") errors.push(invalid(at, warning, "must not be an empty string"));
    else if (warning.length > DEPRECATION_MAX) errors.push(invalid(at, warning, `must be <= ${DEPRECATION_MAX} characters long`));
  }
  if (schema?.openAPIV3Schema !== undefined) checkRootSchema(errors, top.child(isOnly ? "validation" : "schema", "openAPIV3Schema"), schema.openAPIV3Schema);
  if (subresources?.scale !== undefined) checkScale(errors, top.child("subresources", "scale"), subresources.scale);
  additionalPrinterColumns?.forEach((one, i) => checkColumn(errors, top.child("additionalPrinterColumns").index(i), one));
}

function checkScale(errors: Errors, path: FieldPath, { specReplicasPath: spec = "", statusReplicasPath: status = "", labelSelectorPath: selector = "" }: Partial<CustomResourceSubresourceScale>): void {
  if (spec === "") errors.push(required(path.child("specReplicasPath")));
  else if (!spec.startsWith(".spec.")) errors.push(invalid(path.child("specReplicasPath"), spec, "should be a json path under .spec"));
  if (status === "") errors.push(required(path.child("statusReplicasPath")));
  else if (!status.startsWith(".status.")) errors.push(invalid(path.child("statusReplicasPath"), status, "should be a json path under .status"));
  if (selector !== "" && !selector.startsWith(".status.") && !selector.startsWith(".spec.")) errors.push(invalid(path.child("labelSelectorPath"), selector, "should be a json path under either .status or .spec"));
}

function checkColumn(errors: Errors, path: FieldPath, { name = "", type = "", format = "", jsonPath = "" }: Partial<CustomResourceColumnDefinition>): void {
  const types = `must be one of ${COLUMN_TYPES.join(",")}`;
  if (name === "") errors.push(required(path.child("name")));
  if (type === "") errors.push(required(path.child("type"), types));
  else if (!COLUMN_TYPES.includes(type)) errors.push(invalid(path.child("type"), type, types));
  if (format !== "" && !COLUMN_FORMATS.includes(format)) errors.push(invalid(path.child("format"), format, `must be one of ${COLUMN_FORMATS.join(",")}`));
  if (jsonPath === "") errors.push(required(path.child("JSONPath")));
  else if (!jsonPath.startsWith(".")) errors.push(invalid(path.child("JSONPath"), jsonPath, "must be a simple json path starting with ."));
}

function checkConversion(errors: Errors, { strategy, webhook }: CustomResourceConversion): void {
  checkOneOf(errors, CONVERSION.child("strategy"), strategy, ["None", "Webhook"]);
  if (strategy !== "Webhook") {
    const why = "should not be set when strategy is not set to Webhook";
    if (webhook?.clientConfig !== undefined) errors.push(forbiddenField(CONVERSION.child("webhookClientConfig"), why));
    if ((webhook?.conversionReviewVersions ?? []).length > 0) errors.push(forbiddenField(CONVERSION.child("conversionReviewVersions"), why));
    return;
  }
  if (webhook?.clientConfig === undefined) errors.push(required(CONVERSION.child("webhookClientConfig"), "required when strategy is set to Webhook"));
  else checkWebhookClient(errors, CONVERSION.child("webhookClientConfig"), webhook.clientConfig);
  const versions = webhook?.conversionReviewVersions ?? [], path = CONVERSION.child("conversionReviewVersions");
  if (versions.length === 0) errors.push(required(path));
  versions.forEach((version, i) => {
    if (versions.indexOf(version) !== i) errors.push(invalid(path.index(i), version, "duplicate version"));
    else checkText(errors, path.index(i), version, isDns1035Label);
  });
  if (versions.length > 0 && !versions.some((version) => REVIEW_VERSIONS.includes(version))) errors.push(invalid(path, versions, `must include at least one of ${REVIEW_VERSIONS.join(", ")}`));
}

export function checkDefinitionUpdate(errors: Errors, { spec }: CustomResourceDefinition, old: CustomResourceDefinition): void {
  if (old.status?.conditions?.some(({ type, status }) => type === "Established" && status === "True") === true) {
    checkImmutable(errors, SPEC.child("scope"), spec?.scope, old.spec.scope);
    checkImmutable(errors, SPEC.child("names", "kind"), spec?.names?.kind, old.spec.names.kind);
  }
  checkImmutable(errors, SPEC.child("group"), spec?.group, old.spec.group);
  checkImmutable(errors, SPEC.child("names", "plural"), spec?.names?.plural, old.spec.names.plural);
}

/** What is stored in a version can be read as long as the version is there. */
export function checkStoredVersions(errors: Errors, { spec, status }: CustomResourceDefinition): void {
  const stored = status?.storedVersions ?? [], versions = spec?.versions ?? [];
  if (stored.length === 0) {
    errors.push(invalid(STORED_VERSIONS, stored, "must have at least one stored version"));
    return;
  }
  for (const version of versions) if (version.storage && !stored.includes(version.name)) errors.push(invalid(STORED_VERSIONS, version, `must have the storage version ${version.name}`));
  stored.forEach((name, i) => { if (!versions.some((version) => version.name === name)) errors.push(invalid(STORED_VERSIONS.index(i), name, "must appear in spec.versions")); });
}

export function checkDefinitionStatus(errors: Errors, definition: CustomResourceDefinition): void {
  checkNames(errors, STATUS.child("acceptedNames"), definition.status?.acceptedNames ?? {});
  checkStoredVersions(errors, definition);
  definition.status?.conditions?.forEach(({ type, status }, i) => {
    if (!["False", "True", "Unknown"].includes(status)) errors.push(notSupported(STATUS.child("conditions").index(i).child("status"), status, ["False", "True", "Unknown"]));
    if (type === "") errors.push(required(STATUS.child("conditions").index(i).child("type")));
  });
}
