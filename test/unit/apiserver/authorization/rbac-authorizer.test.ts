import test from "ava";
import { clusterrolebindings, clusterroles, rolebindings, roles } from "../../../../lib/api/schema/generated/references.ts";
import { StatusError } from "../../../../lib/api/status-error.ts";
import { alwaysDeny, authorizerUnion, superuserAuthorizer } from "../../../../lib/apiserver/authorization/authorizer-union.ts";
import { RbacEscalationCheck } from "../../../../lib/apiserver/authorization/escalation.ts";
import { forbiddenRequest } from "../../../../lib/apiserver/authorization/forbidden-request.ts";
import { impersonate } from "../../../../lib/apiserver/authorization/impersonation.ts";
import { RbacAuthorizer } from "../../../../lib/apiserver/authorization/rbac-authorizer.ts";
import { RbacIndex } from "../../../../lib/apiserver/authorization/rbac-index.ts";
import { compactRules, matchesPath, missingRules } from "../../../../lib/apiserver/authorization/rbac-rules.ts";
import { selfSubjectRulesReviewHandler } from "../../../../lib/apiserver/authorization/rules-review.ts";
import { subjectAccessReviewHandler } from "../../../../lib/apiserver/authorization/access-review.ts";
import type { AdmissionAttributes, RequestAttributes, UserInfo } from "../../../../lib/apiserver/contracts.ts";
import type { KubeObject } from "../../../../lib/api/resource-definition.ts";
import type { PolicyRule } from "../../../../lib/api/schema/generated/models.ts";
import { FakeCache } from "../fake-cache.ts";

const user = (name: string, ...groups: string[]): UserInfo => ({ name, groups });
const ask = (who: UserInfo, verb: string, what: string, more: Partial<RequestAttributes> = {}): RequestAttributes => {
  const [resource = "", subresource = ""] = what.split("/");
  return { user: who, verb, isResourceRequest: true, path: "", apiGroup: "", apiVersion: "v1", resource, subresource, namespace: "default", name: "", ...more };
};
const rule = (verbs: string[], resources: string[], more: Partial<PolicyRule> = {}): PolicyRule => ({ verbs, apiGroups: [""], resources, ...more });

function setUp() {
  const cache = new FakeCache(), index = new RbacIndex(cache), authorizer = new RbacAuthorizer(index);
  index.start();
  const bind = (role: string, name: string, kind = "User", namespace?: string) => {
    const object = { metadata: { name: `${role}-${name}`, ...(namespace === undefined ? {} : { namespace }) }, roleRef: { kind: "ClusterRole", name: role }, subjects: [{ kind, name }] };
    return namespace === undefined ? cache.put(clusterrolebindings, object) : cache.put(rolebindings, object);
  };
  const role = (name: string, ...rules: PolicyRule[]) => cache.put(clusterroles, { metadata: { name }, rules });
  return { cache, index, authorizer, bind, role, may: (attributes: RequestAttributes) => authorizer.authorize(attributes).decision === "allow" };
}

test("RbacAuthorizer reads verbs, groups, resources, subresources and names as upstream does", (t) => {
  const { role, bind, may } = setUp(), jane = user("jane");
  role("r", rule(["get"], ["pods", "pods/log", "*/scale"]), rule(["update"], ["configmaps"], { resourceNames: ["one"] }), rule(["*"], ["*"], { apiGroups: ["custom"] }));
  bind("r", "jane");
  t.true(may(ask(jane, "get", "pods")));
  t.true(may(ask(jane, "get", "pods/log")));
  t.true(may(ask(jane, "get", "deployments/scale")));
  t.false(may(ask(jane, "get", "pods/exec"))); // A resource does not hold its subresources.
  t.false(may(ask(jane, "get", "pods", { apiGroup: "apps" })));
  t.false(may(ask(jane, "list", "pods")));
  t.true(may(ask(jane, "update", "configmaps", { name: "one" })));
  t.false(may(ask(jane, "update", "configmaps", { name: "two" })));
  t.false(may(ask(jane, "update", "configmaps"))); // No name: a create or list of all.
  t.true(may(ask(jane, "anything", "things/sub", { apiGroup: "custom" })));
  t.false(may(ask(user("joe"), "get", "pods")));
});

test("RbacAuthorizer keeps a RoleBinding to its namespace and follows every change at once", (t) => {
  const { cache, role, bind, may } = setUp(), jane = user("jane", "dev");
  bind("reader", "dev", "Group", "a");
  t.false(may(ask(jane, "get", "pods", { namespace: "a" })));
  role("reader", rule(["get"], ["pods"]));
  t.true(may(ask(jane, "get", "pods", { namespace: "a" })));
  t.false(may(ask(jane, "get", "pods", { namespace: "b" })));
  t.false(may(ask(jane, "get", "pods", { namespace: "" })));
  cache.remove(rolebindings, "a", "reader-dev");
  t.false(may(ask(jane, "get", "pods", { namespace: "a" })));
});

