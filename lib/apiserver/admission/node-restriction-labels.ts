/** What a kubelet may write of its own Node: no foreign Node, no taints, no labels that would draw workloads to it. Counterpart: `plugin/pkg/admission/noderestriction` and `kubelet/pkg/apis`. */
import { isDeepStrictEqual } from "node:util";
import type { Node } from "../../api/schema/generated/models.ts";
import type { AdmissionAttributes } from "../contracts.ts";
import { admissionForbidden, admittedName } from "./admission-error.ts";

const KUBELET_LABELS = new Set([
  "kubernetes.io/hostname", "kubernetes.io/os", "kubernetes.io/arch", "beta.kubernetes.io/os", "beta.kubernetes.io/arch", "node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type",
  "topology.kubernetes.io/zone", "topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region",
]);
const inDomain = (namespace: string, domain: string): boolean => namespace === domain || namespace.endsWith(`.${domain}`);

function isForbiddenLabel(label: string): boolean {
  const slash = label.indexOf("/"), namespace = slash < 0 ? "" : label.slice(0, slash);
  if (inDomain(namespace, "node-restriction.kubernetes.io")) return true;
  if (!inDomain(namespace, "kubernetes.io") && !inDomain(namespace, "k8s.io")) return false;
  return !KUBELET_LABELS.has(label) && !inDomain(namespace, "kubelet.kubernetes.io") && !inDomain(namespace, "node.kubernetes.io");
}

/** Labels that differ between the two, among those a node may not set. */
export function forbiddenLabelChanges(labels: Readonly<Record<string, string>>, old: Readonly<Record<string, string>>): string[] {
  return [...new Set([...Object.keys(labels), ...Object.keys(old)])].filter((label) => labels[label] !== old[label] && isForbiddenLabel(label)).sort();
}

/** Throws Forbidden when `node` may not write this Node. */
export function checkNodeWrite(node: string, attributes: AdmissionAttributes): void {
  const name = admittedName(attributes), who = `node ${JSON.stringify(node)}`;
  if (name !== node) throw admissionForbidden(attributes, `${who} is not allowed to modify node ${JSON.stringify(name)}`);
  if (attributes.operation !== "CREATE" && attributes.operation !== "UPDATE") return;
  const written = attributes.object as Node, old = attributes.oldObject as Node | undefined;
  const labels = forbiddenLabelChanges(written.metadata.labels ?? {}, old?.metadata.labels ?? {});
  if (attributes.operation === "CREATE") {
    if (labels.length > 0) throw admissionForbidden(attributes, `${who} is not allowed to set the following labels: ${labels.join(", ")}`);
    return;
  }
  if (!isDeepStrictEqual(written.spec?.taints ?? [], old?.spec?.taints ?? [])) throw admissionForbidden(attributes, `${who} is not allowed to modify taints`);
  if (labels.length > 0) throw admissionForbidden(attributes, `${who} is not allowed to modify labels: ${labels.join(", ")}`);
  if (!isDeepStrictEqual(written.metadata.ownerReferences ?? [], old?.metadata.ownerReferences ?? [])) throw admissionForbidden(attributes, `${who} is not allowed to modify ownerReferences`);
}
