/** ResourceQuota: how much a namespace may ask in all. Counterpart: kubernetes `registry/core/resourcequota`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { invalid, required, type FieldError } from "../field-error.ts";
import { SPEC, STATUS, type FieldPath } from "../field-path.ts";
import { isHugePageName, isStandardQuotaResourceName } from "../helpers/resource-names.ts";
import { canonicalQuantity } from "../quantity.ts";
import type { ResourceQuota, ResourceQuotaSpec } from "../schema/generated/models.ts";
import { resourcequotas } from "../schema/generated/references.ts";
import { IMMUTABLE } from "../validation/checks.ts";
import { checkResourceName, checkResourceQuantity } from "./resource-requirements-validation.ts";

const SCOPES = new Set(["Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity", "VolumeAttributesClass"]);
const EXISTS_ONLY = new Set(["Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "CrossNamespacePodAffinity"]);
const CONFLICTS = [["BestEffort", "NotBestEffort"], ["NotTerminating", "Terminating"]] as const;
const POD_COMPUTE = new Set(["cpu", "memory", "ephemeral-storage", ...["cpu", "memory", "ephemeral-storage"].flatMap((name) => [`requests.${name}`, `limits.${name}`])]);

/** Faults that show the whole list are told up to here: thousands of them would be its square. */
const FAULTS_MAX = 100;

function isScopeValidFor(scope: string, name: string): boolean {
  const isPod = name === "pods" || POD_COMPUTE.has(name) || isHugePageName(name) || name.startsWith("requests.hugepages-");
  if (scope === "BestEffort") return name === "pods";
  if (scope === "VolumeAttributesClass") return name === "persistentvolumeclaims" || name === "requests.storage";
  return isPod;
}

function checkAmounts(errors: FieldError[], path: FieldPath, amounts: Readonly<Record<string, string>> | undefined): void {
  for (const [name, amount] of Object.entries(amounts ?? {})) {
    checkResourceName(errors, path.key(name), name);
    if (!name.includes("/") && !isStandardQuotaResourceName(name)) errors.push(invalid(path.key(name), name, "must be a standard resource for quota"));
    checkResourceQuantity(errors, path.key(name), name, amount);
  }
}

function checkConflicts(errors: FieldError[], path: FieldPath, scopes: readonly string[], shown: readonly string[] | undefined): void {
  for (const pair of CONFLICTS) if (pair.every((scope) => scopes.includes(scope))) errors.push(invalid(path, shown, "conflicting scopes"));
}

function checkSpec(errors: FieldError[], spec: ResourceQuotaSpec): void {
  const limited = Object.keys(spec.hard ?? {}).sort().filter(isStandardQuotaResourceName), scopes = spec.scopes ?? [], path = SPEC.child("scopes");
  checkAmounts(errors, SPEC.child("hard"), spec.hard);
  for (const scope of scopes) {
    if (errors.length >= FAULTS_MAX) break;
    if (!SCOPES.has(scope)) errors.push(invalid(path, scopes, "unsupported scope"));
    for (const name of limited) if (!isScopeValidFor(scope, name)) errors.push(invalid(path, scopes, "unsupported scope applied to resource"));
  }
  if (scopes.length > 0) checkConflicts(errors, path, scopes, scopes);
  if (spec.scopeSelector !== undefined) checkSelector(errors, SPEC.child("scopeSelector", "matchExpressions"), spec, limited);
}

function checkSelector(errors: FieldError[], path: FieldPath, spec: ResourceQuotaSpec, limited: readonly string[]): void {
  const requirements = spec.scopeSelector?.matchExpressions ?? [];
  for (const { scopeName = "", operator = "", values = [] } of requirements as readonly { scopeName?: string; operator?: string; values?: string[] | undefined }[]) {
    if (errors.length >= FAULTS_MAX) break;
    if (!SCOPES.has(scopeName)) errors.push(invalid(path.child("scopeName"), scopeName, "unsupported scope"));
    for (const name of limited) if (!isScopeValidFor(scopeName, name)) errors.push(invalid(path, spec.scopeSelector, "unsupported scope applied to resource"));
    if (EXISTS_ONLY.has(scopeName) && operator !== "Exists") {
      errors.push(invalid(path.child("operator"), operator, "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"));
    }
    if (operator === "In" || operator === "NotIn") {
      if (values.length === 0) errors.push(required(path.child("values"), "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"));
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      if (values.length > 0) errors.push(invalid(path.child("values"), values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"));
    } else errors.push(invalid(path.child("operator"), operator, "not a valid selector operator"));
  }
  checkConflicts(errors, path, requirements.map((requirement) => requirement.scopeName), spec.scopes);
}

function validate({ spec, status }: ResourceQuota): FieldError[] {
  const errors: FieldError[] = [];
  checkSpec(errors, spec ?? {});
  for (const list of ["hard", "used"] as const) checkAmounts(errors, STATUS.child(list), status?.[list]);
  return errors;
}

function validateUpdate(quota: ResourceQuota, old: ResourceQuota): FieldError[] {
  const errors: FieldError[] = [];
  checkSpec(errors, quota.spec ?? {});
  const scopes = new Set(quota.spec?.scopes), oldScopes = new Set(old.spec?.scopes);
  if (scopes.symmetricDifference(oldScopes).size > 0) errors.push(invalid(SPEC.child("scopes"), quota.spec?.scopes ?? null, IMMUTABLE));
  return errors;
}

/** Limits have a column of their own. */
const usage = (isLimit: boolean) => ({ status }: ResourceQuota): string => Object.keys(status?.hard ?? {}).sort().filter((name) => name.startsWith("limits.") === isLimit)
  .map((name) => `${name}: ${canonicalQuantity(status?.used?.[name] ?? "0")}/${canonicalQuantity(status!.hard![name]!)}`).join(", ");

export const resourceQuotaDefinition = defineResource<ResourceQuota>({
  reference: resourcequotas,
  shortNames: ["quota"],
  prepareForCreate: (quota) => void (quota.status = {}),
  prepareForUpdate: (quota, old) => void (quota.status = old.status),
  prepareForStatusUpdate: (quota, old) => void (quota.spec = old.spec),
  validate,
  validateUpdate,
  validateStatusUpdate: ({ status }) => {
    const errors: FieldError[] = [];
    for (const list of ["hard", "used"] as const) checkAmounts(errors, STATUS.child(list), status?.[list]);
    return errors;
  },
  columns: [
    nameColumn,
    column("Request", usage(false), { description: "What is asked of what may be asked." }),
    column("Limit", usage(true), { description: "What is allowed of what may be allowed." }),
    ageColumn,
  ],
});
