/** Small builders of Services, EndpointSlices and options for the proxy's tests. */
import type { Endpoint, EndpointSlice, Service, ServicePort, ServiceSpec } from "../../../lib/api/schema/generated/models.ts";
import { localTraffic, type RenderOptions } from "../../../lib/proxy/render-options.ts";

export const OPTIONS: RenderOptions = {
  family: 4, nodeName: "node-a", zone: "zone-a", nodeIp: "192.168.0.2", masqueradeAll: false, masqueradeBit: 14,
  localTraffic: localTraffic("ClusterCIDR", "10.244.0.0/16"), localhostNodePorts: true, nodePortAddresses: "all",
  randomFully: true, conntrackTcpLiberal: false, omitEndpointComments: false,
};

export function makeService(name: string, spec: Partial<ServiceSpec> & { port?: Partial<ServicePort>; ingress?: { ip: string; ipMode?: string }[]; labels?: Record<string, string> } = {}): Service {
  const { port, ingress, labels, ...rest } = spec;
  return {
    metadata: { name, namespace: "ns", uid: `uid-${name}`, resourceVersion: "1", ...(labels === undefined ? {} : { labels }) },
    spec: { clusterIP: "10.96.0.20", ports: [{ name: "p80", port: 80, protocol: "TCP", ...port }], ...rest },
    ...(ingress === undefined ? {} : { status: { loadBalancer: { ingress } } }),
  };
}

export interface EndpointWish { ip: string; node?: string; ready?: boolean; serving?: boolean; terminating?: boolean; zones?: string[]; nodes?: string[] }

export function makeSlice(service: string, endpoints: (string | EndpointWish)[], port: { name?: string; port?: number; protocol?: string } = {}, name = `${service}-1`): EndpointSlice {
  return {
    metadata: { name, namespace: "ns", resourceVersion: "1", labels: { "kubernetes.io/service-name": service } },
    addressType: (typeof endpoints[0] === "string" ? endpoints[0] : endpoints[0]?.ip ?? "").includes(":") ? "IPv6" : "IPv4",
    ports: [{ name: "p80", port: 8080, protocol: "TCP", ...port }],
    endpoints: endpoints.map((wish): Endpoint => {
      const { ip, node, ready = true, serving, terminating, zones, nodes } = typeof wish === "string" ? { ip: wish } as EndpointWish : wish;
      return {
        addresses: [ip], conditions: { ready, ...(serving === undefined ? {} : { serving }), ...(terminating === undefined ? {} : { terminating }) },
        ...(node === undefined ? {} : { nodeName: node }),
        ...(zones === undefined && nodes === undefined ? {} : { hints: { ...(zones === undefined ? {} : { forZones: zones.map((z) => ({ name: z })) }), ...(nodes === undefined ? {} : { forNodes: nodes.map((n) => ({ name: n })) }) } }),
      };
    }),
  };
}
