import test from "ava";
import { serviceDefinition } from "../../../../lib/api/core/service.ts";
import { faults, prepared, row, updateFaults } from "../run-definition.ts";

const written = (spec: object = {}): Record<string, unknown> => ({ metadata: { name: "s" }, spec: { ports: [{ port: 80 }], clusterIP: "10.96.0.10", clusterIPs: ["10.96.0.10"], selector: { app: "web" }, ...spec } });

test("defaults", (t) => {
  const { spec, status } = prepared(serviceDefinition, written());
  t.is(spec?.type, "ClusterIP");
  t.is(spec?.sessionAffinity, "None");
  t.is(spec?.internalTrafficPolicy, "Cluster");
  t.deepEqual(spec?.ports, [{ port: 80, protocol: "TCP", targetPort: 80 }]);
  t.deepEqual(status, { loadBalancer: {} });
  t.is(prepared(serviceDefinition, written({ type: "NodePort" })).spec?.externalTrafficPolicy, "Cluster");
  t.is(prepared(serviceDefinition, written({ sessionAffinity: "ClientIP" })).spec?.sessionAffinityConfig?.clientIP?.timeoutSeconds, 10800);
});

test("faults", (t) => {
  t.deepEqual(faults(serviceDefinition, written()), []);
  t.deepEqual(faults(serviceDefinition, written({ ports: [] })), ["spec.ports: Required value"]);
  t.deepEqual(faults(serviceDefinition, written({ type: "Gateway" })), ['spec.type: Unsupported value: "Gateway": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"']);
  t.deepEqual(faults(serviceDefinition, written({ ports: [{ port: 80 }, { port: 81 }] })), ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"]);
  t.deepEqual(faults(serviceDefinition, written({ ports: [{ name: "a", port: 80 }, { name: "b", port: 80 }] })), [
    'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
  ]);
});

test("an address once given stays", (t) => {
  const [first] = updateFaults(serviceDefinition, written(), (service) => {
    service.spec!.clusterIP = "10.96.0.11";
    service.spec!.clusterIPs = ["10.96.0.11"];
  });
  t.is(first, 'spec.clusterIPs[0]: Invalid value: ["10.96.0.11"]: may not change once set');
});

test("rows", (t) => {
  t.is(row(serviceDefinition, prepared(serviceDefinition, written())), "s | ClusterIP | 10.96.0.10 | <none> | 80/TCP | 60m");
  t.is(row(serviceDefinition, prepared(serviceDefinition, written({ type: "NodePort", ports: [{ port: 80, nodePort: 30080 }] })), { wide: true }), "s | NodePort | 10.96.0.10 | <none> | 80:30080/TCP | 60m | app=web");
  const balanced = prepared(serviceDefinition, written({ type: "LoadBalancer", ports: [{ port: 80, nodePort: 30080 }] }));
  t.is(row(serviceDefinition, balanced), "s | LoadBalancer | 10.96.0.10 | <pending> | 80:30080/TCP | 60m");
  balanced.status = { loadBalancer: { ingress: [{ ip: "1.2.3.4" }] } };
  t.is(row(serviceDefinition, balanced), "s | LoadBalancer | 10.96.0.10 | 1.2.3.4 | 80:30080/TCP | 60m");
});
