/**
 * What may change in a pod: by an update, by its ephemeral containers, by resizing.
 * Counterpart: `ValidatePodUpdate`, `ValidatePodEphemeralContainersUpdate`, `ValidatePodResize` in kubernetes `apis/core/validation`.
 * Differs: the difference told after a refusal is a list of fields, not Go's dump of the structs.
 */
import { forbiddenField, invalid, required, type FieldError } from "../field-error.ts";
import { SPEC, type FieldPath } from "../field-path.ts";
import { computePodQos } from "../helpers/pod-qos.ts";
import { isSidecar } from "../helpers/pod-resources.ts";
import { compareQuantity } from "../quantity.ts";
import type { Container, NodeAffinity, Pod, PodSpec, ResourceRequirements, Toleration } from "../schema/generated/models.ts";
import { describeDifference, semanticEqual } from "../semantic-equal.ts";
import type { Errors } from "../validation/checks.ts";
import { inclusiveRangeError } from "../validation/names.ts";
import { MIRROR_POD } from "./pod-annotation-validation.ts";
import { checkTolerations } from "./scheduling-validation.ts";

const UPDATABLE = [
  "`spec.containers[*].image`", "`spec.initContainers[*].image`", "`spec.activeDeadlineSeconds`", "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
].join(",");
const INT32_MAX = 2 ** 31 - 1;

/** The spec of an ordinary update. */
export function checkPodSpecUpdate(errors: Errors, spec: PodSpec, old: PodSpec): void {
  if (spec === old) return;
  for (const list of ["containers", "initContainers"] as const) if (!checkSameContainers(errors, SPEC.child(list), spec[list] ?? [], old[list] ?? [])) return;
  if (!checkDeadlineUpdate(errors, spec.activeDeadlineSeconds, old.activeDeadlineSeconds)) return;
  checkOnlyAddedTolerations(errors, spec.tolerations ?? [], old.tolerations ?? []);
  checkOnlyDeletedGates(errors, spec, old);
  if (semanticEqual(spec, old)) return;
  const compared = structuredClone(spec);
  takeUpdatable(compared, old);
  if ((old.schedulingGates ?? []).length > 0) takeGatedChanges(errors, compared, old);
  if (!semanticEqual(compared, old)) errors.push(forbiddenField(SPEC, `pod updates may not change fields other than ${UPDATABLE}\n${describeDifference(old, compared, "spec")}`));
}

function checkSameContainers(errors: Errors, path: FieldPath, containers: readonly Container[], old: readonly Container[]): boolean {
  if (containers.length !== old.length) {
    errors.push(forbiddenField(path, "pod updates may not add or remove containers"));
    return false;
  }
  containers.forEach(({ image = "" }, i) => {
    if (image === "") errors.push(required(path.index(i).child("image")));
    if (image.trim() !== image) errors.push(invalid(path.index(i).child("image"), image, "must not have leading or trailing whitespace"));
  });
  return true;
}

/** It may be set once and then only shortened. Returns whether to go on. */
function checkDeadlineUpdate(errors: Errors, deadline: number | undefined, old: number | undefined): boolean {
  const path = SPEC.child("activeDeadlineSeconds");
  if (deadline === undefined) {
    if (old !== undefined) errors.push(invalid(path, undefined, "must not update from a positive integer to nil value"));
    return true;
  }
  if (deadline < 0 || deadline > INT32_MAX) errors.push(invalid(path, deadline, inclusiveRangeError(0, INT32_MAX)));
  else if (old !== undefined && old < deadline) errors.push(invalid(path, deadline, "must be less than or equal to previous value"));
  else return true;
  return false;
}

function checkOnlyAddedTolerations(errors: Errors, tolerations: readonly Toleration[], old: readonly Toleration[]): void {
  const path = SPEC.child("tolerations");
  const matching = ({ key = "", operator = "", value = "", effect = "" }: Toleration): string => JSON.stringify([key, operator, value, effect]), now = new Set(tolerations.map(matching));
  if (!old.every((was) => now.has(matching(was)))) errors.push(forbiddenField(path, "existing toleration can not be modified except its tolerationSeconds"));
  else checkTolerations(errors, path, tolerations);
}

