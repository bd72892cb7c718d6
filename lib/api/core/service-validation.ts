/** Services. Counterpart: `ValidateService` and siblings in kubernetes `apis/core/validation`. */
import { duplicate, forbiddenField, internalFieldError, invalid, notSupported, required } from "../field-error.ts";
import { FieldPath, METADATA, SPEC, STATUS } from "../field-path.ts";
import type { Service, ServicePort, ServiceSpec } from "../schema/generated/models.ts";
import { checkDnsLabel, checkDnsSubdomain, checkLabelKey, checkOneOf, checkOptionalOneOf, checkPortNum, checkPortNumOrName, type Errors } from "../validation/checks.ts";
import { parseIp } from "../../util/ip.ts";
import { checkCidr, checkIp, checkNonSpecialIp, isDualStack } from "../validation/ip.ts";
import { checkLabels } from "../validation/labels.ts";
import { isDns1123Subdomain } from "../validation/names.ts";

const TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const PROTOCOLS = ["SCTP", "TCP", "UDP"];
const FAMILY_POLICIES = ["PreferDualStack", "RequireDualStack", "SingleStack"];
const DISTRIBUTIONS = ["PreferClose", "PreferSameNode", "PreferSameZone"];
const AFFINITY_SECONDS_MAX = 86400;
const SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges";
const HINTS = "service.kubernetes.io/topology-aware-hints";
const MODE = "service.kubernetes.io/topology-mode";
const LOAD_BALANCER_ONLY = "may only be used when `type` is 'LoadBalancer'";

export const isHeadless = (spec: ServiceSpec): boolean => spec.clusterIPs?.length === 1 && spec.clusterIPs[0] === "None";
/** Reachable from outside: it has a policy of how that traffic goes. */
export const isExternallyAccessible = (spec: ServiceSpec): boolean => spec.type === "LoadBalancer" || spec.type === "NodePort" || (spec.type === "ClusterIP" && (spec.externalIPs ?? []).length > 0);
export const needsHealthCheck = (spec: ServiceSpec): boolean => spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";

export function checkService(errors: Errors, service: Service): void {
  const spec = service.spec ?? {}, ports = spec.ports ?? [], annotations = service.metadata.annotations ?? {};
  if (annotations[MODE] !== undefined && annotations[HINTS] !== undefined && annotations[MODE] !== annotations[HINTS]) {
    errors.push(invalid(METADATA.child("annotations").key(MODE), annotations[MODE], `must match annotations[${HINTS}] when both are specified`));
  }
  if (ports.length === 0 && !isHeadless(spec) && spec.type !== "ExternalName") errors.push(required(SPEC.child("ports")));
  checkByType(errors, spec);
  const names = new Set<string>();
  ports.forEach((port, i) => checkPort(errors, SPEC.child("ports").index(i), port, ports.length > 1, names));
  if (spec.selector !== undefined) checkLabels(errors, SPEC.child("selector"), spec.selector);
  checkAffinity(errors, spec);
  checkClusterIps(errors, spec);
  spec.externalIPs?.forEach((ip, i) => {
    if (checkIp(errors, SPEC.child("externalIPs").index(i), ip)) checkNonSpecialIp(errors, SPEC.child("externalIPs").index(i), ip);
  });
  checkOneOf(errors, SPEC.child("type"), spec.type, TYPES);
  checkPortNumbers(errors, spec.type, ports);
  checkLoadBalancer(errors, service, spec);
  checkTrafficPolicies(errors, spec);
}

function checkByType(errors: Errors, spec: ServiceSpec): void {
  if ((spec.type === "LoadBalancer" || spec.type === "NodePort") && isHeadless(spec)) errors.push(invalid(SPEC.child("clusterIPs").index(0), "None", `may not be set to 'None' for ${spec.type} services`));
  if (spec.type !== "ExternalName") return;
  const why = "may not be set for ExternalName services";
  if ((spec.clusterIPs ?? []).length > 0) errors.push(forbiddenField(SPEC.child("clusterIPs"), why));
  if ((spec.ipFamilies ?? []).length > 0) errors.push(forbiddenField(SPEC.child("ipFamilies"), why));
  if (spec.ipFamilyPolicy !== undefined) errors.push(forbiddenField(SPEC.child("ipFamilyPolicy"), why));
  const host = (spec.externalName ?? "").replace(/\.$/, "");
  if (host === "") errors.push(required(SPEC.child("externalName")));
  else checkDnsSubdomain(errors, SPEC.child("externalName"), host);
}

