import test from "ava";
import { configMapDefinition } from "../../../../lib/api/core/config-map.ts";
import { endpointsDefinition } from "../../../../lib/api/core/endpoints.ts";
import { namespaceDefinition } from "../../../../lib/api/core/namespace.ts";
import { nodeDefinition } from "../../../../lib/api/core/node.ts";
import { persistentVolumeClaimDefinition } from "../../../../lib/api/core/persistent-volume-claim.ts";
import { secretDefinition } from "../../../../lib/api/core/secret.ts";
import { context, faults, prepared, row, updateFaults } from "../run-definition.ts";

test("a namespace is active, has a finalizer and its name as a label", (t) => {
  const namespace = prepared(namespaceDefinition, { metadata: { name: "dev" } });
  t.deepEqual(namespace.spec, { finalizers: ["kubernetes"] });
  t.deepEqual(namespace.status, { phase: "Active" });
  t.is(namespace.metadata.labels?.["kubernetes.io/metadata.name"], "dev");
  t.is(row(namespaceDefinition, namespace), "dev | Active | 60m");
  const finalized = structuredClone(namespace);
  finalized.spec = {};
  namespaceDefinition.subresourceUpdates?.["finalize"]?.prepare(finalized, namespace, context);
  t.deepEqual(finalized.spec, {});
});

test("a node's row", (t) => {
  const node = prepared(nodeDefinition, { metadata: { name: "n1", labels: { "node-role.kubernetes.io/control-plane": "" } }, spec: { unschedulable: true } });
  t.is(row(nodeDefinition, node), "n1 | Unknown,SchedulingDisabled | control-plane | 60m | ");
  node.status = {
    conditions: [{ type: "Ready", status: "True" }], addresses: [{ type: "InternalIP", address: "10.0.0.1" }],
    nodeInfo: { kubeletVersion: "v1.36.0", osImage: "Debian", kernelVersion: "6.1", containerRuntimeVersion: "containerd://2.1", machineID: "", systemUUID: "", bootID: "", kubeProxyVersion: "", operatingSystem: "linux", architecture: "amd64" },
  };
  delete node.spec!.unschedulable;
  t.is(row(nodeDefinition, node, { wide: true }), "n1 | Ready | control-plane | 60m | v1.36.0 | 10.0.0.1 | <none> | Debian | 6.1 | containerd://2.1");
  t.deepEqual(nodeDefinition.selectableFields?.(node), { "spec.unschedulable": "false" });
});

test("a secret's texts are merged into its data; its type says what must be there", (t) => {
  const secret = prepared(secretDefinition, { metadata: { name: "s" }, data: { a: "MQ==" }, stringData: { b: "2" } });
  t.deepEqual(secret.data, { a: "MQ==", b: "Mg==" });
  t.is(secret.type, "Opaque");
  t.is(secret.stringData, undefined);
  t.is(row(secretDefinition, secret), "s | Opaque | 2 | 60m");
  t.deepEqual(faults(secretDefinition, { metadata: { name: "s" }, type: "kubernetes.io/tls" }), ["data[tls.crt]: Required value", "data[tls.key]: Required value"]);
});

test("what is immutable stays", (t) => {
  const written = { metadata: { name: "m" }, data: { a: "1" }, immutable: true };
  t.deepEqual(updateFaults(configMapDefinition, written, (map) => void (map.data = { a: "2" })), ["data: Forbidden: field is immutable when `immutable` is set"]);
  t.deepEqual(updateFaults(configMapDefinition, written, (map) => void (map.immutable = false)), ["immutable: Forbidden: field is immutable when `immutable` is set"]);
  t.deepEqual(updateFaults(secretDefinition, { metadata: { name: "s" } }, (secret) => void (secret.type = "other/type")), ['type: Invalid value: "other/type": field is immutable']);
});

test("claims ask for storage, and grow once bound", (t) => {
  const written = { metadata: { name: "c" }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } };
  t.deepEqual(faults(persistentVolumeClaimDefinition, written), []);
  t.deepEqual(faults(persistentVolumeClaimDefinition, { metadata: { name: "c" }, spec: {} }), ["spec.accessModes: Required value: at least 1 access mode is required", "spec.resources[storage]: Required value"]);
  t.regex(updateFaults(persistentVolumeClaimDefinition, written, (claim) => void (claim.spec!.resources!.requests!["storage"] = "2Gi"))[0] ?? "", /^spec: Forbidden: spec is immutable after creation except resources\.requests and volumeAttributesClassName for bound claims/);
});

test("endpoints are shown with their ports", (t) => {
  const endpoints = prepared(endpointsDefinition, { metadata: { name: "e" }, subsets: [{ addresses: [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }], ports: [{ port: 80 }, { port: 81 }] }] });
  t.is(row(endpointsDefinition, endpoints), "e | 10.0.0.1:80,10.0.0.2:80,10.0.0.1:81 + 1 more... | 60m");
});
