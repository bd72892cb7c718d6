/** Environment variables, their sources and the fields of the downward API. Counterpart: `ValidateEnv` and friends in kubernetes `apis/core/validation`. */
import { invalid, notSupported, required } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { canonicalQuantity, compareQuantity } from "../quantity.ts";
import type { EnvFromSource, EnvVar, EnvVarSource, FileKeySelector, ObjectFieldSelector, ResourceFieldSelector } from "../schema/generated/models.ts";
import { checkDnsSubdomain, checkLabelKey, checkLocalNonReservedPath, checkText, type Errors } from "../validation/checks.ts";
import { isConfigMapKey, isEnvVarName, nameIsDnsSubdomain } from "../validation/names.ts";

const ENV_FIELDS = ["metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"];
export const VOLUME_FIELDS: readonly string[] = ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
/** All a field path can be converted from; what is supported where is told by the lists above. */
const KNOWN_FIELDS = new Set([...ENV_FIELDS, ...VOLUME_FIELDS, "spec.restartPolicy", "spec.schedulerName", "status.phase", "spec.hostNetwork", "status.nominatedNodeName"]);
const RESOURCE_FIELDS = ["limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"];
const BYTE_DIVISORS = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
const CPU_DIVISORS = ["1m", "1"];
const isHugePageField = (resource: string): boolean => resource.startsWith("requests.hugepages-") || resource.startsWith("limits.hugepages-");

export function checkEnv(errors: Errors, path: FieldPath, variables: readonly EnvVar[]): void {
  for (let i = 0; i < variables.length; i++) {
    const variable = variables[i]!;
    if ((variable.name ?? "") === "") errors.push(required(path.index(i).child("name")));
    else for (const fault of isEnvVarName(variable.name)) errors.push(invalid(path.index(i).child("name"), variable.name, fault));
    if (variable.valueFrom !== undefined) checkValueFrom(errors, path.index(i).child("valueFrom"), variable.valueFrom, (variable.value ?? "") !== "");
  }
}