function checkPort(errors: Errors, path: FieldPath, port: ServicePort, requireName: boolean, names: Set<string>): void {
  const name = port.name ?? "";
  if (name !== "") {
    checkDnsLabel(errors, path.child("name"), name);
    if (names.has(name)) errors.push(duplicate(path.child("name"), name));
    names.add(name);
  } else if (requireName) errors.push(required(path.child("name")));
  checkPortNum(errors, path.child("port"), port.port);
  checkOneOf(errors, path.child("protocol"), port.protocol, PROTOCOLS);
  checkPortNumOrName(errors, path.child("targetPort"), port.targetPort);
  if (port.appProtocol !== undefined) checkLabelKey(errors, path.child("appProtocol"), port.appProtocol);
}

function checkPortNumbers(errors: Errors, type: string | undefined, ports: readonly ServicePort[]): void {
  const nodePorts = new Set<string>(), numbers = new Set<string>();
  ports.forEach((port, i) => {
    const at = SPEC.child("ports").index(i).child("nodePort"), nodePort = port.nodePort ?? 0, key = `${port.protocol}/${nodePort}`;
    if (nodePort === 0) return;
    if (type === "ClusterIP") errors.push(forbiddenField(at, "may not be used when `type` is 'ClusterIP'"));
    if (nodePorts.has(key)) errors.push(duplicate(at, nodePort));
    nodePorts.add(key);
  });
  ports.forEach((port, i) => {
    const key = `${port.protocol}/${port.port}`;
    if (numbers.has(key)) errors.push(duplicate(SPEC.child("ports").index(i), { Name: "", Protocol: port.protocol, AppProtocol: null, Port: port.port, TargetPort: 0, NodePort: 0 }));
    numbers.add(key);
  });
}

function checkAffinity(errors: Errors, spec: ServiceSpec): void {
  checkOneOf(errors, SPEC.child("sessionAffinity"), spec.sessionAffinity, ["ClientIP", "None"]);
  const path = SPEC.child("sessionAffinityConfig"), config = spec.sessionAffinityConfig;
  if (spec.sessionAffinity === "None" && config !== undefined) errors.push(forbiddenField(path, "must not be set when session affinity is None"));
  if (spec.sessionAffinity !== "ClientIP") return;
  const why = "when session affinity type is ClientIP", seconds = config?.clientIP?.timeoutSeconds;
  if (config === undefined) errors.push(required(path, why));
  else if (config.clientIP === undefined) errors.push(required(path.child("clientIP"), why));
  else if (seconds === undefined) errors.push(required(path.child("clientIP", "timeoutSeconds"), why));
  else if (seconds <= 0 || seconds > AFFINITY_SECONDS_MAX) errors.push(invalid(path.child("clientIP", "timeoutSeconds"), seconds, `must be greater than 0 and less than ${AFFINITY_SECONDS_MAX}`));
}

/** How clusterIP, clusterIPs and the families go together; the allocator asks this too. */
export function checkClusterIps(errors: Errors, spec: ServiceSpec): void {
  if (spec.type === "ExternalName") return;
  const path = SPEC.child("clusterIPs"), ips = spec.clusterIPs ?? [], families = spec.ipFamilies ?? [], first = spec.clusterIP ?? "";
  if (first === "") {
    if (ips.length > 0) errors.push(invalid(path, ips, "must be empty when `clusterIP` is not specified"));
  } else if (ips.length === 0) errors.push(required(path));
  else if (ips[0] !== first) errors.push(invalid(path, ips, "first value must match `clusterIP`"));
  families.forEach((family, i) => {
    if (family !== "IPv4" && family !== "IPv6") errors.push(notSupported(SPEC.child("ipFamilies").index(i), family, ["IPv4", "IPv6"]));
    if (families.indexOf(family) < i) errors.push(duplicate(SPEC.child("ipFamilies").index(i), family));
  });
  checkOptionalOneOf(errors, SPEC.child("ipFamilyPolicy"), spec.ipFamilyPolicy, FAMILY_POLICIES);
  const before = errors.length;
  ips.forEach((ip, i) => {
    if (i > 0 || ip !== "None") checkIp(errors, path.index(i), ip);
    else if (ips.length > 1) errors.push(invalid(path, ips, "'None' must be the first and only value"));
  });
  const hasInvalid = errors.length > before;
  if (ips.length > 2) errors.push(invalid(path, ips, "may only hold up to 2 values"));
  if (hasInvalid) return;
  if (ips.length > 1) {
    const dualStack = isDualStack(ips);
    if (dualStack === undefined) errors.push(internalFieldError(path, "failed to check for dual stack with error:invalid IP"));
    if (dualStack !== true) errors.push(invalid(path, ips, "may specify no more than one IP for each IP family"));
  }
  if (isHeadless(spec)) return;
  ips.slice(0, families.length).forEach((ip, i) => {
    if (`IPv${parseIp(ip)?.family}` !== families[i]) errors.push(invalid(path.index(i), ip, `expected an ${families[i]} value as indicated by \`ipFamilies[${i}]\``));
  });
}