function checkOnlyDeletedGates(errors: Errors, spec: PodSpec, old: PodSpec): void {
  const before = new Set((old.schedulingGates ?? []).map((gate) => gate.name));
  spec.schedulingGates?.forEach(({ name }, i) => {
    if (!before.has(name)) errors.push(forbiddenField(SPEC.child("schedulingGates").index(i).child("name"), `only deletion is allowed, but found new scheduling gate '${name}'`));
  });
}

function takeUpdatable(compared: PodSpec, old: PodSpec): void {
  compared.containers?.forEach((container, i) => (container.image = old.containers[i]!.image));
  compared.initContainers?.forEach((container, i) => (container.image = old.initContainers![i]!.image));
  compared.activeDeadlineSeconds = old.activeDeadlineSeconds;
  compared.schedulingGates = old.schedulingGates;
  compared.tolerations = old.tolerations;
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && compared.terminationGracePeriodSeconds === 1) compared.terminationGracePeriodSeconds = old.terminationGracePeriodSeconds;
}

/** A pod that waits behind gates may have where it runs narrowed. */
function takeGatedChanges(errors: Errors, compared: PodSpec, old: PodSpec): void {
  if (!semanticEqual(compared.nodeSelector, old.nodeSelector)) {
    const isNarrowed = Object.entries(old.nodeSelector ?? {}).every(([key, value]) => compared.nodeSelector?.[key] === value);
    if (!isNarrowed) errors.push(invalid(SPEC.child("nodeSelector"), compared.nodeSelector, "only additions to spec.nodeSelector are allowed (no mutations or deletions)"));
    compared.nodeSelector = old.nodeSelector;
  }
  const affinity = compared.affinity?.nodeAffinity, oldAffinity = old.affinity?.nodeAffinity;
  if (semanticEqual(affinity, oldAffinity)) return;
  checkAffinityNarrowed(errors, affinity, oldAffinity);
  if (compared.affinity === undefined) compared.affinity = { nodeAffinity: oldAffinity };
  else if (old.affinity === undefined && compared.affinity.podAffinity === undefined && compared.affinity.podAntiAffinity === undefined) compared.affinity = undefined;
  else compared.affinity.nodeAffinity = oldAffinity;
}

function checkAffinityNarrowed(errors: Errors, affinity: NodeAffinity | undefined, old: NodeAffinity | undefined): void {
  const kind = "requiredDuringSchedulingIgnoredDuringExecution", was = old?.[kind]?.nodeSelectorTerms ?? [], now = affinity?.[kind]?.nodeSelectorTerms ?? [];
  if (was.length === 0) return;
  const path = SPEC.child("affinity", "nodeAffinity", kind, "nodeSelectorTerms");
  if (was.length !== now.length) {
    errors.push(invalid(path, now, "no additions/deletions to non-empty NodeSelectorTerms list are allowed"));
    return;
  }
  was.forEach((oldTerm, i) => {
    const lists = ["matchExpressions", "matchFields"] as const, wasEmpty = lists.every((list) => (oldTerm[list] ?? []).length === 0);
    const isFine = wasEmpty
      ? lists.every((list) => (now[i]![list] ?? []).length === 0)
      : lists.every((list) => semanticEqual((now[i]![list] ?? []).slice(0, (oldTerm[list] ?? []).length), oldTerm[list] ?? []));
    if (!isFine) errors.push(invalid(path.index(i), now[i], "only additions are allowed (no mutations or deletions)"));
  });
}

