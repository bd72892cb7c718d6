/** Containers, init containers and ephemeral containers. Counterpart: `validateContainers` and siblings in kubernetes `apis/core/validation`. */
import { duplicate, forbiddenField, invalid, notFoundValue, notSupported, required } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import type { Container, ContainerPort, ContainerResizePolicy, EphemeralContainer, PodSpec, Volume } from "../schema/generated/models.ts";
import { checkAllowedFields, checkDnsLabel, checkOneOf, checkPortNum, type Errors } from "../validation/checks.ts";
import { isValidPortName } from "../validation/names.ts";
import { checkEnv, checkEnvFrom } from "./env-validation.ts";
import { checkLifecycle, checkProbe, type ProbeKind } from "./probe-validation.ts";
import { checkResourceRequirements } from "./resource-requirements-validation.ts";
import { checkSecurityContext } from "./security-context-validation.ts";
import { checkVolumeDevices, checkVolumeMounts } from "./volume-mount-validation.ts";

/** What of the pod its containers are checked against. */
export interface PodFacts {
  readonly spec: PodSpec;
  readonly volumes: ReadonlyMap<string, Volume>;
  readonly claimNames: ReadonlySet<string>;
  readonly graceSeconds: number | undefined;
}

export const PULL_POLICIES: readonly string[] = ["Always", "IfNotPresent", "Never"];
const PROTOCOLS = ["SCTP", "TCP", "UDP"];
const PROBES: readonly ProbeKind[] = ["livenessProbe", "readinessProbe", "startupProbe"];
const EPHEMERAL_FIELDS = new Set([
  "name", "image", "command", "args", "workingDir", "envFrom", "env", "volumeMounts", "volumeDevices", "terminationMessagePath", "terminationMessagePolicy",
  "imagePullPolicy", "securityContext", "stdin", "stdinOnce", "tty", "targetContainerName",
]);

export function checkContainers(errors: Errors, path: FieldPath, containers: readonly Container[], pod: PodFacts): void {
  if (containers.length === 0) {
    errors.push(required(path));
    return;
  }
  const names = new Set<string>();
  for (let i = 0; i < containers.length; i++) {
    const container = containers[i]!, at = path.index(i);
    checkCommon(errors, at, container, pod);
    if (names.has(container.name)) errors.push(duplicate(at.child("name"), container.name));
    names.add(container.name);
    checkHooks(errors, at, container, pod);
    checkRestartPolicy(errors, at, container, ["Always", "Never", "OnFailure"]);
  }
  checkHostPortConflicts(errors, path, containers);
}

export function checkInitContainers(errors: Errors, path: FieldPath, containers: readonly Container[], pod: PodFacts): void {
  const names = new Set((pod.spec.containers ?? []).map((container) => container.name));
  containers.forEach((container, i) => {
    const at = path.index(i);
    checkCommon(errors, at, container, pod);
    checkRestartPolicy(errors, at, container, ["Always", "Never", "OnFailure"]);
    if (names.has(container.name)) errors.push(duplicate(at.child("name"), container.name));
    else if ((container.name ?? "") !== "") names.add(container.name);
    checkHostPortConflicts(errors, path, [container]);
    if (container.restartPolicy === "Always") checkHooks(errors, at, container, pod);
    else for (const field of ["lifecycle", ...PROBES] as const) {
      if (container[field] !== undefined) errors.push(forbiddenField(at.child(field), "may not be set for init containers without restartPolicy=Always"));
    }
  });
}

export function checkEphemeralContainers(errors: Errors, path: FieldPath, containers: readonly EphemeralContainer[], pod: PodFacts): void {
  const others = new Set([...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])].map((container) => container.name)), names = new Set(others);
  containers.forEach((container, i) => {
    const at = path.index(i), target = container.targetContainerName ?? "";
    checkCommon(errors, at, container, pod);
    checkImageSpaces(errors, at, container);
    if (names.has(container.name)) errors.push(duplicate(at.child("name"), container.name));
    names.add(container.name);
    if (target !== "" && !others.has(target)) errors.push(notFoundValue(at.child("targetContainerName"), target));
    checkAllowedFields(errors, at, container, EPHEMERAL_FIELDS, "cannot be set for an Ephemeral Container");
    container.volumeMounts?.forEach((mount, j) => {
      for (const field of ["subPath", "subPathExpr"] as const) if ((mount[field] ?? "") !== "") errors.push(forbiddenField(at.child("volumeMounts").index(j).child(field), "cannot be set for an Ephemeral Container"));
    });
  });
}

/** Asked of pods only: templates that were accepted before the rule stay valid. */
export function checkImageSpaces(errors: Errors, path: FieldPath, container: Pick<Container, "image">): void {
  const image = container.image ?? "";
  if (image.length !== image.trim().length) errors.push(invalid(path.child("image"), image, "must not have leading or trailing whitespace"));
}