function checkLoadBalancer(errors: Errors, service: Service, spec: ServiceSpec): void {
  const isLoadBalancer = spec.type === "LoadBalancer", ranges = spec.loadBalancerSourceRanges ?? [], annotation = service.metadata.annotations?.[SOURCE_RANGES];
  if (ranges.length > 0) {
    const path = SPEC.child("LoadBalancerSourceRanges");
    if (!isLoadBalancer) errors.push(forbiddenField(path, LOAD_BALANCER_ONLY));
    ranges.forEach((range, i) => checkCidr(errors, path.index(i), range.trim()));
  } else if (annotation !== undefined) {
    const path = METADATA.child("annotations").key(SOURCE_RANGES);
    if (!isLoadBalancer) errors.push(forbiddenField(path, LOAD_BALANCER_ONLY));
    for (const range of annotation.trim() === "" ? [] : annotation.trim().split(",")) checkCidr(errors, path, range.trim());
  }
  if (!isLoadBalancer && spec.allocateLoadBalancerNodePorts !== undefined) errors.push(forbiddenField(SPEC.child("allocateLoadBalancerNodePorts"), LOAD_BALANCER_ONLY));
  if (isLoadBalancer && spec.allocateLoadBalancerNodePorts === undefined) errors.push(required(FieldPath.of("allocateLoadBalancerNodePorts")));
  if (spec.loadBalancerClass === undefined) return;
  if (isLoadBalancer) checkLabelKey(errors, SPEC.child("loadBalancerClass"), spec.loadBalancerClass);
  else errors.push(forbiddenField(SPEC.child("loadBalancerClass"), LOAD_BALANCER_ONLY));
}

