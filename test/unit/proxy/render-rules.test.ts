/** Whole rulesets against golden text. `UPDATE_GOLDEN=1` writes the files anew: read every line of the difference then. */
import test from "ava";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { EndpointSlice, Service } from "../../../lib/api/schema/generated/models.ts";
import { localTraffic, type RenderOptions } from "../../../lib/proxy/render-options.ts";
import { renderRules } from "../../../lib/proxy/render-rules.ts";
import { OPTIONS, makeService, makeSlice } from "./objects.ts";

const GOLDEN = path.resolve(import.meta.dirname, "../../golden");
type Scenario = { services: Service[]; slices: EndpointSlice[]; options?: Partial<RenderOptions> };

const HERE = { ip: "10.244.1.10", node: "node-a" }, THERE = { ip: "10.244.2.10", node: "node-b" };

const SCENARIOS: Record<string, Scenario> = {
  "empty": { services: [], slices: [] },
  "cluster-ip": { services: [makeService("web")], slices: [makeSlice("web", ["10.244.2.10", "10.244.1.10", "10.244.1.11"])] },
  "no-endpoints": {
    services: [makeService("web", { type: "NodePort", port: { nodePort: 30080 }, externalIPs: ["203.0.113.7"], ingress: [{ ip: "198.51.100.9" }] })],
    slices: [makeSlice("web", [{ ip: "10.244.1.10", ready: false }])],
  },
  "node-port": { services: [makeService("web", { type: "NodePort", port: { nodePort: 30080 } })], slices: [makeSlice("web", [HERE, THERE])] },
  "node-port-addresses": {
    services: [makeService("web", { type: "NodePort", port: { nodePort: 30080 } })], slices: [makeSlice("web", [HERE])],
    options: { nodePortAddresses: ["192.168.0.2", "127.0.0.1"], localhostNodePorts: false },
  },
  "load-balancer": {
    services: [makeService("web", {
      type: "LoadBalancer", port: { nodePort: 30080 }, loadBalancerSourceRanges: ["192.168.0.0/24", " 203.0.113.0/25", "2001:db8::/64"],
      ingress: [{ ip: "198.51.100.9" }, { ip: "198.51.100.10", ipMode: "Proxy" }], externalIPs: ["203.0.113.7"],
    })],
    slices: [makeSlice("web", [HERE, THERE])],
  },
  "external-local": {
    services: [makeService("web", { type: "LoadBalancer", port: { nodePort: 30080 }, externalTrafficPolicy: "Local", healthCheckNodePort: 31000, ingress: [{ ip: "198.51.100.9" }] })],
    slices: [makeSlice("web", [HERE, THERE])],
  },
  "external-local-elsewhere": {
    services: [makeService("web", { type: "LoadBalancer", port: { nodePort: 30080 }, externalTrafficPolicy: "Local", healthCheckNodePort: 31000, ingress: [{ ip: "198.51.100.9" }] })],
    slices: [makeSlice("web", [THERE])],
  },
  "internal-local": { services: [makeService("web", { internalTrafficPolicy: "Local" })], slices: [makeSlice("web", [HERE, THERE])] },
  "internal-local-elsewhere": { services: [makeService("web", { internalTrafficPolicy: "Local" })], slices: [makeSlice("web", [THERE])] },
  "affinity": {
    services: [makeService("web", { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 600 } } })],
    slices: [makeSlice("web", [HERE, THERE])],
  },
  "terminating": {
    services: [makeService("web")],
    slices: [makeSlice("web", [{ ...HERE, ready: false, serving: true, terminating: true }, { ...THERE, ready: false, serving: false, terminating: true }])],
  },
  "same-zone": {
    services: [makeService("web", { trafficDistribution: "PreferSameZone" })],
    slices: [makeSlice("web", [{ ...HERE, zones: ["zone-a"] }, { ...THERE, zones: ["zone-b"] }])],
  },
  "udp-and-unnamed": {
    services: [makeService("dns", { ports: [{ port: 53, protocol: "UDP", name: "dns" }, { port: 53, protocol: "TCP", name: "dns-tcp" }] }), makeService("plain", { clusterIP: "10.96.0.30", ports: [{ port: 9, protocol: "SCTP" }] })],
    slices: [makeSlice("dns", [HERE], { name: "dns", port: 1053, protocol: "UDP" }), makeSlice("dns", [HERE], { name: "dns-tcp", port: 1053 }, "dns-2"), makeSlice("plain", [THERE], { name: "", port: 9, protocol: "SCTP" })],
  },
  "masquerade-all": { services: [makeService("web")], slices: [makeSlice("web", [HERE])], options: { masqueradeAll: true, localTraffic: undefined, conntrackTcpLiberal: true, randomFully: false } },
  "interface-prefix": { services: [makeService("web")], slices: [makeSlice("web", [HERE])], options: { localTraffic: localTraffic("InterfaceNamePrefix", "veth") } },
  "large-cluster": { services: [makeService("web", { sessionAffinity: "ClientIP" })], slices: [makeSlice("web", [HERE, THERE])], options: { omitEndpointComments: true } },
  "ipv6": {
    services: [makeService("web", { clusterIP: "10.96.0.20", clusterIPs: ["10.96.0.20", "fd00:10:96::0020"], type: "NodePort", port: { nodePort: 30080 }, sessionAffinity: "ClientIP" })],
    slices: [makeSlice("web", ["fd00:10:244:1::a", "fd00:10:244:2::a"]), makeSlice("web", ["10.244.1.10"], {}, "web-4")],
    options: { family: 6, localTraffic: localTraffic("ClusterCIDR", "fd00:10:244::/48") },
  },
};

for (const [name, { services, slices, options }] of Object.entries(SCENARIOS)) {
  test(`renderRules() matches golden text: ${name}`, (t) => {
    const text = renderRules(services, slices, { ...OPTIONS, ...options }), file = path.join(GOLDEN, `proxy-${name}.txt`);
    if (process.env.UPDATE_GOLDEN === "1") writeFileSync(file, text);
    t.true(existsSync(file), `${file} is missing`);
    t.is(text, readFileSync(file, "utf8"));
  });
}

test("renderRules() gives the same text whatever the order of its inputs", (t) => {
  const services = [makeService("a"), makeService("b", { clusterIP: "10.96.0.21" })], slices = [makeSlice("a", [HERE, THERE]), makeSlice("b", [THERE])];
  t.is(renderRules(services, slices, OPTIONS), renderRules(services.toReversed(), slices.toReversed(), OPTIONS));
});

test("renderRules() leaves out Services that are not its own", (t) => {
  const none = renderRules([], [], OPTIONS);
  t.is(renderRules([
    makeService("headless", { clusterIP: "None" }),
    makeService("named", { type: "ExternalName", externalName: "example.com" }),
    makeService("other", { labels: { "service.kubernetes.io/service-proxy-name": "mesh" } }),
    makeService("six", { clusterIP: "fd00::1" }),
  ], [makeSlice("headless", [HERE]), makeSlice("other", [HERE]), makeSlice("orphan", [HERE])], OPTIONS), none);
});