/** Ephemeral containers may only be added. */
export function checkEphemeralUpdate(errors: Errors, pod: Pod, old: Pod): FieldError[] {
  if (old.metadata.annotations?.[MIRROR_POD] !== undefined) return [forbiddenField("", "static pods do not support ephemeral containers")];
  const path = SPEC.child("ephemeralContainers");
  for (const was of old.spec?.ephemeralContainers ?? []) {
    const now = pod.spec?.ephemeralContainers?.find((container) => container.name === was.name);
    if (now === undefined) errors.push(forbiddenField(path, `existing ephemeral containers ${JSON.stringify(was.name)} may not be removed\n`));
    else if (!semanticEqual(was, now)) errors.push(forbiddenField(path, `existing ephemeral containers ${JSON.stringify(was.name)} may not be changed\n${describeDifference(was, now)}`));
  }
  return errors;
}

const RESIZABLE = ["cpu", "memory"] as const;

/** Only cpu and memory of containers and sidecars change, nothing is taken away, and the QoS class stays. */
export function checkResize(errors: Errors, pod: Pod, old: Pod): FieldError[] {
  const spec = pod.spec!, was = old.spec!;
  if (old.metadata.annotations?.[MIRROR_POD] !== undefined) return [forbiddenField("", "static pods cannot be resized")];
  if (was.os?.name === "windows") return [forbiddenField("", "windows pods cannot be resized")];
  if (computePodQos(was) !== computePodQos(spec)) errors.push(invalid(SPEC, pod.status?.qosClass ?? "", "Pod QOS Class may not change as a result of resizing"));
  const running = old.status?.containerStatuses?.find((status) => status.state?.running !== undefined);
  if (running !== undefined && running.resources === undefined) errors.push(forbiddenField(SPEC, "Pod running on node without support for resize"));
  for (const list of ["containers", "initContainers"] as const) {
    if (!checkSameContainers(errors, SPEC.child(list), spec[list] ?? [], was[list] ?? [])) return errors;
    was[list]?.forEach((oldContainer, i) => checkContainerResize(errors, SPEC.child(list).index(i).child("resources"), spec[list]![i]!, oldContainer, list === "initContainers"));
  }
  return errors;
}

function checkContainerResize(errors: Errors, path: FieldPath, container: Container, old: Container, isInit: boolean): void {
  if (isInit && !isSidecar(old)) {
    if (!semanticEqual(container, old)) errors.push(forbiddenField(SPEC, "resources for non-sidecar init containers are immutable"));
    return;
  }
  for (const list of ["requests", "limits"] as const) {
    const kept = Object.keys(old.resources?.[list] ?? {}).every((name) => container.resources?.[list]?.[name] !== undefined);
    if (!kept) errors.push(forbiddenField(path.child(list), `resource ${list} cannot be removed`));
  }
  checkMemoryLimit(errors, path, container, old);
  if (!semanticEqual({ ...container, resources: withoutResizable(container.resources), resizePolicy: undefined }, { ...old, resources: withoutResizable(old.resources), resizePolicy: undefined })) {
    errors.push(forbiddenField(SPEC, `only cpu and memory resources${isInit ? " for sidecar containers" : ""} are mutable`));
  }
}

function withoutResizable(resources: ResourceRequirements | undefined): ResourceRequirements {
  const strip = (amounts: Record<string, string> | undefined): Record<string, string> => Object.fromEntries(Object.entries(amounts ?? {}).filter(([name]) => !(RESIZABLE as readonly string[]).includes(name)));
  return { limits: strip(resources?.limits), requests: strip(resources?.requests), claims: resources?.claims };
}

function checkMemoryLimit(errors: Errors, path: FieldPath, container: Container, old: Container): void {
  const policy = container.resizePolicy?.find((p) => p.resourceName === "memory")?.restartPolicy ?? "NotRequired";
  const limit = container.resources?.limits?.["memory"], oldLimit = old.resources?.limits?.["memory"];
  if (policy !== "NotRequired" || limit === undefined) return;
  if (oldLimit === undefined) errors.push(forbiddenField(path.child("limits").key("memory"), "memory limits cannot be added unless resizePolicy is RestartContainer"));
  else if (compareQuantity(limit, oldLimit) < 0) errors.push(forbiddenField(path.child("limits").key("memory"), "memory limits cannot be decreased unless resizePolicy is RestartContainer"));
}
