import test from "ava";
import { persistentvolumes, pods } from "../../../../lib/api/schema/generated/references.ts";
import type { PodSpec } from "../../../../lib/api/schema/generated/models.ts";
import { NodeAuthorizer } from "../../../../lib/apiserver/authorization/node-authorizer.ts";
import { NodeGraph } from "../../../../lib/apiserver/authorization/node-graph.ts";
import { nodeRules } from "../../../../lib/apiserver/bootstrap/node-rules.ts";
import type { RequestAttributes } from "../../../../lib/apiserver/contracts.ts";
import { FakeCache } from "../fake-cache.ts";

function setUp() {
  const cache = new FakeCache(), graph = new NodeGraph(cache), authorizer = new NodeAuthorizer({ graph, cache }, nodeRules());
  const pod = (name: string, nodeName: string, spec: Partial<PodSpec> = {}) => cache.put(pods, { metadata: { namespace: "a", name }, spec: { containers: [{ name: "c" }], nodeName, ...spec } });
  const ask = (node: string, verb: string, what: string, name = "", more: Partial<RequestAttributes> = {}) => {
    const [resource = "", subresource = ""] = what.split("/");
    return authorizer.authorize({ user: { name: `system:node:${node}`, groups: ["system:nodes"] }, verb, isResourceRequest: true, path: "", apiGroup: "", apiVersion: "v1", resource, subresource, namespace: "a", name, ...more });
  };
  return { cache, graph, pod, ask, may: (...given: Parameters<typeof ask>) => ask(...given).decision === "allow" };
}

test("NodeAuthorizer gives a node the secrets, config maps, claims and tokens of its pods, and no others'", (t) => {
  const { graph, pod, may, ask, cache } = setUp();
  pod("before", "n1", { volumes: [{ name: "v", secret: { secretName: "early" } }] });
  graph.start();
  pod("web", "n1", {
    serviceAccountName: "robot", imagePullSecrets: [{ name: "pull" }], initContainers: [{ name: "i", env: [{ name: "E", valueFrom: { secretKeyRef: { name: "env", key: "k" } } }] }],
    volumes: [{ name: "c", projected: { sources: [{ configMap: { name: "root" } }] } }, { name: "p", persistentVolumeClaim: { claimName: "data" } }, { name: "s", csi: { driver: "d", nodePublishSecretRef: { name: "csi" } } }, { name: "tmp", ephemeral: {} }],
  });
  for (const name of ["early", "pull", "env", "csi"]) t.true(may("n1", "get", "secrets", name), name);
  t.true(may("n1", "watch", "configmaps", "root"));
  t.true(may("n1", "get", "persistentvolumeclaims", "data"));
  t.true(may("n1", "get", "persistentvolumeclaims", "web-tmp"));
  t.true(may("n1", "create", "serviceaccounts/token", "robot"));
  t.is(ask("n2", "get", "secrets", "pull").reason, "no relationship found between node 'n2' and this object");
  t.false(may("n1", "list", "secrets"));
  t.false(may("n1", "update", "secrets", "pull"));
  t.false(may("n1", "create", "serviceaccounts/token", "default"));
  cache.remove(pods, "a", "web");
  t.false(may("n1", "get", "secrets", "pull"));
  t.true(may("n1", "get", "secrets", "early"));
});

test("NodeAuthorizer follows volumes through their claims to their secrets", (t) => {
  const { graph, pod, may, cache } = setUp();
  graph.start();
  pod("web", "n1", { volumes: [{ name: "p", persistentVolumeClaim: { claimName: "data" } }] });
  cache.put(persistentvolumes, { metadata: { name: "pv" }, spec: { claimRef: { namespace: "a", name: "data" }, csi: { driver: "d", volumeHandle: "h", nodeStageSecretRef: { name: "stage", namespace: "storage" } } } });
  t.true(may("n1", "get", "persistentvolumes", "pv", { namespace: "" }));
  t.true(may("n1", "get", "secrets", "stage", { namespace: "storage" }));
  t.false(may("n2", "get", "persistentvolumes", "pv", { namespace: "" }));
  cache.remove(persistentvolumes, "", "pv");
  t.false(may("n1", "get", "secrets", "stage", { namespace: "storage" }));
});

test("NodeAuthorizer lets a node see its own pods, lease, CSINode and Node object alone", (t) => {
  const { graph, pod, may } = setUp();
  graph.start();
  pod("web", "n1");
  const lease = { apiGroup: "coordination.k8s.io", namespace: "kube-node-lease" };
  t.true(may("n1", "get", "pods", "web") && !may("n2", "get", "pods", "web"));
  t.true(may("n1", "list", "pods", "", { namespace: "", fieldSelector: "spec.nodeName=n1" }));
  t.false(may("n1", "list", "pods", "", { namespace: "", fieldSelector: "spec.nodeName!=n1" }) || may("n1", "list", "pods", "", { fieldSelector: "spec.nodeName=n2" }) || may("n1", "watch", "pods"));
  t.true(may("n1", "update", "leases", "n1", lease) && !may("n1", "update", "leases", "n2", lease) && !may("n1", "list", "leases", "", lease));
  t.true(may("n1", "get", "nodes", "n1", { namespace: "" }) && !may("n1", "get", "nodes", "n2", { namespace: "" }) && may("n1", "create", "nodes", "", { namespace: "" }));
  t.true(may("n1", "patch", "pods/status", "web") && may("n1", "list", "services"));
  t.false(may("n1", "delete", "namespaces", "a"));
});

test("NodeAuthorizer has no opinion on users that are no nodes", (t) => {
  const { graph, cache } = setUp(), authorizer = new NodeAuthorizer({ graph, cache }, nodeRules());
  const request = { verb: "list", isResourceRequest: true, path: "", apiGroup: "", apiVersion: "v1", resource: "services", subresource: "", namespace: "", name: "" };
  t.is(authorizer.authorize({ ...request, user: { name: "system:node:n1", groups: [] } }).decision, "no-opinion");
  t.is(authorizer.authorize({ ...request, user: { name: "system:node:", groups: ["system:nodes"] } }).reason, 'unknown node for user "system:node:"');
});