test("RbacAuthorizer binds ServiceAccounts, in a RoleBinding by default those of its own namespace", (t) => {
  const { cache, may } = setUp();
  cache.put(roles, { metadata: { namespace: "a", name: "r" }, rules: [rule(["get"], ["pods"])] });
  cache.put(rolebindings, { metadata: { namespace: "a", name: "b" }, roleRef: { kind: "Role", name: "r" }, subjects: [{ kind: "ServiceAccount", name: "robot" }] });
  t.true(may(ask(user("system:serviceaccount:a:robot"), "get", "pods", { namespace: "a" })));
  t.false(may(ask(user("system:serviceaccount:b:robot"), "get", "pods", { namespace: "a" })));
});

test("RbacAuthorizer allows paths by prefix, and only from the whole cluster's bindings", (t) => {
  const { role, bind, may } = setUp(), path = (text: string) => ask(user("jane"), "get", "", { isResourceRequest: false, path: text });
  role("r", { verbs: ["get"], nonResourceURLs: ["/metrics", "/healthz/*"] });
  bind("r", "jane", "User", "a");
  t.false(may(path("/metrics")));
  bind("r", "jane");
  t.true(may(path("/metrics")) && may(path("/healthz/etcd")));
  t.false(may(path("/healthz")) || may(path("/metrics/x")));
  t.true(matchesPath({ verbs: ["*"], nonResourceURLs: ["*"] }, "post", "/any"));
});

test("RbacAuthorizer names the missing role, and forbiddenRequest() says it in upstream's words", (t) => {
  const { bind, authorizer } = setUp(), attributes = ask(user("jane"), "get", "pods");
  bind("gone", "jane");
  const { reason } = authorizer.authorize(attributes);
  t.is(reason, 'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found');
  const error = forbiddenRequest(attributes, reason);
  t.is(error.message, 'pods is forbidden: User "jane" cannot get resource "pods" in API group "" in the namespace "default": RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found');
  t.is(error.code, 403);
  t.is(forbiddenRequest(ask(user("j"), "get", "deployments/scale", { apiGroup: "apps", name: "web", namespace: "" }), "").message,
    'deployments.apps "web" is forbidden: User "j" cannot get resource "deployments/scale" in API group "apps" at the cluster scope');
  t.is(forbiddenRequest({ ...attributes, isResourceRequest: false, path: "/x", verb: "get" }, "").message, 'forbidden: User "jane" cannot get path "/x"');
});

test("missingRules() finds what a set of rules does not hold, in any combination", (t) => {
  const held = [rule(["get", "list"], ["pods"]), rule(["*"], ["*/scale"], { apiGroups: ["*"] }), rule(["update"], ["secrets"], { resourceNames: ["a", "b"] })];
  t.deepEqual(missingRules(held, [rule(["get"], ["pods"]), rule(["patch"], ["deployments/scale"], { apiGroups: ["apps"] }), rule(["update"], ["secrets"], { resourceNames: ["b"] })]), []);
  t.deepEqual(compactRules(missingRules(held, [rule(["get", "create", "delete"], ["pods"]), rule(["update"], ["secrets"])])),
    ['{APIGroups:[""], Resources:["pods"], Verbs:["create", "delete"]}', '{APIGroups:[""], Resources:["secrets"], Verbs:["update"]}']);
});

test("RbacEscalationCheck lets nobody grant or bind what he does not hold", (t) => {
  const { role, bind, index, authorizer } = setUp(), jane = user("jane", "dev");
  role("powers", rule(["create", "update"], ["roles", "rolebindings"], { apiGroups: ["rbac.authorization.k8s.io"] }), rule(["get"], ["pods"]));
  role("secrets", rule(["get"], ["secrets"]));
  bind("powers", "jane");
  const check = new RbacEscalationCheck({ index, authorizer });
  const write = (plural: string, object: object, who = jane, oldObject?: object) => () => check.validate({
    operation: oldObject === undefined ? "CREATE" : "UPDATE", definition: { group: "rbac.authorization.k8s.io", plural }, subresource: "", namespace: "default", name: "x", object, oldObject, user: who, dryRun: false, addWarning() {},
  } as unknown as AdmissionAttributes);
  const roleObject = (...rules: PolicyRule[]) => ({ metadata: { name: "x" }, rules });
  t.notThrows(write("roles", roleObject(rule(["get"], ["pods"]))));
  const refused = t.throws(write("roles", roleObject(rule(["get"], ["pods", "secrets"]))), { instanceOf: StatusError })!;
  t.is(refused.message, 'roles.rbac.authorization.k8s.io "x" is forbidden: user "jane" (groups=["dev"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}');
  const same = roleObject(rule(["get"], ["secrets"]));
  t.notThrows(write("roles", same, jane, same)); // Labels changed, say.
  t.notThrows(write("roles", same, user("root", "system:masters")));
  const binding = (name: string) => ({ metadata: { name: "x" }, roleRef: { kind: "ClusterRole", name }, subjects: [] });
  t.throws(write("rolebindings", binding("secrets")), { message: /not currently held/ });
  t.throws(write("rolebindings", binding("gone")), { message: 'clusterroles.rbac.authorization.k8s.io "gone" not found' });
  role("binder", rule(["bind"], ["clusterroles"], { apiGroups: ["rbac.authorization.k8s.io"], resourceNames: ["secrets"] }));
  bind("binder", "jane");
  t.notThrows(write("rolebindings", binding("secrets")));
});

