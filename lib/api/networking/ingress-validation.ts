/** What an Ingress must be. Counterpart: `ValidateIngress…` in kubernetes `apis/networking/validation`. */
import { invalid, notSupported, required } from "../field-error.ts";
import { FieldPath, SPEC, STATUS } from "../field-path.ts";
import type { HTTPIngressPath, Ingress, IngressBackend, IngressRule, IngressServiceBackend, TypedLocalObjectReference } from "../schema/generated/models.ts";
import { checkDnsSubdomain, checkName, checkPortNum, checkReferenceName, checkText, type Errors } from "../validation/checks.ts";
import { parseIp } from "../../util/ip.ts";
import { checkIp } from "../validation/ip.ts";
import { isDns1123Subdomain, isValidPortName, isWildcardDns1123Subdomain, nameIsDnsLabel, nameIsDnsSubdomain } from "../validation/names.ts";

export const CLASS_ANNOTATION = "kubernetes.io/ingress.class";
const PATH_TYPES = ["Exact", "ImplementationSpecific", "Prefix"];
const FORBIDDEN_SEQUENCES = ["//", "/./", "/../", "%2f", "%2F"];
const FORBIDDEN_ENDS = ["/..", "/."];

const hostFaults = (host: string): readonly string[] => (host.includes("*") ? isWildcardDns1123Subdomain(host) : isDns1123Subdomain(host));
const NOT_IP = "must be a DNS name, not an IP address";

/** `old`: what an update starts from; faults that were there already are let through where upstream does. */
export function checkIngress(errors: Errors, { spec }: Ingress, old: Ingress | undefined): void {
  const { rules = [], tls = [], defaultBackend, ingressClassName } = spec ?? {};
  const hadBadSecret = old?.spec?.tls?.some(({ secretName = "" }) => secretName !== "" && isDns1123Subdomain(secretName).length > 0) === true;
  if (rules.length === 0 && defaultBackend === undefined) errors.push(invalid(SPEC, spec?.rules ?? null, "either `defaultBackend` or `rules` must be specified"));
  if (defaultBackend !== undefined) checkBackend(errors, SPEC.child("defaultBackend"), defaultBackend);
  rules.forEach((rule, i) => checkRule(errors, SPEC.child("rules").index(i), rule, old));
  tls.forEach(({ hosts = [], secretName = "" }, i) => {
    const path = SPEC.child("tls").index(i);
    hosts.forEach((host, j) => checkText(errors, path.child("hosts").index(j), host, hostFaults));
    if (secretName !== "" && !hadBadSecret) checkDnsSubdomain(errors, path.child("secretName"), secretName);
  });
  if (ingressClassName !== undefined) checkName(errors, SPEC.child("ingressClassName"), ingressClassName, nameIsDnsSubdomain);
}

/** On create the old annotation and the field must agree. */
export function checkClassAgrees(errors: Errors, { metadata, spec }: Ingress): void {
  const annotation = metadata.annotations?.[CLASS_ANNOTATION];
  if (annotation !== undefined && spec?.ingressClassName !== undefined && annotation !== spec.ingressClassName) {
    errors.push(invalid(FieldPath.of("annotations", CLASS_ANNOTATION), annotation, "must match `ingressClassName` when both are specified"));
  }
}

function checkRule(errors: Errors, path: FieldPath, rule: IngressRule, old: Ingress | undefined): void {
  const host = rule.host ?? "", isWildcard = host.includes("*");
  if (host !== "") {
    if (parseIp(host) !== undefined) errors.push(invalid(path.child("host"), host, NOT_IP));
    checkText(errors, path.child("host"), host, hostFaults);
  }
  if (!isWildcard || !hadBadWildcardRule(old)) checkPaths(errors, path, rule);
}

function hadBadWildcardRule(old: Ingress | undefined): boolean {
  return old?.spec?.rules?.some((rule) => {
    if (rule.host?.includes("*") !== true) return false;
    const errors: Errors = [];
    checkPaths(errors, SPEC, rule);
    return errors.length > 0;
  }) === true;
}

function checkPaths(errors: Errors, path: FieldPath, rule: IngressRule): void {
  if (rule.http === undefined) return;
  const paths = rule.http.paths ?? [], at = path.child("http", "paths");
  if (paths.length === 0) errors.push(required(at));
  paths.forEach((one, i) => checkHttpPath(errors, at.index(i), one));
}

function checkHttpPath(errors: Errors, at: FieldPath, one: HTTPIngressPath): void {
  const { pathType } = one as Partial<HTTPIngressPath>, path = one.path ?? "", isSpecific = pathType === "ImplementationSpecific";
  if (pathType === undefined) {
    errors.push(required(at.child("pathType"), "pathType must be specified"));
    return;
  }
  if (!PATH_TYPES.includes(pathType)) errors.push(notSupported(at.child("pathType"), pathType, PATH_TYPES));
  else if (!path.startsWith("/") && !(isSpecific && path === "")) errors.push(invalid(at.child("path"), path, "must be an absolute path"));
  if (pathType === "Exact" || pathType === "Prefix") {
    for (const sequence of FORBIDDEN_SEQUENCES) if (path.includes(sequence)) errors.push(invalid(at.child("path"), path, `must not contain '${sequence}'`));
    for (const end of FORBIDDEN_ENDS) if (path.endsWith(end)) errors.push(invalid(at.child("path"), path, `cannot end with '${end}'`));
  }
  checkBackend(errors, at.child("backend"), one.backend ?? {});
}

function checkBackend(errors: Errors, path: FieldPath, { resource, service }: IngressBackend): void {
  if (resource !== undefined && service !== undefined) errors.push(invalid(path, "", "cannot set both resource and service backends"));
  else if (resource !== undefined) checkLocalReference(errors, path.child("resource"), resource);
  else if (service !== undefined) checkServiceBackend(errors, path, service);
  else errors.push(invalid(path, "", "resource or service backend is required"));
}

function checkServiceBackend(errors: Errors, path: FieldPath, service: IngressServiceBackend): void {
  const at = path.child("service"), name = service.port?.name ?? "", number = service.port?.number ?? 0;
  if ((service.name ?? "") === "") errors.push(required(at.child("name")));
  else checkName(errors, at.child("name"), service.name, nameIsDnsLabel);
  if (name !== "" && number !== 0) errors.push(invalid(path, "", "cannot set both port name & port number"));
  else if (name !== "") checkText(errors, at.child("port", "name"), name, isValidPortName);
  else if (number !== 0) checkPortNum(errors, at.child("port", "number"), number);
  else errors.push(required(path, "port name or number is required"));
}

/** An object of the same namespace. */
export function checkLocalReference(errors: Errors, path: FieldPath, reference: Pick<TypedLocalObjectReference, "apiGroup" | "kind" | "name">): void {
  if (reference.apiGroup !== undefined) checkDnsSubdomain(errors, path.child("apiGroup"), reference.apiGroup);
  checkReferenceName(errors, path.child("kind"), reference.kind);
  checkReferenceName(errors, path.child("name"), reference.name);
}

export function checkIngressStatus(errors: Errors, { status }: Ingress): void {
  status?.loadBalancer?.ingress?.forEach(({ ip = "", hostname = "" }, i) => {
    const path = STATUS.child("loadBalancer", "ingress").index(i);
    if (ip !== "") checkIp(errors, path.child("ip"), ip);
    if (hostname === "") return;
    checkDnsSubdomain(errors, path.child("hostname"), hostname);
    if (parseIp(hostname) !== undefined) errors.push(invalid(path.child("hostname"), hostname, NOT_IP));
  });
}
