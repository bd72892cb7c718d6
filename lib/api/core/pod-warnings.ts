/** What is accepted in a pod but likely not meant. Counterpart: kubernetes `api/pod/warnings.go`. */
import { FieldPath, SPEC } from "../field-path.ts";
import { aggregateContainerRequests } from "../helpers/pod-resources.ts";
import { isHugePageName } from "../helpers/resource-names.ts";
import { compareQuantity, milliValue } from "../quantity.ts";
import type { Container, ContainerPort, ObjectMeta, Pod, PodSpec } from "../schema/generated/models.ts";
import { isDns1123Label } from "../validation/names.ts";

const DEPRECATED_NODE_LABELS: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/arch": "use \"kubernetes.io/arch\" instead", "beta.kubernetes.io/os": "use \"kubernetes.io/os\" instead",
  "failure-domain.beta.kubernetes.io/region": "use \"topology.kubernetes.io/region\" instead", "failure-domain.beta.kubernetes.io/zone": "use \"topology.kubernetes.io/zone\" instead",
  "beta.kubernetes.io/instance-type": "use \"node.kubernetes.io/instance-type\" instead",
};
const DEPRECATED_ANNOTATIONS: Readonly<Record<string, string>> = {
  "scheduler.alpha.kubernetes.io/critical-pod": "non-functional in v1.16+; use the \"priorityClassName\" field instead",
  "security.alpha.kubernetes.io/sysctls": "non-functional in v1.11+; use the \"sysctls\" field instead",
  "security.alpha.kubernetes.io/unsafe-sysctls": "non-functional in v1.11+; use the \"sysctls\" field instead",
};
const REMOVED_VOLUMES: Readonly<Record<string, string>> = {
  glusterfs: "deprecated in v1.25, non-functional in v1.26+", scaleIO: "deprecated in v1.16, non-functional in v1.22+", flocker: "deprecated in v1.22, non-functional in v1.25+",
  storageos: "deprecated in v1.22, non-functional in v1.25+", quobyte: "deprecated in v1.22, non-functional in v1.25+", cephfs: "deprecated in v1.28, non-functional in v1.31+", rbd: "deprecated in v1.28, non-functional in v1.31+",
  photonPersistentDisk: "deprecated in v1.11, non-functional in v1.16+", gitRepo: "deprecated in v1.11, and disabled by default in v1.33+",
};

const warn = (warnings: string[], path: FieldPath, text: string): void => void warnings.push(`${path.toString()}: ${text}`);

export function podWarnings(pod: Pod, old: Pod | undefined): string[] {
  if (old !== undefined) return [];
  const warnings: string[] = [], faults = isDns1123Label(pod.metadata.name ?? "");
  if (faults.length > 0) warnings.push(`metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [${faults.join(" ")}]`);
  return [...warnings, ...podSpecWarnings(SPEC, pod.spec ?? { containers: [] }, pod.metadata, FieldPath.of("metadata"))];
}

/** Of a pod, or of a template (`spec.template.spec`). */
export function podSpecWarnings(path: FieldPath, spec: PodSpec, meta: ObjectMeta | undefined, metaPath: FieldPath): string[] {
  const warnings: string[] = [];
  for (const key in spec.nodeSelector) if (Object.hasOwn(DEPRECATED_NODE_LABELS, key)) warn(warnings, path.child("nodeSelector").key(key), `deprecated since v1.14; ${DEPRECATED_NODE_LABELS[key]}`);
  for (const key in meta?.annotations) if (Object.hasOwn(DEPRECATED_ANNOTATIONS, key)) warn(warnings, metaPath.child("annotations").key(key), `${DEPRECATED_ANNOTATIONS[key]}`);
  volumeWarnings(warnings, path, spec);
  duplicateNames(warnings, spec.hostAliases, (alias) => alias.ip, (alias) => `${path.child("hostAliases").index(spec.hostAliases!.indexOf(alias)).child("ip").toString()}: duplicate ip ${JSON.stringify(alias.ip)}`);
  const pullSecrets = new Set<string | undefined>();
  spec.imagePullSecrets?.forEach(({ name }, i) => {
    if ((name ?? "") === "") warn(warnings, path.child("imagePullSecrets").index(i).child("name"), `invalid empty name ""`);
    else if (pullSecrets.has(name)) warn(warnings, path.child("imagePullSecrets").index(i).child("name"), `duplicate name ${JSON.stringify(name)}`);
    pullSecrets.add(name);
  });
  if (spec.overhead !== undefined) fractionWarnings(warnings, path.child("overhead"), spec.overhead);
  for (const list of ["initContainers", "containers"] as const) spec[list]?.forEach((container, i) => containerWarnings(warnings, path.child(list).index(i), container));
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) warn(warnings, path.child("terminationGracePeriodSeconds"), `must be >= 0; negative values are invalid and will be treated as 1`);
  if (spec.topologySpreadConstraints !== undefined) spreadWarnings(warnings, path, spec);
  if (spec.resources?.limits !== undefined) for (const [name, amount] of Object.entries(aggregateContainerRequests(spec))) {
    const limit = spec.resources.limits[name];
    if (limit !== undefined && isHugePageName(name) && compareQuantity(amount, limit) > 0) warn(warnings, path.child("resources", "limits").key(name), `lower than the requests of the containers`);
  }
  return warnings;
}