test("impersonate() asks for every part of the other identity", (t) => {
  const { role, bind, authorizer } = setUp(), jane = user("jane");
  role("i", rule(["impersonate"], ["users"], { resourceNames: ["bob"] }), rule(["impersonate"], ["groups"], { resourceNames: ["dev"] }), rule(["impersonate"], ["serviceaccounts"]));
  bind("i", "jane");
  const as = (headers: Record<string, string>, rawHeaders: string[] = []) => impersonate(jane, { headers, ...(rawHeaders.length === 0 ? {} : { rawHeaders }) }, authorizer);
  t.is(as({}), jane);
  t.deepEqual(as({ "impersonate-user": "bob", "impersonate-group": "dev" }), { name: "bob", groups: ["dev", "system:authenticated"] });
  t.deepEqual(as({ "impersonate-user": "system:serviceaccount:a:b" }).groups, ["system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated"]);
  t.throws(() => as({ "impersonate-user": "alice" }), { message: /cannot impersonate resource "users"/ });
  t.throws(() => as({ "impersonate-user": "bob", "impersonate-group": "dev, system:masters" }, ["Impersonate-User", "bob", "Impersonate-Group", "dev", "Impersonate-Group", "system:masters"]), { message: /"system:masters" is forbidden.*cannot impersonate resource "groups"/ });
  t.throws(() => as({ "impersonate-user": "bob", "impersonate-extra-scopes": "x" }), { message: /userextras\/scopes/ });
  t.throws(() => as({ "impersonate-group": "dev" }), { message: /without impersonating a user/ });
});

test("Reviews answer with the decision, the rules, and refuse what is not a question", async (t) => {
  const { role, bind, authorizer, index } = setUp(), context = { user: user("jane"), namespace: "", name: "", dryRun: false, addWarning() {} };
  role("r", rule(["get"], ["pods"]));
  bind("r", "jane");
  const handler = subjectAccessReviewHandler(authorizerUnion([superuserAuthorizer, authorizer]));
  const review = async (spec: object) => (await handler({ metadata: {}, spec } as unknown as KubeObject, context)) as unknown as { status: unknown };
  t.deepEqual((await review({ user: "jane", resourceAttributes: { verb: "get", resource: "pods", namespace: "a" } })).status,
    { allowed: true, reason: 'RBAC: allowed by ClusterRoleBinding "r-jane" of ClusterRole "r" to User "jane"' });
  t.deepEqual((await review({ user: "jane", resourceAttributes: { verb: "list", resource: "pods" } })).status, { allowed: false });
  await t.throwsAsync(() => review({ user: "jane" }), { message: /exactly one of nonResourceAttributes or resourceAttributes must be specified/ });
  await t.throwsAsync(() => review({ resourceAttributes: {} }), { message: /at least one of user or group must be specified/ });
  const rules = (await selfSubjectRulesReviewHandler(index)({ metadata: {}, spec: { namespace: "a" } } as unknown as KubeObject, context)) as unknown as { status: { resourceRules: unknown[]; incomplete: boolean } };
  t.deepEqual([rules.status.resourceRules, rules.status.incomplete], [[{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }], false]);
});

test("authorizerUnion() stops at the first opinion and joins reasons", (t) => {
  t.is(authorizerUnion([superuserAuthorizer, alwaysDeny]).authorize(ask(user("x", "system:masters"), "get", "pods")).decision, "allow");
  t.deepEqual(authorizerUnion([alwaysDeny, alwaysDeny]).authorize(ask(user("x"), "get", "pods")), { decision: "no-opinion", reason: "Everything is forbidden.\nEverything is forbidden." });
});
