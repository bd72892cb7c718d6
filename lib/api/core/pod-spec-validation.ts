/** A pod's spec, in a pod and in every template of one. Counterpart: `ValidatePodSpec` in kubernetes `apis/core/validation`. */
import { duplicate, forbiddenField, invalid, notSupported, required } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { aggregateContainerRequests } from "../helpers/pod-resources.ts";
import { canonicalQuantity, compareQuantity } from "../quantity.ts";
import type { ObjectMeta, PodDNSConfig, PodResourceClaim, PodSpec, PodSchedulingGate } from "../schema/generated/models.ts";
import { checkDnsLabel, checkDnsSubdomain, checkLabelKey, checkOneOf, checkText, type Errors } from "../validation/checks.ts";
import { checkCanonicalIp } from "../validation/ip.ts";
import { checkLabels } from "../validation/labels.ts";
import { inclusiveRangeError, isDns1123SubdomainWithUnderscore } from "../validation/names.ts";
import { checkContainers, checkEphemeralContainers, checkInitContainers, type PodFacts } from "./container-validation.ts";
import { checkForOs, checkHostProcess } from "./pod-os-validation.ts";
import { checkPodResourceName, checkResourceRequirements } from "./resource-requirements-validation.ts";
import { checkAffinity, checkTolerations, checkTopologySpread } from "./scheduling-validation.ts";
import { checkPodSecurityContext } from "./security-context-validation.ts";
import { checkVolumes } from "./volume-validation.ts";

export interface PodSpecRules {
  /** Of the pod itself; absent for a template. */
  readonly podMeta: ObjectMeta | undefined;
  /** False for the templates of workloads, which are held to a little less. */
  readonly isPod: boolean;
}

const INT32_MAX = 2 ** 31 - 1;
const DNS_POLICIES = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
const RESTART_POLICIES = ["Always", "OnFailure", "Never"];
const NO_NAMES: ReadonlySet<string> = new Set();

export function checkPodSpec(errors: Errors, path: FieldPath, spec: PodSpec, rules: PodSpecRules): void {
  if (spec.terminationGracePeriodSeconds === undefined) errors.push(required(path.child("terminationGracePeriodSeconds")));
  const volumes = checkVolumes(errors, path.child("volumes"), spec, rules);
  const claimNames = spec.resourceClaims === undefined ? NO_NAMES : checkPodClaims(errors, path.child("resourceClaims"), spec.resourceClaims);
  const pod: PodFacts = { spec, volumes, claimNames, graceSeconds: spec.terminationGracePeriodSeconds };
  checkContainers(errors, path.child("containers"), spec.containers ?? [], pod);
  if (spec.initContainers !== undefined) checkInitContainers(errors, path.child("initContainers"), spec.initContainers, pod);
  if (spec.ephemeralContainers !== undefined) checkEphemeralContainers(errors, path.child("ephemeralContainers"), spec.ephemeralContainers, pod);
  if (spec.resources !== undefined) checkPodResources(errors, path, spec, claimNames);
  if (spec.hostNetwork === true) checkHostPorts(errors, path.child("containers"), spec, rules.isPod);
  checkOneOf(errors, path.child("restartPolicy"), spec.restartPolicy, RESTART_POLICIES);
  checkOneOf(errors, path.child("dnsPolicy"), spec.dnsPolicy, DNS_POLICIES);
  checkLabels(errors, path.child("nodeSelector"), spec.nodeSelector);
  if (spec.securityContext !== undefined) checkPodSecurityContext(errors, path.child("securityContext"), spec.securityContext, spec);
  if (spec.affinity !== undefined) checkAffinity(errors, path.child("affinity"), spec.affinity);
  if (spec.dnsConfig !== undefined || spec.dnsPolicy === "None") checkDnsConfig(errors, path.child("dnsConfig"), spec.dnsConfig, spec.dnsPolicy);
  spec.readinessGates?.forEach((gate, i) => checkLabelKey(errors, path.child("readinessGates").index(i).child("conditionType"), gate.conditionType ?? ""));
  if (spec.schedulingGates !== undefined) checkSchedulingGates(errors, path.child("schedulingGates"), spec.schedulingGates);
  if (spec.topologySpreadConstraints !== undefined) checkTopologySpread(errors, path.child("topologySpreadConstraints"), spec.topologySpreadConstraints);
  checkHostProcess(errors, path, spec);
  if (spec.hostUsers === false) checkHostUsers(errors, path, spec);
  checkNames(errors, path, spec);
  if (spec.tolerations !== undefined) checkTolerations(errors, path.child("tolerations"), spec.tolerations);
  checkRest(errors, path, spec);
}

