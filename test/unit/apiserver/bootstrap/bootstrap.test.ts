import test from "ava";
import type { KubeObject } from "../../../../lib/api/resource-definition.ts";
import type { ResourceReference } from "../../../../lib/api/reference.ts";
import { clusterrolebindings, clusterroles, namespaces, priorityclasses, rolebindings, roles } from "../../../../lib/api/schema/generated/references.ts";
import { bootstrapCluster } from "../../../../lib/apiserver/bootstrap/bootstrap.ts";
import { nodeRules } from "../../../../lib/apiserver/bootstrap/node-rules.ts";
import { planBinding, planRole } from "../../../../lib/apiserver/bootstrap/plan-rbac.ts";
import { AUTOUPDATE_ANNOTATION, clusterRole, rule } from "../../../../lib/apiserver/bootstrap/policy-rule.ts";
import { RbacAuthorizer } from "../../../../lib/apiserver/authorization/rbac-authorizer.ts";
import { RbacIndex } from "../../../../lib/apiserver/authorization/rbac-index.ts";
import type { InternalWriter } from "../../../../lib/apiserver/contracts.ts";
import { silentLogger } from "../../../../lib/util/logger.ts";
import { FakeCache } from "../fake-cache.ts";

function setUp() {
  const cache = new FakeCache(), written: string[] = [];
  const put = <T extends KubeObject>(resource: ResourceReference<T>, object: T): Promise<T> => {
    written.push(`${resource.plural}/${object.metadata.name}`);
    return Promise.resolve(cache.put(resource, object));
  };
  const writer: InternalWriter = { create: put, update: put, remove: () => Promise.reject(new Error("nothing is removed")) };
  return { cache, written, bootstrap: () => bootstrapCluster({ cache, writer, log: silentLogger }) };
}

test("bootstrapCluster() makes what every cluster has, and nothing the second time", async (t) => {
  const { cache, written, bootstrap } = setUp();
  await bootstrap();
  t.deepEqual(cache.list(namespaces).map((each) => each.metadata.name).sort(), ["default", "kube-node-lease", "kube-public", "kube-system"]);
  t.is(cache.get(priorityclasses, "", "system-node-critical")!.value, 2_000_001_000);
  t.deepEqual([cache.list(clusterroles).length, cache.list(clusterrolebindings).length, cache.list(roles).length, cache.list(rolebindings).length], [69, 51, 7, 7]);
  written.length = 0;
  await bootstrap();
  t.deepEqual(written, []);
});

test("bootstrapCluster() sums admin, edit and view, so that each can do what its name says", async (t) => {
  const { cache, bootstrap } = setUp();
  await bootstrap();
  const index = new RbacIndex(cache), authorizer = new RbacAuthorizer(index);
  index.start();
  for (const role of ["admin", "edit", "view"]) cache.put(rolebindings, { metadata: { namespace: "a", name: role }, roleRef: { kind: "ClusterRole", name: role }, subjects: [{ kind: "User", name: role }] });
  const may = (name: string, verb: string, resource: string, namespace = "a") =>
    authorizer.authorize({ user: { name, groups: [] }, verb, isResourceRequest: true, path: "", apiGroup: resource === "roles" ? "rbac.authorization.k8s.io" : "", apiVersion: "v1", resource, subresource: "", namespace, name: "" }).decision === "allow";
  const table = (name: string) => [may(name, "list", "pods"), may(name, "create", "pods"), may(name, "get", "secrets"), may(name, "create", "roles"), may(name, "list", "pods", "b")];
  t.deepEqual(table("view"), [true, false, false, false, false]);
  t.deepEqual(table("edit"), [true, true, true, false, false]);
  t.deepEqual(table("admin"), [true, true, true, true, false]);
  t.deepEqual(cache.get(clusterroles, "", "system:node")!.rules, nodeRules());
});

test("planRole() adds missing rules whole and keeps what people added, unless the object is protected", (t) => {
  const expected = clusterRole("x", [rule("get list", "core", "pods"), rule("get", "apps", "deployments")]);
  const existing = { ...clusterRole("x", [rule("get", "core", "pods"), rule("*", "custom", "*")]), metadata: { name: "x", labels: { mine: "1" } } };
  const plan = planRole(expected, existing);
  t.is(plan.action, "update");
  if (plan.action !== "update") return;
  t.deepEqual(plan.object.rules, [...existing.rules!, ...expected.rules!]);
  t.deepEqual(plan.object.metadata.labels, { mine: "1", "kubernetes.io/bootstrapping": "rbac-defaults" });
  t.is(planRole(expected, plan.object).action, "none");
  t.is(planRole(expected, { ...existing, metadata: { name: "x", annotations: { [AUTOUPDATE_ANNOTATION]: "false" } } }).action, "none");
});

test("planBinding() adds missing subjects and says when the role cannot be changed", (t) => {
  const binding = (role: string, ...users: string[]) => ({ metadata: { name: "b" }, roleRef: { kind: "ClusterRole", name: role }, subjects: users.map((name) => ({ kind: "User", name })) });
  const plan = planBinding(binding("r", "a"), binding("r", "b"));
  t.deepEqual(plan.action === "update" && plan.object.subjects!.map((subject) => subject.name), ["b", "a"]);
  t.is(planBinding(binding("r", "a"), binding("other", "a")).action, "conflict");
});
