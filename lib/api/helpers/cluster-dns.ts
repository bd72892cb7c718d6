/**
 * Objects of the cluster's DNS: the Service every kubelet's clients know, and the right of kube-proxy's user to list its node
 * in it. Pure. The installer applies them once; each kube-proxy then keeps one EndpointSlice of its own.
 */
import type { EndpointSlice, Node, RoleBinding, Role, Service } from "../schema/generated/models.ts";

export const DNS_NAMESPACE = "kube-system", DNS_SERVICE = "kube-dns";
/** Where a node answers for others, since port 53 of its own address may be taken. */
export const DNS_NODE_PORT = 10_053;
const ROLE = "kaji:cluster-dns", MANAGED_BY = "cluster-dns.kaji";

/** `kube-system/kube-dns` on the cluster DNS address. It has no selector: nodes list themselves. */
export function dnsService(address: string): Service {
  const labels = { "k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS" };
  return {
    apiVersion: "v1", kind: "Service", metadata: { name: DNS_SERVICE, namespace: DNS_NAMESPACE, labels },
    spec: {
      clusterIP: address, clusterIPs: [address], type: "ClusterIP",
      ports: [{ name: "dns", port: 53, protocol: "UDP", targetPort: DNS_NODE_PORT }, { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: DNS_NODE_PORT }],
    },
  };
}

/** The right to create that Service and to write EndpointSlices in its namespace, for kube-proxy's user. */
export function dnsAccess(user = "system:kube-proxy"): [Role, RoleBinding] {
  const metadata = { name: ROLE, namespace: DNS_NAMESPACE };
  return [
    {
      apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata,
      rules: [
        { apiGroups: [""], resources: ["services"], verbs: ["get", "create"] },
        { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["get", "create", "update"] },
      ],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding", metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: ROLE }, subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }],
    },
  ];
}

/** One node's slice of that Service; it goes when the Node goes. */
export function dnsSlice(node: Node, address: string, ready: boolean): EndpointSlice {
  const name = node.metadata.name!;
  return {
    apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", addressType: address.includes(":") ? "IPv6" : "IPv4",
    metadata: {
      name: `${DNS_SERVICE}-${name}`, namespace: DNS_NAMESPACE,
      labels: { "kubernetes.io/service-name": DNS_SERVICE, "endpointslice.kubernetes.io/managed-by": MANAGED_BY, "k8s-app": "kube-dns" },
      ownerReferences: [{ apiVersion: "v1", kind: "Node", name, uid: node.metadata.uid! }],
    },
    endpoints: [{ addresses: [address], nodeName: name, conditions: { ready, serving: ready, terminating: false } }],
    ports: [{ name: "dns", port: DNS_NODE_PORT, protocol: "UDP" }, { name: "dns-tcp", port: DNS_NODE_PORT, protocol: "TCP" }],
  };
}