function checkNames(errors: Errors, path: FieldPath, spec: PodSpec): void {
  if ((spec.serviceAccountName ?? "") !== "") checkDnsSubdomain(errors, path.child("serviceAccountName"), spec.serviceAccountName!);
  if ((spec.nodeName ?? "") !== "") checkDnsSubdomain(errors, path.child("nodeName"), spec.nodeName!);
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && (deadline < 1 || deadline > INT32_MAX)) errors.push(invalid(path.child("activeDeadlineSeconds"), deadline, inclusiveRangeError(1, INT32_MAX)));
  if ((spec.hostname ?? "") !== "") checkDnsLabel(errors, path.child("hostname"), spec.hostname!);
  if ((spec.subdomain ?? "") !== "") checkDnsLabel(errors, path.child("subdomain"), spec.subdomain!);
  if (spec.hostnameOverride !== undefined) checkHostnameOverride(errors, path, spec);
}

const HOSTNAME_MAX = 64;
function checkHostnameOverride(errors: Errors, path: FieldPath, spec: PodSpec): void {
  const at = path.child("hostnameOverride");
  if (spec.hostNetwork === true) errors.push(forbiddenField(at, "may not be specified when hostNetwork is true"));
  if (spec.setHostnameAsFQDN === true) errors.push(forbiddenField(at, "may not be specified when setHostnameAsFQDN is true"));
  if (spec.hostnameOverride!.length > HOSTNAME_MAX) errors.push(invalid(at, spec.hostnameOverride, `must be no more than ${HOSTNAME_MAX} characters`));
  checkDnsSubdomain(errors, at, spec.hostnameOverride!);
}

function checkRest(errors: Errors, path: FieldPath, spec: PodSpec): void {
  spec.hostAliases?.forEach((alias, i) => {
    checkCanonicalIp(errors, path.child("hostAliases").index(i).child("ip"), alias.ip ?? "");
    alias.hostnames?.forEach((hostname, j) => checkDnsSubdomain(errors, path.child("hostAliases").index(i).child("hostnames").index(j), hostname));
  });
  if ((spec.priorityClassName ?? "") !== "") checkDnsSubdomain(errors, path.child("priorityClassName"), spec.priorityClassName!);
  if (spec.runtimeClassName !== undefined) checkDnsSubdomain(errors, path.child("runtimeClassName"), spec.runtimeClassName);
  if (spec.preemptionPolicy !== undefined) checkOneOf(errors, path.child("preemptionPolicy"), spec.preemptionPolicy, ["PreemptLowerPriority", "Never"]);
  if (spec.overhead !== undefined) checkResourceRequirements(errors, path.child("overhead"), { limits: spec.overhead });
  if (spec.os === undefined) return;
  if ((spec.os.name ?? "") === "") errors.push(required(path.child("os", "name"), "cannot be empty"));
  else if (spec.os.name !== "linux" && spec.os.name !== "windows") errors.push(notSupported(path.child("os"), spec.os.name, ["linux", "windows"]));
  else checkForOs(errors, path, spec, spec.os.name);
}

/** Returns the names of the claims. */
function checkPodClaims(errors: Errors, path: FieldPath, claims: readonly PodResourceClaim[]): ReadonlySet<string> {
  const seen = new Set<string>();
  claims.forEach((claim, i) => {
    const at = path.index(i), name = claim.name ?? "", { resourceClaimName, resourceClaimTemplateName } = claim;
    if (name === "") errors.push(required(at.child("name")));
    else if (seen.has(name)) errors.push(duplicate(at.child("name"), name));
    else {
      checkDnsLabel(errors, at.child("name"), name);
      seen.add(name);
    }
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) errors.push(invalid(at, claim, "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"));
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) errors.push(invalid(at, claim, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"));
    if (resourceClaimName !== undefined) checkDnsSubdomain(errors, at.child("resourceClaimName"), resourceClaimName);
    if (resourceClaimTemplateName !== undefined) checkDnsSubdomain(errors, at.child("resourceClaimTemplateName"), resourceClaimTemplateName);
  });
  return seen;
}

