/** FlowSchema: which requests wait in which line. Counterpart: kubernetes `registry/flowcontrol/flowschema`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { keepMetadata } from "../helpers/status-metadata.ts";
import { forbiddenField, invalid, notSupported, required } from "../field-error.ts";
import { SPEC, STATUS, type FieldPath } from "../field-path.ts";
import type { FlowSchema, FlowSchemaSpec, FlowcontrolV1Subject, PolicyRulesWithSubjects, ResourcePolicyRule } from "../schema/generated/models.ts";
import { flowschemas } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { checkDnsSubdomain, checkName, type Errors } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";
import { nameIsDnsLabel } from "../validation/names.ts";
import { checkTypedConditions } from "./flow-conditions.ts";

const PRECEDENCE_DEFAULT = 1000, PRECEDENCE_MAX = 10_000;
const VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"];
const SUBJECT_FIELDS = { ServiceAccount: "serviceAccount", User: "user", Group: "group" } as const;

function checkSpec(errors: Errors, name: string, spec: FlowSchemaSpec): void {
  const precedence = spec.matchingPrecedence ?? 0, path = SPEC.child("matchingPrecedence"), level = spec.priorityLevelConfiguration?.name ?? "", { distinguisherMethod: method } = spec;
  if (precedence <= 0) errors.push(invalid(path, precedence, "must be a positive value"));
  if (precedence > PRECEDENCE_MAX) errors.push(invalid(path, precedence, `must not be greater than ${PRECEDENCE_MAX}`));
  if (precedence === 1 && name !== "exempt") errors.push(invalid(path, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"));
  if (method !== undefined && method.type !== "ByNamespace" && method.type !== "ByUser") errors.push(notSupported(SPEC.child("distinguisherMethod", "type"), { Type: method.type ?? "" }, ["ByNamespace", "ByUser"]));
  if (level === "") errors.push(required(SPEC.child("priorityLevelConfiguration", "name"), "must reference a priority level"));
  else checkDnsSubdomain(errors, SPEC.child("priorityLevelConfiguration", "name"), level);
  spec.rules?.forEach((rule, i) => checkRule(errors, SPEC.child("rules").index(i), rule));
}

function checkRule(errors: Errors, path: FieldPath, rule: PolicyRulesWithSubjects): void {
  const subjects = rule.subjects ?? [], { resourceRules = [], nonResourceRules = [] } = rule;
  if (subjects.length === 0) errors.push(required(path.child("subjects"), "subjects must contain at least one value"));
  subjects.forEach((subject, i) => checkSubject(errors, path.child("subjects").index(i), subject));
  if (resourceRules.length === 0 && nonResourceRules.length === 0) errors.push(required(path, "at least one of resourceRules and nonResourceRules has to be non-empty"));
  resourceRules.forEach((one, i) => checkResourceRule(errors, path.child("resourceRules").index(i), one));
  nonResourceRules.forEach((one, i) => {
    const at = path.child("nonResourceRules").index(i), urls = one.nonResourceURLs ?? [];
    checkVerbs(errors, at.child("verbs"), one.verbs ?? []);
    checkWildcard(errors, at.child("nonResourceURLs"), urls, "nonResourceURLs must contain at least one value", "non-resource URLs");
    if (!urls.includes("*")) urls.forEach((url, j) => checkUrlPath(errors, at.child("nonResourceURLs").index(j), url));
  });
}

function checkSubject(errors: Errors, path: FieldPath, subject: FlowcontrolV1Subject): void {
  if (!(subject.kind in SUBJECT_FIELDS)) {
    errors.push(notSupported(path.child("kind"), subject.kind ?? "", ["Group", "ServiceAccount", "User"]));
    return;
  }
  for (const [kind, field] of Object.entries(SUBJECT_FIELDS)) {
    const value = subject[field], at = path.child(field);
    if (kind !== subject.kind) {
      if (value !== undefined) errors.push(forbiddenField(at, `${field} is forbidden when subject kind is not '${kind}'`));
    } else if (value === undefined) errors.push(required(at, `${field} is required when subject kind is '${kind}'`));
    else if ((value.name ?? "") === "") errors.push(required(at.child("name")));
    else if (kind === "ServiceAccount" && value.name !== "*") checkDnsSubdomain(errors, at.child("name"), value.name);
  }
  if (subject.kind !== "ServiceAccount" || subject.serviceAccount === undefined) return;
  const namespace = subject.serviceAccount.namespace ?? "", at = path.child("serviceAccount", "namespace");
  if (namespace === "") errors.push(required(at, "must specify namespace for service account"));
  else checkName(errors, at, namespace, nameIsDnsLabel);
}

function checkWildcard(errors: Errors, path: FieldPath, items: readonly string[], none: string, noun: string): void {
  if (items.length === 0) errors.push(required(path, none));
  else if (items.length > 1 && items.includes("*")) errors.push(invalid(path, items, `if '*' is present, must not specify other ${noun}`));
}

function checkVerbs(errors: Errors, path: FieldPath, verbs: readonly string[]): void {
  checkWildcard(errors, path, verbs, "verbs must contain at least one value", "verbs");
  if (!verbs.includes("*") && verbs.some((verb) => !VERBS.includes(verb))) errors.push(notSupported(path, verbs, VERBS));
}

function checkResourceRule(errors: Errors, path: FieldPath, rule: ResourcePolicyRule): void {
  const { namespaces = [], clusterScope = false } = rule, at = path.child("namespaces");
  checkVerbs(errors, path.child("verbs"), rule.verbs ?? []);
  checkWildcard(errors, path.child("apiGroups"), rule.apiGroups ?? [], "resource rules must supply at least one api group", "api groups");
  checkWildcard(errors, path.child("resources"), rule.resources ?? [], "resource rules must supply at least one resource", "resources");
  if (namespaces.length > 0 || !clusterScope) checkWildcard(errors, at, namespaces, "resource rules that are not cluster scoped must supply at least one namespace", "namespaces");
  if (namespaces.includes("*")) return;
  namespaces.forEach((namespace, i) => {
    for (const fault of nameIsDnsLabel(namespace, false)) errors.push(invalid(at.index(i), namespace, `each member of this list must be '*' or a DNS-1123 label; ${fault}`));
  });
}

function checkUrlPath(errors: Errors, path: FieldPath, url: string): void {
  if (url === "/") return;
  const wildcards = url.split("*").length - 1;
  const fault = url === "" ? "must not be empty" : !url.startsWith("/") ? "must start with slash" : url.includes(" ") ? "must not contain white-space" : url.includes("//") ? "must not contain double slash"
    : wildcards > 1 || (wildcards === 1 && !url.endsWith("/*")) ? "wildcard can only do suffix matching" : undefined;
  if (fault !== undefined) errors.push(invalid(path, url, fault));
}

export const flowSchemaDefinition = defineResource<FlowSchema>({
  reference: flowschemas,
  hasGeneration: true,
  generationChanged: (schema, old) => !semanticEqual(schema.spec, old.spec),
  allowUnconditionalUpdate: false,
  notRunYet: true,
  defaults: ({ spec }) => {
    if (spec !== undefined && (spec.matchingPrecedence ?? 0) === 0) spec.matchingPrecedence = PRECEDENCE_DEFAULT;
  },
  prepareForCreate: (schema) => void (schema.status = {}),
  prepareForUpdate: (schema, old) => void (schema.status = old.status),
  prepareForStatusUpdate: (schema, old) => {
    schema.spec = old.spec;
    keepMetadata(schema, old);
  },
  validate: ({ metadata, spec }) => collect((errors) => checkSpec(errors, metadata.name ?? "", spec ?? { priorityLevelConfiguration: { name: "" } })),
  validateStatusUpdate: ({ status }) => collect((errors) => checkTypedConditions(errors, STATUS.child("conditions"), status?.conditions)),
  columns: [
    nameColumn,
    column("PriorityLevel", ({ spec }) => spec?.priorityLevelConfiguration?.name ?? "", { description: "The line its requests wait in." }),
    column("MatchingPrecedence", ({ spec }) => spec?.matchingPrecedence ?? 0, { type: "integer", description: "Of several that match, the least counts." }),
    column("DistinguisherMethod", ({ spec }) => spec?.distinguisherMethod?.type ?? "<none>", { description: "What makes a flow of its own." }),
    ageColumn,
    column("MissingPL", ({ status }) => status?.conditions?.find(({ type }) => type === "Dangling")?.status ?? "?", { description: "Whether its priority level is missing." }),
  ],
});