function checkValueFrom(errors: Errors, path: FieldPath, source: EnvVarSource, hasValue: boolean): void {
  let sources = 0;
  if (source.fieldRef !== undefined) {
    sources++;
    checkFieldRef(errors, path.child("fieldRef"), source.fieldRef, ENV_FIELDS);
  }
  if (source.resourceFieldRef !== undefined) {
    sources++;
    checkResourceFieldRef(errors, path.child("resourceFieldRef"), source.resourceFieldRef, false);
  }
  if (source.configMapKeyRef !== undefined) {
    sources++;
    checkKeyRef(errors, path.child("configMapKeyRef"), source.configMapKeyRef);
  }
  if (source.secretKeyRef !== undefined) {
    sources++;
    checkKeyRef(errors, path.child("secretKeyRef"), source.secretKeyRef);
  }
  if (source.fileKeyRef !== undefined) {
    sources++;
    checkFileKeyRef(errors, path.child("fileKeyRef"), source.fileKeyRef);
  }
  if (sources === 0) errors.push(invalid(path, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"));
  else if (hasValue) errors.push(invalid(path, "", "may not be specified when `value` is not empty"));
  else if (sources > 1) errors.push(invalid(path, "", "may not have more than one field specified at a time"));
}

/** `metadata.labels['key']` -> its path and subscript. */
function splitSubscript(fieldPath: string): { path: string; subscript?: string } {
  const match = /^(.*)\['(.*)'\]$/.exec(fieldPath);
  return match === null ? { path: fieldPath } : { path: match[1]!, subscript: match[2]! };
}

export function checkFieldRef(errors: Errors, path: FieldPath, reference: ObjectFieldSelector, supported: readonly string[]): void {
  if ((reference.apiVersion ?? "") === "") errors.push(required(path.child("apiVersion")));
  else if ((reference.fieldPath ?? "") === "") errors.push(required(path.child("fieldPath")));
  else {
    const { path: field, subscript } = splitSubscript(reference.fieldPath);
    const isKnown = subscript === undefined ? KNOWN_FIELDS.has(field) : field === "metadata.annotations" || field === "metadata.labels";
    if (reference.apiVersion !== "v1") errors.push(invalid(path.child("fieldPath"), reference.fieldPath, `error converting fieldPath: unsupported pod version: ${reference.apiVersion}`));
    else if (!isKnown) {
      const why = subscript === undefined ? `field label not supported: ${field}` : `field label does not support subscript: ${field}`;
      errors.push(invalid(path.child("fieldPath"), reference.fieldPath, `error converting fieldPath: ${why}`));
    } else if (subscript !== undefined) checkLabelKey(errors, path, field === "metadata.annotations" ? subscript.toLowerCase() : subscript);
    else if (!supported.includes(field)) errors.push(notSupported(path.child("fieldPath"), field, supported));
  }
}

export function checkResourceFieldRef(errors: Errors, path: FieldPath, reference: ResourceFieldSelector, isVolume: boolean): void {
  const resource = reference.resource ?? "";
  if (isVolume && (reference.containerName ?? "") === "") errors.push(required(path.child("containerName")));
  else if (resource === "") errors.push(required(path.child("resource")));
  else if (!RESOURCE_FIELDS.includes(resource) && !isHugePageField(resource)) errors.push(notSupported(path.child("resource"), resource, RESOURCE_FIELDS));
  const { divisor } = reference;
  if (divisor === undefined || divisor === "0" || compareQuantity(divisor, "0") === 0) return;
  const isCpu = resource.endsWith(".cpu"), text = canonicalQuantity(divisor);
  if ((isCpu ? CPU_DIVISORS : BYTE_DIVISORS).includes(text) || !(RESOURCE_FIELDS.includes(resource) || isHugePageField(resource))) return;
  const noun = isCpu ? "cpu" : isHugePageField(resource) ? "hugepages" : resource.endsWith(".memory") ? "memory" : "local ephemeral storage";
  errors.push(invalid(path.child("divisor"), resource, `only divisor's values ${isCpu ? "1m and 1" : BYTE_DIVISORS.join(", ")} are supported with the ${noun} resource`));
}

function checkKeyRef(errors: Errors, path: FieldPath, reference: { name?: string | undefined; key?: string }): void {
  checkDnsSubdomain(errors, path.child("name"), reference.name ?? "");
  if ((reference.key ?? "") === "") errors.push(required(path.child("key")));
  else checkText(errors, path.child("key"), reference.key!, isConfigMapKey);
}

function checkFileKeyRef(errors: Errors, path: FieldPath, reference: FileKeySelector): void {
  if ((reference.key ?? "") === "") errors.push(required(path.child("key")));
  else checkText(errors, path.child("key"), reference.key, isEnvVarName);
  if ((reference.volumeName ?? "") === "") errors.push(required(path.child("volumeName")));
  if ((reference.path ?? "") === "") errors.push(required(path.child("path")));
  else checkLocalNonReservedPath(errors, path.child("path"), reference.path);
}

export function checkEnvFrom(errors: Errors, path: FieldPath, sources: readonly EnvFromSource[]): void {
  sources.forEach((source, i) => {
    if ((source.prefix ?? "") !== "") checkText(errors, path.index(i).child("prefix"), source.prefix!, isEnvVarName);
    let count = 0;
    for (const kind of ["configMapRef", "secretRef"] as const) {
      const reference = source[kind];
      if (reference === undefined) continue;
      count++;
      const namePath = path.index(i).child(kind, "name");
      if ((reference.name ?? "") === "") errors.push(required(namePath));
      else for (const fault of nameIsDnsSubdomain(reference.name!, true)) errors.push(invalid(namePath, reference.name, fault));
    }
    if (count === 0) errors.push(invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"));
    else if (count > 1) errors.push(invalid(path, "", "may not have more than one field specified at a time"));
  });
}