function duplicateNames<T>(warnings: string[], items: readonly T[] | undefined, key: (item: T) => unknown, text: (item: T) => string): void {
  const seen = new Set<unknown>();
  for (const item of items ?? []) {
    if (seen.has(key(item))) warnings.push(text(item));
    seen.add(key(item));
  }
}

function volumeWarnings(warnings: string[], path: FieldPath, spec: PodSpec): void {
  spec.volumes?.forEach((volume, i) => {
    for (const kind in volume) if (REMOVED_VOLUMES[kind] !== undefined) warn(warnings, path.child("volumes").index(i).child(kind), `${REMOVED_VOLUMES[kind]}`);
    if (volume.ephemeral?.volumeClaimTemplate?.spec?.resources?.requests !== undefined) fractionWarnings(warnings, path.child("volumes").index(i).child("ephemeral", "volumeClaimTemplate", "spec", "resources", "requests"), volume.ephemeral.volumeClaimTemplate.spec.resources.requests);
  });
}

/** Bytes come whole. */
function fractionWarnings(warnings: string[], path: FieldPath, amounts: Readonly<Record<string, string>>): void {
  for (const name of ["memory", "ephemeral-storage", "storage"]) {
    const amount = amounts[name];
    if (amount !== undefined && milliValue(amount) % 1000 !== 0) warn(warnings, path.key(name), `fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`);
  }
}

function containerWarnings(warnings: string[], path: FieldPath, container: Container): void {
  if (container.resources?.limits !== undefined) fractionWarnings(warnings, path.child("resources", "limits"), container.resources.limits);
  if (container.resources?.requests !== undefined) fractionWarnings(warnings, path.child("resources", "requests"), container.resources.requests);
  const names = new Set<string | undefined>(), ports = new Map<string, ContainerPort[]>(), firstPorts = new Map<string, number>();
  container.env?.forEach((variable, i) => {
    const isSecond = names.has(variable.name);
    names.add(variable.name);
    if (isSecond && !(variable.value ?? "").includes(`$(${variable.name})`)) warn(warnings, path.child("env").index(i), `hides previous definition of ${JSON.stringify(variable.name)}, which may be dropped when using apply`);
  });
  container.ports?.forEach((port, i) => {
    const number = JSON.stringify([port.containerPort, port.protocol]), first = firstPorts.get(number), earlier = ports.get(number) ?? [];
    if (earlier.some((other) => (other.hostPort ?? 0) === (port.hostPort ?? 0) && (other.hostIP ?? "") === (port.hostIP ?? ""))) {
      warn(warnings, path.child("ports").index(i), `duplicate port definition with ${path.child("ports").index(first!).toString()}`);
      return; // It is among the earlier ones already.
    }
    if (first === undefined) firstPorts.set(number, i);
    ports.set(number, [...earlier, port]);
  });
}

function spreadWarnings(warnings: string[], path: FieldPath, spec: PodSpec): void {
  spec.topologySpreadConstraints!.forEach((constraint, i) => {
    const deprecated = Object.hasOwn(DEPRECATED_NODE_LABELS, constraint.topologyKey ?? "") ? DEPRECATED_NODE_LABELS[constraint.topologyKey] : undefined;
    if (deprecated !== undefined) warn(warnings, path.child("topologySpreadConstraints").index(i).child("topologyKey"), `${constraint.topologyKey} is deprecated since v1.17; ${deprecated}`);
    if (constraint.labelSelector === undefined) warn(warnings, path.child("topologySpreadConstraints").index(i).child("labelSelector"), `a null labelSelector results in matching no pod`);
  });
}