function checkTrafficPolicies(errors: Errors, spec: ServiceSpec): void {
  const external = SPEC.child("externalTrafficPolicy"), healthPath = SPEC.child("healthCheckNodePort"), healthPort = spec.healthCheckNodePort ?? 0;
  if (isExternallyAccessible(spec)) checkOneOf(errors, external, spec.externalTrafficPolicy, ["Cluster", "Local"]);
  else if ((spec.externalTrafficPolicy ?? "") !== "") errors.push(invalid(external, spec.externalTrafficPolicy, "may only be set for externally-accessible services"));
  if (!needsHealthCheck(spec)) {
    if (healthPort !== 0) errors.push(invalid(healthPath, healthPort, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"));
  } else if (healthPort === 0) errors.push(required(healthPath));
  else checkPortNum(errors, healthPath, healthPort);
  const needsInternal = spec.type === "ClusterIP" || spec.type === "NodePort" || spec.type === "LoadBalancer";
  if (spec.internalTrafficPolicy === undefined) {
    if (needsInternal) errors.push(required(SPEC.child("internalTrafficPolicy")));
  } else checkOptionalOneOf(errors, SPEC.child("internalTrafficPolicy"), spec.internalTrafficPolicy, ["Cluster", "Local"]);
  checkOptionalOneOf(errors, SPEC.child("trafficDistribution"), spec.trafficDistribution, DISTRIBUTIONS);
}

/** Addresses and families may be added to or taken from the end, but the first stays. */
export function checkServiceUpdate(errors: Errors, service: Service, old: Service): void {
  const spec = service.spec ?? {}, was = old.spec ?? {};
  if (spec.type !== "ExternalName" && was.type !== "ExternalName" && !(isHeadless(spec) && isHeadless(was))) checkIpsUpdate(errors, spec, was);
  if (spec.type !== "ExternalName" && was.type !== "ExternalName" && !isHeadless(spec) && !isHeadless(was)) checkFamiliesUpdate(errors, spec, was);
  if (was.type === "LoadBalancer" && spec.type === "LoadBalancer" && was.loadBalancerClass !== spec.loadBalancerClass) errors.push(invalid(SPEC.child("loadBalancerClass"), spec.loadBalancerClass, "may not change once set"));
  if (needsHealthCheck(was) && needsHealthCheck(spec) && was.healthCheckNodePort !== spec.healthCheckNodePort) errors.push(forbiddenField(SPEC.child("healthCheckNodePort"), "field is immutable"));
  checkService(errors, service);
}

function checkIpsUpdate(errors: Errors, spec: ServiceSpec, was: ServiceSpec): void {
  const ips = spec.clusterIPs ?? [], oldIps = was.clusterIPs ?? [], path = SPEC.child("clusterIPs");
  if (ips.length === oldIps.length) {
    oldIps.forEach((ip, i) => {
      if (ip !== ips[i]) errors.push(invalid(path.index(i), ips, "may not change once set"));
    });
    return;
  }
  if (oldIps.length > ips.length && ips.length === 0) errors.push(invalid(path.index(0), ips, "primary clusterIP can not be unset"));
  if (oldIps.length > 0 && ips.length > 0 && ips[0] !== oldIps[0]) errors.push(invalid(path.index(0), ips, "may not change once set"));
  if (oldIps.length > ips.length && ips.length === 1 && spec.ipFamilyPolicy !== "SingleStack") errors.push(invalid(SPEC.child("ipFamilyPolicy"), spec.ipFamilyPolicy, "must be set to 'SingleStack' when releasing the secondary clusterIP"));
}

function checkFamiliesUpdate(errors: Errors, spec: ServiceSpec, was: ServiceSpec): void {
  const families = spec.ipFamilies ?? [], oldFamilies = was.ipFamilies ?? [], at = SPEC.child("ipFamilies").index(0);
  if (families.length === oldFamilies.length) {
    oldFamilies.forEach((family, i) => {
      if (family !== families[i]) errors.push(invalid(at, families, "may not change once set"));
    });
    return;
  }
  const isReleased = oldFamilies.length > families.length;
  if (isReleased && (spec.clusterIPs ?? []).length === 0) errors.push(invalid(at, families, "primary ipFamily can not be unset"));
  if (oldFamilies.length > 0 && families.length > 0 && families[0] !== oldFamilies[0]) errors.push(invalid(at, spec.clusterIPs, "may not change once set"));
  if (isReleased && families.length === 1 && spec.ipFamilyPolicy !== "SingleStack") errors.push(invalid(SPEC.child("ipFamilyPolicy"), spec.ipFamilyPolicy, "must be set to 'SingleStack' when releasing the secondary ipFamily"));
}

/** The load balancer's own addresses, of Services and (without modes) of Ingresses. */
export function checkServiceStatus(errors: Errors, service: Service): void {
  const path = STATUS.child("loadBalancer", "ingress"), ingress = service.status?.loadBalancer?.ingress ?? [];
  if (service.spec?.type !== "LoadBalancer" && ingress.length > 0) {
    errors.push(forbiddenField(path, "may only be used when `spec.type` is 'LoadBalancer'"));
    return;
  }
  ingress.forEach((address, i) => {
    const at = path.index(i), ip = address.ip ?? "", hostname = address.hostname ?? "";
    if (ip !== "") checkIp(errors, at.child("ip"), ip);
    if (address.ipMode === undefined) {
      if (ip !== "") errors.push(required(at.child("ipMode"), "must be specified when `ip` is set"));
    } else if (ip === "") errors.push(forbiddenField(at.child("ipMode"), "may not be specified when `ip` is not set"));
    else checkOptionalOneOf(errors, at.child("ipMode"), address.ipMode, ["Proxy", "VIP"]);
    if (hostname === "") return;
    for (const fault of isDns1123Subdomain(hostname)) errors.push(invalid(at.child("hostname"), hostname, fault));
    if (parseIp(hostname) !== undefined) errors.push(invalid(at.child("hostname"), hostname, "must be a DNS name, not an IP address"));
  });
}
