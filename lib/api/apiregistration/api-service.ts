/** APIService: who serves a group and version. Counterpart: kube-aggregator `registry/apiservice`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { keepMetadata } from "../helpers/status-metadata.ts";
import { invalid, required, type FieldError } from "../field-error.ts";
import { METADATA, SPEC } from "../field-path.ts";
import { toTimestamp } from "../helpers/timestamps.ts";
import type { APIService, APIServiceSpec } from "../schema/generated/models.ts";
import { apiservices } from "../schema/generated/references.ts";
import { checkText, type Errors } from "../validation/checks.ts";
import { isDns1035Label, isDns1123Subdomain, isValidPortNum, nameIsPathSegment } from "../validation/names.ts";

const GROUP_PRIORITY_MAX = 20_000, VERSION_PRIORITY_MAX = 1000;

function checkService(errors: Errors, spec: APIServiceSpec): void {
  const { service, caBundle = "", insecureSkipTLSVerify = false } = spec, path = SPEC.child("service");
  if (service === undefined) {
    if (caBundle !== "") errors.push(invalid(SPEC.child("caBundle"), `${Buffer.from(caBundle, "base64").length} bytes`, "local APIServices may not have a caBundle"));
    if (insecureSkipTLSVerify) errors.push(invalid(SPEC.child("insecureSkipTLSVerify"), true, "local APIServices may not have insecureSkipTLSVerify"));
    return;
  }
  if ((service.namespace ?? "") === "") errors.push(required(path.child("namespace")));
  if ((service.name ?? "") === "") errors.push(required(path.child("name")));
  const faults = isValidPortNum(service.port ?? 0);
  if (faults.length > 0) errors.push(invalid(path.child("port"), service.port ?? 0, `port is not valid: ${faults.join(", ")}`));
  if (insecureSkipTLSVerify && caBundle !== "") errors.push(invalid(SPEC.child("insecureSkipTLSVerify"), true, "may not be true if caBundle is present"));
}

function validate({ metadata, spec }: APIService): FieldError[] {
  const errors: FieldError[] = [], { group = "", version = "", groupPriorityMinimum = 0, versionPriority = 0 } = (spec as Partial<APIServiceSpec> | undefined) ?? {};
  const name = `${version}.${group}`;
  if (metadata.name !== name) errors.push(invalid(METADATA.child("name"), metadata.name ?? "", `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(name)}`));
  if (group === "" && version !== "v1") errors.push(required(SPEC.child("group"), "only v1 may have an empty group and it better be legacy kube"));
  if (group !== "") checkText(errors, SPEC.child("group"), group, isDns1123Subdomain);
  checkText(errors, SPEC.child("version"), version, isDns1035Label);
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > GROUP_PRIORITY_MAX) errors.push(invalid(SPEC.child("groupPriorityMinimum"), groupPriorityMinimum, "must be positive and less than 20000"));
  if (versionPriority <= 0 || versionPriority > VERSION_PRIORITY_MAX) errors.push(invalid(SPEC.child("versionPriority"), versionPriority, "must be positive and less than 1000"));
  checkService(errors, spec ?? { groupPriorityMinimum, versionPriority });
  return errors;
}

function availableCell({ status }: APIService): string {
  const condition = status?.conditions?.find(({ type }) => type === "Available");
  if (condition === undefined) return "Unknown";
  return condition.status === "True" || (condition.reason ?? "") === "" ? condition.status : `${condition.status} (${condition.reason})`;
}

export const apiServiceDefinition = defineResource<APIService>({
  reference: apiservices,
  categories: ["api-extensions"],
  allowUnconditionalUpdate: false,
  notRunYet: true,
  validateName: nameIsPathSegment,
  defaults: ({ spec }) => {
    if (spec?.service !== undefined) spec.service.port ??= 443;
  },
  prepareForCreate: (service, { now }) => {
    const isLocal = service.spec?.service === undefined;
    service.status = isLocal ? { conditions: [{ type: "Available", status: "True", lastTransitionTime: toTimestamp(now), reason: "Local", message: "Local APIServices are always available" }] } : {};
  },
  prepareForUpdate: (service, old) => void (service.status = old.status),
  prepareForStatusUpdate: (service, old) => {
    service.spec = old.spec;
    keepMetadata(service, old);
  },
  validate,
  columns: [
    nameColumn,
    column("Service", ({ spec }) => (spec?.service === undefined ? "Local" : `${spec.service.namespace}/${spec.service.name}`), { description: "The reference to the service that hosts this API endpoint." }),
    column("Available", availableCell, { description: "Whether this service is available." }),
    ageColumn,
  ],
});
