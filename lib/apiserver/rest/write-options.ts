/**
 * The options of a write, from its query: who manages the fields, whether it is only tried, how strict the body is read.
 * Counterpart: apimachinery `meta/v1/validation` ValidateCreateOptions and its siblings.
 */
import type { FieldValidation } from "../../api/decode/decode.ts";
import { forbiddenField, invalidError, notSupported, required, type FieldError } from "../../api/field-error.ts";
import { FieldPath } from "../../api/field-path.ts";
import { managerName } from "../../api/managed-fields/managers.ts";
import { checkFieldManager } from "../../api/validation/object-meta.ts";
import type { ApiRequest } from "../http/exchange.ts";
import { bodyType } from "../negotiate.ts";
import { queryFlag } from "../request-info.ts";
import type { WriteContext } from "../registry/resource.ts";

/** An apply patch; CBOR is not served. */
export const APPLY_TYPE = "application/apply-patch+yaml";
const FIELD_VALIDATIONS = ["", "Ignore", "Strict", "Warn"];
const KINDS: Readonly<Record<string, string>> = { create: "CreateOptions", update: "UpdateOptions", patch: "PatchOptions", delete: "DeleteOptions", deletecollection: "DeleteOptions" };

const optionsKind = (request: ApiRequest): string => KINDS[request.info.verb] ?? "CreateOptions";

/** Throws Invalid for values of `dryRun` other than All. */
export function checkDryRun(request: ApiRequest, values: readonly string[]): void {
  const errors = dryRunErrors(values);
  if (errors.length > 0) throw invalidError("meta.k8s.io", optionsKind(request), "", errors);
}

const dryRunErrors = (values: readonly string[]): FieldError[] => (values.every((value) => value === "All") ? [] : [notSupported("dryRun", values, ["All"])]);

function check(request: ApiRequest, fieldManager: string, dryRun: readonly string[]): void {
  const { query } = request, errors: FieldError[] = [], kind = optionsKind(request);
  if (kind === "PatchOptions") {
    if (bodyType(request) !== APPLY_TYPE) {
      if (query.has("force")) errors.push(forbiddenField("force", "may not be specified for non-apply patch"));
    } else if (fieldManager === "") errors.push(required("fieldManager", "is required for apply patch"));
  }
  if (fieldManager !== "" && kind !== "DeleteOptions") checkFieldManager(errors, FieldPath.of("fieldManager"), fieldManager);
  errors.push(...dryRunErrors(dryRun));
  const validation = query.get("fieldValidation") ?? "";
  if (kind !== "DeleteOptions" && !FIELD_VALIDATIONS.includes(validation)) errors.push(notSupported("fieldValidation", validation, FIELD_VALIDATIONS));
  if (errors.length > 0) throw invalidError("meta.k8s.io", kind, "", errors);
}

/** What the first words of User-Agents come to: clients are few, their requests many. */
const managers = new Map<string, string>();
const MANAGERS_MAX = 200;

function managerOf(fieldManager: string, request: ApiRequest): string {
  if (fieldManager !== "") return fieldManager;
  const userAgent = request.headers["user-agent"] ?? "";
  let name = managers.get(userAgent);
  if (name === undefined) {
    if (managers.size >= MANAGERS_MAX) managers.clear();
    managers.set(userAgent, name = managerName("", userAgent));
  }
  return name;
}

/** Who writes, and how. Throws Invalid for options upstream refuses. */
export function writeContext(request: ApiRequest): WriteContext {
  const { query, user } = request, addWarning = (text: string): void => request.addWarning(text);
  const fieldManager = query.get("fieldManager") ?? "", dryRun = query.getAll("dryRun").filter((value) => value !== "");
  if (query.size > 0 || request.info.verb === "patch") check(request, fieldManager, dryRun);
  return { user, dryRun: dryRun.length > 0, addWarning, fieldManager: managerOf(fieldManager, request) };
}

/** `fieldValidation` of the query; upstream's default is Warn. `writeContext` has refused values there are not. */
export function fieldValidation(request: ApiRequest): FieldValidation {
  const asked = request.query.get("fieldValidation") ?? "";
  return asked === "Strict" || asked === "Ignore" ? asked : "Warn";
}

/** Whether an apply takes fields from others. */
export const isForced = (request: ApiRequest): boolean => queryFlag(request.query, "force");
