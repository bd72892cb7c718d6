import test from "ava";
import { endpointSliceDefinition } from "../../../../lib/api/discovery/endpoint-slice.ts";
import { ingressClassDefinition } from "../../../../lib/api/networking/ingress-class.ts";
import { ingressDefinition } from "../../../../lib/api/networking/ingress.ts";
import { ipAddressDefinition } from "../../../../lib/api/networking/ip-address.ts";
import { networkPolicyDefinition } from "../../../../lib/api/networking/network-policy.ts";
import { serviceCidrDefinition } from "../../../../lib/api/networking/service-cidr.ts";
import { faults, prepared, row, updateFaults } from "../run-definition.ts";

const backend = { service: { name: "web", port: { number: 80 } } };
const ingress = (spec: object = {}): Record<string, unknown> => ({ metadata: { name: "i" }, spec: { rules: [{ host: "a.example.com", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }], ...spec } });

test("ingresses", (t) => {
  t.deepEqual(faults(ingressDefinition, ingress()), []);
  t.deepEqual(faults(ingressDefinition, { metadata: { name: "i" }, spec: {} }), ["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"]);
  t.deepEqual(faults(ingressDefinition, ingress({ rules: [{ host: "1.2.3.4", http: { paths: [{ path: "x/../y", pathType: "Exact", backend: {} }] } }] })), [
    'spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address', 'spec.rules[0].http.paths[0].path: Invalid value: "x/../y": must be an absolute path',
    "spec.rules[0].http.paths[0].path: Invalid value: \"x/../y\": must not contain '/../'", 'spec.rules[0].http.paths[0].backend: Invalid value: "": resource or service backend is required',
  ]);
  t.is(row(ingressDefinition, prepared(ingressDefinition, ingress({ ingressClassName: "nginx", tls: [{ hosts: ["a.example.com"] }] }))), "i | nginx | a.example.com |  | 80, 443 | 60m");
  t.is(row(ingressDefinition, prepared(ingressDefinition, ingress({ rules: ["a", "b", "c", "d"].map((host) => ({ host })) }))), "i | <none> | a,b,c + 1 more... |  | 80 | 60m");
});

test("ingress classes", (t) => {
  const one = { metadata: { name: "c" }, spec: { controller: "example.com/c", parameters: { apiGroup: "example.com", kind: "P", name: "p" } } };
  t.deepEqual(faults(ingressClassDefinition, one), []);
  t.is(prepared(ingressClassDefinition, one).spec.parameters?.scope, "Cluster");
  t.is(row(ingressClassDefinition, prepared(ingressClassDefinition, one)), "c | example.com/c | P.example.com/p | 60m");
  t.deepEqual(updateFaults(ingressClassDefinition, one, (changed) => void (changed.spec.controller = "example.com/d")), ['spec.controller: Invalid value: "example.com/d": field is immutable']);
});

test("network policies", (t) => {
  const policy = (spec: object): Record<string, unknown> => ({ metadata: { name: "n" }, spec: { podSelector: { matchLabels: { app: "web" } }, ...spec } });
  t.deepEqual(prepared(networkPolicyDefinition, policy({ egress: [{ ports: [{ port: 53 }] }] })).spec, { podSelector: { matchLabels: { app: "web" } }, egress: [{ ports: [{ port: 53, protocol: "TCP" }] }], policyTypes: ["Ingress", "Egress"] });
  t.deepEqual(faults(networkPolicyDefinition, policy({ ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } }] }] })), []);
  t.deepEqual(faults(networkPolicyDefinition, policy({ ingress: [{ from: [{}], ports: [{ port: "http", endPort: 90 }] }] })), [
    "spec.ingress[0].ports[0].endPort: Invalid value: 90: may not be specified when `port` is non-numeric", "spec.ingress[0].from[0]: Required value: must specify a peer",
  ]);
  t.deepEqual(faults(networkPolicyDefinition, policy({ ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["11.0.0.0/16"] } }] }] })), ['spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`']);
  t.is(row(networkPolicyDefinition, prepared(networkPolicyDefinition, policy({}))), "n | app=web | 60m");
});

test("addresses and ranges are canonical", (t) => {
  const address = { metadata: { name: "10.96.0.1" }, spec: { parentRef: { resource: "services", namespace: "default", name: "kubernetes" } } };
  t.deepEqual(faults(ipAddressDefinition, address), []);
  t.deepEqual(ipAddressDefinition.validateName("010.0.0.1", false), ["must not have leading 0s"]);
  t.deepEqual(ipAddressDefinition.validateName("10.96.0.1", false), []);
  t.is(row(ipAddressDefinition, prepared(ipAddressDefinition, address)), "10.96.0.1 | services/default/kubernetes");
  const range = (...cidrs: string[]): Record<string, unknown> => ({ metadata: { name: "r" }, spec: { cidrs } });
  t.deepEqual(faults(serviceCidrDefinition, range("10.0.0.0/24", "fd00::/112")), []);
  t.deepEqual(faults(serviceCidrDefinition, range()), ["spec.cidrs: Required value: at least one CIDR required"]);
  t.deepEqual(faults(serviceCidrDefinition, range("10.0.0.1/24")), ['spec.cidrs[0]: Invalid value: "10.0.0.1/24": must not have bits set beyond the prefix length']);
  t.deepEqual(updateFaults(serviceCidrDefinition, range("10.0.0.0/24"), (one) => void one.spec.cidrs!.push("fd00::/112")), []);
  t.deepEqual(updateFaults(serviceCidrDefinition, range("10.0.0.0/24"), (one) => void (one.spec.cidrs![0] = "10.1.0.0/24")), ['spec.cidrs[0]: Invalid value: "10.1.0.0/24": field is immutable']);
});

test("endpoint slices", (t) => {
  const slice = (more: object = {}): Record<string, unknown> => ({ metadata: { name: "s" }, addressType: "IPv4", endpoints: [{ addresses: ["10.0.0.1"] }], ports: [{ port: 80 }], ...more });
  t.deepEqual(faults(endpointSliceDefinition, slice()), []);
  t.deepEqual(prepared(endpointSliceDefinition, slice()).ports, [{ port: 80, name: "", protocol: "TCP" }]);
  t.deepEqual(faults(endpointSliceDefinition, slice({ endpoints: [{ addresses: ["fd00::1"] }] })), ['endpoints[0].addresses[0]: Invalid value: "fd00::1": must be a valid IPv4 address']);
  t.deepEqual(faults(endpointSliceDefinition, slice({ endpoints: [{ addresses: [] }] })), ["endpoints[0].addresses: Required value: must contain at least 1 address"]);
  t.deepEqual(faults(endpointSliceDefinition, slice({ endpoints: [{ addresses: ["127.0.0.1"] }] })), ['endpoints[0].addresses[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)']);
  t.deepEqual(updateFaults(endpointSliceDefinition, slice({ endpoints: [] }), (one) => void (one.addressType = "IPv6")), ['addressType: Invalid value: "IPv6": field is immutable']);
  t.is(row(endpointSliceDefinition, prepared(endpointSliceDefinition, slice())), "s | IPv4 | 80 | 10.0.0.1 | 60m");
  t.is(row(endpointSliceDefinition, prepared(endpointSliceDefinition, slice({ endpoints: [], ports: [] }))), "s | IPv4 | <unset> | <unset> | 60m");
});