function checkCommon(errors: Errors, path: FieldPath, container: Container | EphemeralContainer, pod: PodFacts): void {
  if ((container.name ?? "") === "") errors.push(required(path.child("name")));
  else checkDnsLabel(errors, path.child("name"), container.name);
  if ((container.image ?? "") === "") errors.push(required(path.child("image")));
  checkOneOf(errors, path.child("terminationMessagePolicy"), container.terminationMessagePolicy, ["File", "FallbackToLogsOnError"]);
  if (container.ports !== undefined) checkPorts(errors, path.child("ports"), container.ports);
  if (container.env !== undefined) checkEnv(errors, path.child("env"), container.env);
  if (container.envFrom !== undefined) checkEnvFrom(errors, path.child("envFrom"), container.envFrom);
  if (container.volumeMounts !== undefined) checkVolumeMounts(errors, path.child("volumeMounts"), container.volumeMounts, container, pod.volumes);
  if (container.volumeDevices !== undefined) checkVolumeDevices(errors, path.child("volumeDevices"), container.volumeDevices, container, pod.volumes);
  checkOneOf(errors, path.child("imagePullPolicy"), container.imagePullPolicy, PULL_POLICIES);
  checkResourceRequirements(errors, path.child("resources"), container.resources, pod.claimNames);
  if (container.resizePolicy !== undefined) checkResizePolicies(errors, path.child("resizePolicy"), container.resizePolicy, pod.spec.restartPolicy);
  if (container.securityContext !== undefined) checkSecurityContext(errors, path.child("securityContext"), container.securityContext, pod.spec.hostUsers !== false);
}

function checkPorts(errors: Errors, path: FieldPath, ports: readonly ContainerPort[]): void {
  const names = new Set<string>();
  for (let i = 0; i < ports.length; i++) {
    const port = ports[i]!, at = path.index(i), name = port.name ?? "";
    if (name !== "") {
      const faults = isValidPortName(name);
      for (const fault of faults) errors.push(invalid(at.child("name"), name, fault));
      if (faults.length === 0 && names.has(name)) errors.push(duplicate(at.child("name"), name));
      if (faults.length === 0) names.add(name);
    }
    if ((port.containerPort ?? 0) === 0) errors.push(required(at.child("containerPort")));
    else checkPortNum(errors, at.child("containerPort"), port.containerPort);
    if ((port.hostPort ?? 0) !== 0) checkPortNum(errors, at.child("hostPort"), port.hostPort);
    checkOneOf(errors, at.child("protocol"), port.protocol, PROTOCOLS);
  }
}

/** Lifecycle and probes, of containers that stay. */
function checkHooks(errors: Errors, path: FieldPath, container: Container, pod: PodFacts): void {
  if (container.lifecycle !== undefined) checkLifecycle(errors, path.child("lifecycle"), container.lifecycle, pod.graceSeconds, pod.spec.os?.name);
  for (const kind of PROBES) {
    const probe = container[kind];
    if (probe !== undefined) checkProbe(errors, path.child(kind), probe, kind, pod.graceSeconds);
  }
}

const RULES_MAX = 20;
const EXIT_CODES_MAX = 255;
/** A container's own restart policy and the exit codes that override it. */
function checkRestartPolicy(errors: Errors, path: FieldPath, container: Container, supported: readonly string[]): void {
  const { restartPolicy, restartPolicyRules: rules } = container;
  if (restartPolicy !== undefined && !supported.includes(restartPolicy)) errors.push(notSupported(path.child("restartPolicy"), restartPolicy, supported));
  if (rules === undefined || rules.length === 0) return;
  if (restartPolicy === undefined) errors.push(required(path.child("restartPolicy"), "must specify restartPolicy when restart rules are used"));
  if (rules.length > RULES_MAX) errors.push(invalid(path.child("restartPolicyRules"), rules.length, `must have at most ${RULES_MAX} rules`));
  rules.forEach((rule, i) => {
    const at = path.child("restartPolicyRules").index(i);
    checkOneOf(errors, at.child("action"), rule.action, ["Restart", "RestartAllContainers"]);
    if (rule.exitCodes === undefined) {
      errors.push(required(at.child("exitCodes"), "must be specified"));
      return;
    }
    checkOneOf(errors, at.child("exitCodes", "operator"), rule.exitCodes.operator, ["In", "NotIn"]);
    if ((rule.exitCodes.values?.length ?? 0) > EXIT_CODES_MAX) errors.push(invalid(at.child("exitCodes", "values"), rule.exitCodes.values!.length, `must have at most ${EXIT_CODES_MAX} values`));
  });
}

function checkResizePolicies(errors: Errors, path: FieldPath, policies: readonly ContainerResizePolicy[], podRestartPolicy: string | undefined): void {
  const seen = new Set<string>();
  policies.forEach(({ resourceName, restartPolicy }, i) => {
    if (seen.has(resourceName)) errors.push(duplicate(path.index(i), resourceName));
    seen.add(resourceName);
    checkOneOf(errors, path, resourceName, ["cpu", "memory"]);
    checkOneOf(errors, path, restartPolicy, ["NotRequired", "RestartContainer"]);
    if (podRestartPolicy === "Never" && restartPolicy !== "NotRequired") errors.push(invalid(path, restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'"));
  });
}

function checkHostPortConflicts(errors: Errors, path: FieldPath, containers: readonly Container[]): void {
  let seen: Set<string> | undefined;
  containers.forEach((container, i) => container.ports?.forEach((port, j) => {
    if ((port.hostPort ?? 0) === 0) return;
    const key = `${port.protocol}/${port.hostIP ?? ""}/${port.hostPort}`;
    if (seen?.has(key) === true) errors.push(duplicate(path.index(i).child("ports").index(j).child("hostPort"), key));
    else (seen ??= new Set()).add(key);
  }));
}
