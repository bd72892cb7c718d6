/**
 * What a certificate request of a kubelet looks like: pure. Anything that differs is somebody else's request and is left to people.
 * Counterpart: kubernetes `apis/certificates/helpers.go`.
 */
import type { CertificateRequest } from "../../pki/certificate-request.ts";
import type { CertificateSigningRequestSpec, Node } from "../../api/schema/generated/models.ts";

export const CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client", KUBELET_CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client-kubelet", KUBELET_SERVING_SIGNER = "kubernetes.io/kubelet-serving";
const NODE_PREFIX = "system:node:", NODES_GROUP = "system:nodes";

const usagesAre = (spec: CertificateSigningRequestSpec, main: string): boolean => {
  const usages = [...(spec.usages ?? [])].filter((usage) => usage !== "key encipherment").toSorted(), wanted = ["digital signature", main].toSorted();
  return usages.length === wanted.length && usages.every((usage, i) => usage === wanted[i]);
};

/** The node a request is for; undefined when its subject is no node's. */
export function nodeOf({ subject }: CertificateRequest): string | undefined {
  const isNode = subject.organizations.length === 1 && subject.organizations[0] === NODES_GROUP && subject.commonName.startsWith(NODE_PREFIX);
  return isNode && subject.commonName.length > NODE_PREFIX.length ? subject.commonName.slice(NODE_PREFIX.length) : undefined;
}

/** Why this is no request for a kubelet's client certificate; undefined when it is one. */
export function clientRequestFault(request: CertificateRequest, spec: CertificateSigningRequestSpec): string | undefined {
  const { dnsNames, ipAddresses, otherNames } = request.names;
  if (nodeOf(request) === undefined) return `subject must be ${NODE_PREFIX}NAME in ${NODES_GROUP}`;
  if (dnsNames.length + ipAddresses.length + otherNames > 0) return "no alternative names are allowed";
  return usagesAre(spec, "client auth") ? undefined : "usages must be digital signature, client auth and at most key encipherment";
}

/** Why this is no request for a kubelet's serving certificate; undefined when it is one. Only the node itself may ask. */
export function servingRequestFault(request: CertificateRequest, spec: CertificateSigningRequestSpec): string | undefined {
  const { dnsNames, ipAddresses, otherNames } = request.names;
  if (nodeOf(request) === undefined) return `subject must be ${NODE_PREFIX}NAME in ${NODES_GROUP}`;
  if (spec.username !== request.subject.commonName) return "a node may ask only for itself";
  if (dnsNames.length + ipAddresses.length === 0) return "a DNS name or an address is needed";
  if (otherNames > 0) return "only DNS names and addresses are allowed";
  return usagesAre(spec, "server auth") ? undefined : "usages must be digital signature, server auth and at most key encipherment";
}

/** Whether every name asked for is the node's, as the API knows it. Upstream leaves this decision to people. */
export function namesAreOf({ names }: CertificateRequest, node: Node): boolean {
  const addresses = node.status?.addresses ?? [], known = new Set([node.metadata.name, ...addresses.map(({ address }) => address)]);
  return [...names.dnsNames, ...names.ipAddresses].every((name) => known.has(name));
}

export const PROXY_USER = "system:kube-proxy";
/** Why this is no request of a node (or of its proxy itself) for the certificate its kube-proxy is a client with; undefined when it is one. Ours alone: upstream's proxy holds a token. */
export function proxyRequestFault({ subject, names }: CertificateRequest, spec: CertificateSigningRequestSpec): string | undefined {
  if (subject.commonName !== PROXY_USER || subject.organizations.length > 0) return `subject must be ${PROXY_USER} without groups`;
  if (names.dnsNames.length + names.ipAddresses.length + names.otherNames > 0) return "no alternative names are allowed";
  return usagesAre(spec, "client auth") ? undefined : "usages must be digital signature, client auth and at most key encipherment";
}
