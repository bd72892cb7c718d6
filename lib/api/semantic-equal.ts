/**
 * Equality of API objects as upstream means it: what Go would read as the same value is the same.
 *
 * An absent field, an empty list and an empty text are one; so are zero and absent where Go's type has no pointer;
 * quantities are equal by amount. Counterpart: apimachinery `api/equality.Semantic`.
 */
import { compareQuantity } from "./quantity.ts";

/** Texts that differ from their absence when empty. */
const POINTER_TEXTS = new Set(["storageClassName", "volumeAttributesClassName", "ingressClassName", "runtimeClassName", "hostnameOverride"]);
/** Numbers and booleans that are the same as their absence when zero or false. */
const PLAIN_ZEROES = new Set([
  "hostNetwork", "hostPID", "hostIPC", "stdin", "stdinOnce", "tty", "readOnly", "initialDelaySeconds", "hostPort", "minReadySeconds", "paused", "nodePort",
  "publishNotReadyAddresses", "healthCheckNodePort", "unschedulable", "weight", "port", "containerPort", "observedGeneration", "restartCount", "replicas", "Port", "generation", "resourceSliceCount",
]);
/** Structs Go always has, wherever the name occurs: an empty one is the same as none. */
const VALUE_STRUCTS = new Set([
  "metadata", "spec", "status", "template", "conditions", "resources", "strategy", "updateStrategy", "loadBalancer", "state", "lastState", "source", "deprecatedSource", "daemonEndpoints",
  "kubeletEndpoint", "nodeInfo", "jobTemplate", "names", "acceptedNames", "devices", "pool", "scaleTargetRef", "target", "metric", "current", "describedObject", "priorityLevelConfiguration", "userInfo",
]);
/** Maps from resource name to quantity, and single quantities. */
const QUANTITY_MAPS = new Set(["limits", "requests", "capacity", "allocatable", "allocatedResources", "hard", "used", "overhead", "podFixed", "default", "defaultRequest", "max", "min", "maxLimitRequestRatio"]);
const QUANTITIES = new Set(["sizeLimit", "divisor", "averageValue"]);

function isEmpty(value: unknown, key: string): boolean {
  if (value === undefined || value === null) return true;
  if (value === "") return !POINTER_TEXTS.has(key);
  if (value === "0") return key === "divisor"; // The one quantity Go always has.
  if (value === 0 || value === false) return PLAIN_ZEROES.has(key);
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value !== "object" || !VALUE_STRUCTS.has(key)) return false;
  for (const field in value) if (!isEmpty((value as Record<string, unknown>)[field], field)) return false;
  return true;
}

function quantitiesEqual(a: unknown, b: unknown): boolean {
  if (typeof a !== "string" && typeof a !== "number") return false;
  if (typeof b !== "string" && typeof b !== "number") return false;
  try {
    return compareQuantity(String(a), String(b)) === 0;
  } catch {
    return false; // Not quantities: equal texts were found equal before.
  }
}

/** `key` is the field the two values were found under. */
export function semanticEqual(a: unknown, b: unknown, key = "", isQuantity = QUANTITIES.has(key)): boolean {
  if (a === b) return true;
  if (isEmpty(a, key) || isEmpty(b, key)) return isEmpty(a, key) && isEmpty(b, key);
  if (isQuantity && typeof a !== "object") return quantitiesEqual(a, b);
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => semanticEqual(item, b[i]));
  }
  return objectsEqual(a as Record<string, unknown>, b as Record<string, unknown>, QUANTITY_MAPS.has(key));
}

function objectsEqual(a: Record<string, unknown>, b: Record<string, unknown>, areQuantities: boolean): boolean {
  for (const key in a) if (!semanticEqual(a[key], b[key], key, areQuantities || QUANTITIES.has(key))) return false;
  for (const key in b) if (!(key in a) && !isEmpty(b[key], key)) return false;
  return true;
}

const DIFFERENCES_MAX = 20;

/** The fields in which two values differ, one line each (`-` the old, `+` the new value), for messages. */
export function describeDifference(old: unknown, now: unknown, path = ""): string {
  const lines: string[] = [];
  collectDifferences(old, now, path, "", lines);
  const more = lines.length > DIFFERENCES_MAX ? `\n  … and ${lines.length - DIFFERENCES_MAX} more` : "";
  return lines.slice(0, DIFFERENCES_MAX).join("\n") + more;
}

function collectDifferences(old: unknown, now: unknown, path: string, key: string, lines: string[]): void {
  if (semanticEqual(old, now, key)) return;
  const bothObjects = typeof old === "object" && typeof now === "object" && old !== null && now !== null && Array.isArray(old) === Array.isArray(now);
  if (!bothObjects) {
    if (old !== undefined) lines.push(`- ${path}: ${JSON.stringify(old)}`);
    if (now !== undefined) lines.push(`+ ${path}: ${JSON.stringify(now)}`);
    return;
  }
  const a = old as Record<string, unknown>, b = now as Record<string, unknown>;
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    collectDifferences(a[name], b[name], Array.isArray(old) ? `${path}[${name}]` : path === "" ? name : `${path}.${name}`, name, lines);
  }
}