/** What is asked of the pod as a whole must hold what its containers ask. */
function checkPodResources(errors: Errors, path: FieldPath, spec: PodSpec, claimNames: ReadonlySet<string>): void {
  const resources = spec.resources!, at = path.child("resources");
  if (resources.claims !== undefined) errors.push(forbiddenField(at.child("claims"), "claims cannot be set for Resources at pod-level"));
  checkResourceRequirements(errors, at, resources, claimNames, checkPodResourceName);
  if (resources.requests === undefined && resources.limits === undefined) return;
  for (const [name, amount] of Object.entries(aggregateContainerRequests(spec))) {
    const asked = resources.requests?.[name] ?? "0";
    if (compareQuantity(amount, asked) > 0) errors.push(invalid(at.child("requests").key(name), canonicalQuantity(asked), `must be greater than or equal to aggregate container requests of ${canonicalQuantity(amount)}`));
  }
  spec.containers?.forEach((container, i) => {
    for (const [name, limit] of Object.entries(container.resources?.limits ?? {})) {
      const podLimit = resources.limits?.[name];
      if (podLimit === undefined || compareQuantity(limit, podLimit) <= 0) continue;
      errors.push(invalid(at.child("containers").index(i).key(name).child("limits"), canonicalQuantity(limit), `must be less than or equal to pod limits of ${canonicalQuantity(podLimit)}`));
    }
  });
}

function checkHostPorts(errors: Errors, path: FieldPath, spec: PodSpec, isPod: boolean): void {
  spec.containers?.forEach((container, i) => container.ports?.forEach((port, j) => {
    const hostPort = port.hostPort ?? 0;
    if ((isPod || hostPort !== 0) && hostPort !== port.containerPort) {
      errors.push(invalid(path.index(i).child("ports").index(j).child("hostPort"), hostPort, "must match `containerPort` when `hostNetwork` is true"));
    }
  }));
}

function checkHostUsers(errors: Errors, path: FieldPath, spec: PodSpec): void {
  const why = "when `pod.Spec.HostUsers` is false";
  if (spec.hostNetwork === true) errors.push(forbiddenField(path.child("hostNetwork"), why));
  if (spec.hostPID === true) errors.push(forbiddenField(path.child("HostPID"), why));
  if (spec.hostIPC === true) errors.push(forbiddenField(path.child("HostIPC"), why));
}

function checkSchedulingGates(errors: Errors, path: FieldPath, gates: readonly PodSchedulingGate[]): void {
  const seen = new Set<string>();
  gates.forEach((gate, i) => {
    const name = gate.name ?? "";
    checkLabelKey(errors, path.index(i), name);
    if (seen.has(name)) errors.push(duplicate(path.index(i), name));
    seen.add(name);
  });
}

const NAMESERVERS_MAX = 3;
const SEARCHES_MAX = 32;
const SEARCH_CHARACTERS_MAX = 2048;
function checkDnsConfig(errors: Errors, path: FieldPath, config: PodDNSConfig | undefined, policy: string | undefined): void {
  if (config === undefined) {
    errors.push(required(path, "must provide `dnsConfig` when `dnsPolicy` is None"));
    return;
  }
  const { nameservers = [], searches = [], options = [] } = config;
  if (policy === "None" && nameservers.length === 0) {
    errors.push(required(path.child("nameservers"), "must provide at least one DNS nameserver when `dnsPolicy` is None"));
    return;
  }
  if (nameservers.length > NAMESERVERS_MAX) errors.push(invalid(path.child("nameservers"), nameservers, `must not have more than ${NAMESERVERS_MAX} nameservers`));
  nameservers.forEach((server, i) => checkCanonicalIp(errors, path.child("nameservers").index(i), server));
  if (searches.length > SEARCHES_MAX) errors.push(invalid(path.child("searches"), searches, `must not have more than ${SEARCHES_MAX} search paths`));
  if (searches.join(" ").length > SEARCH_CHARACTERS_MAX) errors.push(invalid(path.child("searches"), searches, `must not have more than ${SEARCH_CHARACTERS_MAX} characters (including spaces) in the search list`));
  searches.forEach((search, i) => {
    if (search !== ".") checkText(errors, path.child("searches").index(i), search.replace(/\.$/, ""), isDns1123SubdomainWithUnderscore);
  });
  options.forEach((option, i) => {
    if ((option.name ?? "") === "") errors.push(required(path.child("options").index(i), "must not be empty"));
  });
}
