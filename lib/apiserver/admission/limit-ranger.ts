/**
 * LimitRanger: pods and claims get the namespace's default requests and limits, and stay inside its bounds.
 * Counterpart: `plugin/pkg/admission/limitranger`.
 */
import { isSidecar } from "../../api/helpers/pod-resources.ts";
import { addQuantity, compareQuantity, formatQuantity, milliValue, type Quantity } from "../../api/quantity.ts";
import type { ResourceDefinition } from "../../api/resource-definition.ts";
import { limitranges } from "../../api/schema/generated/references.ts";
import type { Container, LimitRange, LimitRangeItem, PersistentVolumeClaim, Pod, ResourceRequirements } from "../../api/schema/generated/models.ts";
import type { AdmissionAttributes, AdmissionOperation, AdmissionPlugin, CacheReader } from "../contracts.ts";
import { admissionForbidden } from "./admission-error.ts";

type Amounts = Readonly<Record<string, string>>;
const ANNOTATION = "kubernetes.io/limit-ranger";

export class LimitRanger implements AdmissionPlugin {
  readonly name = "LimitRanger";
  readonly #cache: CacheReader;
  constructor(cache: CacheReader) { this.#cache = cache; }

  handles(operation: AdmissionOperation, definition: ResourceDefinition, subresource: string): boolean {
    if (definition.group !== "" || subresource !== "") return false;
    // A pod's resources do not change by update, except through /resize.
    return (definition.plural === "pods" && operation === "CREATE") || (definition.plural === "persistentvolumeclaims" && (operation === "CREATE" || operation === "UPDATE"));
  }

  admit(attributes: AdmissionAttributes): void {
    if (attributes.definition.plural !== "pods") return;
    for (const range of this.#ranges(attributes)) applyDefaults(attributes.object as Pod, range);
  }

  validate(attributes: AdmissionAttributes): void {
    const errors: string[] = [];
    for (const range of this.#ranges(attributes)) {
      for (const item of range.spec?.limits ?? []) {
        if (attributes.definition.plural === "pods") errors.push(...podErrors(attributes.object as Pod, item));
        else if (item.type === "PersistentVolumeClaim") errors.push(...boundErrors(item, (attributes.object as PersistentVolumeClaim).spec?.resources?.requests ?? {}, {}, "minMax"));
      }
    }
    if (errors.length > 0) throw admissionForbidden(attributes, errors.length === 1 ? errors[0]! : `[${errors.join(", ")}]`);
  }

  #ranges(attributes: AdmissionAttributes): readonly LimitRange[] { return this.#cache.list(limitranges, attributes.namespace); }
}

function applyDefaults(pod: Pod, range: LimitRange): void {
  const added: string[] = [];
  for (const item of range.spec?.limits ?? []) {
    if (item.type !== "Container") continue;
    for (const [kind, containers] of [["container", pod.spec?.containers ?? []], ["init container", pod.spec?.initContainers ?? []]] as const) {
      for (const container of containers) {
        const requests = fill(container, "requests", item.defaultRequest ?? {}), limits = fill(container, "limits", item.default ?? {});
        if (requests.length > 0) added.push(`${requests.join(", ")} request for ${kind} ${container.name}`);
        if (limits.length > 0) added.push(`${limits.join(", ")} limit for ${kind} ${container.name}`);
      }
    }
  }
  if (added.length > 0) pod.metadata.annotations = { ...pod.metadata.annotations, [ANNOTATION]: `LimitRanger plugin set: ${added.join("; ")}` };
}

/** Sets what is missing. Returns the names of what it set. */
function fill(container: Container, field: "requests" | "limits", defaults: Amounts): string[] {
  const held = container.resources?.[field] ?? {}, missing = Object.keys(defaults).filter((name) => held[name] === undefined).sort();
  if (missing.length === 0) return [];
  const resources: ResourceRequirements = { ...container.resources, [field]: { ...held } };
  for (const name of missing) resources[field]![name] = defaults[name]!;
  container.resources = resources;
  return missing;
}

function podErrors(pod: Pod, item: LimitRangeItem): string[] {
  const spec = pod.spec;
  if (spec === undefined) return [];
  if (item.type === "Container") return [...spec.containers, ...(spec.initContainers ?? [])].flatMap((container) => boundErrors(item, container.resources?.requests ?? {}, container.resources?.limits ?? {}, "all"));
  if (item.type !== "Pod") return [];
  return boundErrors(item, podTotal(pod, "requests"), podTotal(pod, "limits"), "all");
}

/** Of all containers together: those that run side by side added up, or the largest init container where that is more. */
function podTotal(pod: Pod, field: "requests" | "limits"): Amounts {
  const sum = new Map<string, Quantity | string>(), add = (to: Map<string, Quantity | string>, amounts: Amounts | undefined): void => {
    for (const [name, amount] of Object.entries(amounts ?? {})) to.set(name, to.has(name) ? addQuantity(to.get(name)!, amount) : amount);
  };
  const init = pod.spec?.initContainers ?? [];
  for (const container of [...(pod.spec?.containers ?? []), ...init.filter(isSidecar)]) add(sum, container.resources?.[field]);
  for (const container of init.filter((each) => !isSidecar(each))) {
    for (const [name, amount] of Object.entries(container.resources?.[field] ?? {})) if (!sum.has(name) || compareQuantity(amount, sum.get(name)!) > 0) sum.set(name, amount);
  }
  return Object.fromEntries([...sum].map(([name, amount]) => [name, typeof amount === "string" ? amount : formatQuantity(amount)]));
}

function boundErrors(item: LimitRangeItem, requests: Amounts, limits: Amounts, which: "all" | "minMax"): string[] {
  const errors: string[] = [], type = item.type;
  for (const [name, min] of Object.entries(item.min ?? {})) {
    const request = requests[name], limit = limits[name];
    if (request === undefined) errors.push(`minimum ${name} usage per ${type} is ${min}.  No request is specified`);
    else if (compareQuantity(request, min) < 0) errors.push(`minimum ${name} usage per ${type} is ${min}, but request is ${request}`);
    if (limit !== undefined && compareQuantity(limit, min) < 0) errors.push(`minimum ${name} usage per ${type} is ${min}, but limit is ${limit}`);
  }
  for (const [name, max] of Object.entries(item.max ?? {})) {
    const request = requests[name], limit = limits[name];
    if (which === "minMax") {
      if (request !== undefined && compareQuantity(request, max) > 0) errors.push(`maximum ${name} usage per ${type} is ${max}, but request is ${request}`);
      continue;
    }
    if (limit === undefined) errors.push(`maximum ${name} usage per ${type} is ${max}.  No limit is specified`);
    else if (compareQuantity(limit, max) > 0) errors.push(`maximum ${name} usage per ${type} is ${max}, but limit is ${limit}`);
    if (request !== undefined && compareQuantity(request, max) > 0) errors.push(`maximum ${name} usage per ${type} is ${max}, but request is ${request}`);
  }
  for (const [name, ratio] of Object.entries(item.maxLimitRequestRatio ?? {})) {
    const request = requests[name], limit = limits[name];
    if (request === undefined || milliValue(request) === 0) errors.push(`${name} max limit to request ratio per ${type} is ${ratio}, but no request is specified or request is 0`);
    else if (limit === undefined || milliValue(limit) === 0) errors.push(`${name} max limit to request ratio per ${type} is ${ratio}, but no limit is specified or limit is 0`);
    else if (milliValue(limit) / milliValue(request) > milliValue(ratio) / 1_000) errors.push(`${name} max limit to request ratio per ${type} is ${ratio}, but provided ratio is ${(milliValue(limit) / milliValue(request)).toFixed(6)}`);
  }
  return errors;
}
