/** The downward API: a pod's own fields and its containers' resources as text. Pure. Counterpart: `pkg/fieldpath` and `pkg/api/v1/resource`. */
import { formatQuantity, milliValue, parseQuantity, quantityValue } from "../api/quantity.ts";
import type { Container, Pod, ResourceFieldSelector } from "../api/schema/generated/models.ts";
import { findContainer, namespaceOf, uidOf } from "./pod-facts.ts";

export interface DownwardContext { readonly podIPs: readonly string[]; readonly hostIPs: readonly string[]; readonly nodeName: string; /** What stands for a limit that is not set. */ readonly allocatable: Readonly<Record<string, string>> }

const quote = (value: string): string => JSON.stringify(value);
const formatMap = (map: Readonly<Record<string, string>> | undefined): string => Object.keys(map ?? {}).sort().map((key) => `${key}=${quote(map![key]!)}`).join("\n");

/** The text of a field path such as `metadata.labels['app']` or `status.podIP`. Throws on one the API does not offer. */
export function fieldValue(pod: Pod, fieldPath: string, context: DownwardContext): string {
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(fieldPath);
  if (subscript !== null) return pod.metadata[subscript[1] as "labels" | "annotations"]?.[subscript[2]!] ?? "";
  switch (fieldPath) {
    case "metadata.name": return pod.metadata.name;
    case "metadata.namespace": return namespaceOf(pod);
    case "metadata.uid": return uidOf(pod);
    case "metadata.labels": return formatMap(pod.metadata.labels);
    case "metadata.annotations": return formatMap(pod.metadata.annotations);
    case "spec.nodeName": return pod.spec.nodeName ?? context.nodeName;
    case "spec.serviceAccountName": return pod.spec.serviceAccountName ?? "default";
    case "spec.restartPolicy": return pod.spec.restartPolicy ?? "Always";
    case "status.hostIP": return context.hostIPs[0] ?? "";
    case "status.hostIPs": return context.hostIPs.join(",");
    case "status.podIP": return context.podIPs[0] ?? "";
    case "status.podIPs": return context.podIPs.join(",");
    default: throw new Error(`unsupported fieldPath: ${fieldPath}`);
  }
}

const ceilDivide = (value: number, divisor: number): number => Math.ceil(value / divisor);

/** The text of a resource field such as `limits.cpu` in units of its divisor, rounded up. */
export function resourceValue(pod: Pod, selector: ResourceFieldSelector, own: Container | undefined, context: DownwardContext): string {
  const container = selector.containerName === undefined || selector.containerName === "" ? own : findContainer(pod, selector.containerName);
  if (container === undefined) throw new Error(`container ${selector.containerName ?? ""} not found`);
  const [list, ...rest] = selector.resource.split("."), name = rest.join(".");
  if ((list !== "limits" && list !== "requests") || name === "") throw new Error(`Unsupported container resource : ${selector.resource}`);
  const limit = container.resources?.limits?.[name];
  const quantity = list === "limits" ? (limit ?? context.allocatable[name]) : (container.resources?.requests?.[name] ?? limit);
  const divisor = selector.divisor === undefined || quantityValue(selector.divisor) === 0 && milliValue(selector.divisor) === 0 ? "1" : selector.divisor;
  if (quantity === undefined) return "0";
  if (name === "cpu") return String(ceilDivide(milliValue(quantity), milliValue(divisor)));
  return String(ceilDivide(quantityValue(formatQuantity(parseQuantity(quantity))), quantityValue(divisor)));
}
