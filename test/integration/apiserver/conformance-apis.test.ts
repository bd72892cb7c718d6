/**
 * Conformance's demands on the APIs of networks, workloads, events, authorization and certificates, re-told: `test/e2e/network/{service,
 * endpointslice}.go`, `test/e2e/apps/{deployment,replica_set,statefulset,rc,disruption,controller_revision}.go`, `test/e2e/instrumentation/
 * {events,core_events}.go`, `test/e2e/auth/{subjectreviews,selfsubjectreviews,certificates}.go`.
 */
import test from "ava";
import { createAuthority, issue } from "../../../lib/pki/certificate.ts";
import { createRequest } from "../../../lib/pki/certificate-request.ts";
import { generateKey } from "../../../lib/pki/keys.ts";
import { Harness, deployment, pod, type Answer, type Json } from "./harness.ts";

let api: Harness;
test.before(async () => { api = await Harness.start(); });
test.after.always(() => api.close());

const invalid = ({ status, body }: Answer): [number, string, string[]] => [status, body.reason, (body.details?.causes ?? []).map((cause: { field: string }) => cause.field)];
const template = { metadata: { labels: { app: "x" } }, spec: { containers: [{ name: "c", image: "x" }] } };

test("the API server is a Service, with endpoints and a slice that tell the same addresses (service.go: secure master service; endpointslice.go)", async (t) => {
  await api.kubernetesService();
  const service = (await api.get("/api/v1/namespaces/default/services/kubernetes")).body;
  t.like(service.spec, { type: "ClusterIP", ports: [{ name: "https", protocol: "TCP", port: 443 }] });
  const { subsets } = (await api.get("/api/v1/namespaces/default/endpoints/kubernetes")).body;
  const { items } = (await api.get("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name%3Dkubernetes")).body;
  t.deepEqual([items.length, items[0].addressType], [1, "IPv4"]);
  t.deepEqual(items[0].endpoints.flatMap((endpoint: { addresses: string[] }) => endpoint.addresses), subsets[0].addresses.map(({ ip }: { ip: string }) => ip));
  t.deepEqual([items[0].ports[0].name, items[0].ports[0].port], [subsets[0].ports[0].name, subsets[0].ports[0].port]);
});

test("a Service changes its type: addresses and ports come and go with it (service.go: change type)", async (t) => {
  const ns = await api.namespace("types"), path = `/api/v1/namespaces/${ns}/services`, ports = [{ port: 80, protocol: "TCP" }];
  const outside = (await api.post(path, { metadata: { name: "s" }, spec: { type: "ExternalName", externalName: "foo.example.com" } })).body;
  t.deepEqual([outside.spec.clusterIP, outside.spec.type], [undefined, "ExternalName"]);
  const inside = (await api.put(`${path}/s`, { ...outside, spec: { type: "ClusterIP", ports, selector: { a: "b" } } })).body;
  t.regex(inside.spec.clusterIP, /^10\.96\./);
  t.deepEqual([inside.spec.externalName, inside.spec.clusterIPs], [undefined, [inside.spec.clusterIP]]);
  const back = (await api.put(`${path}/s`, { ...inside, spec: { type: "ExternalName", externalName: "foo.example.com" } })).body;
  t.deepEqual([back.spec.clusterIP, back.spec.clusterIPs], [undefined, undefined]);
  const node = (await api.put(`${path}/s`, { ...back, spec: { type: "NodePort", ports } })).body;
  t.true(node.spec.ports[0].nodePort >= 30_000 && node.spec.clusterIP.startsWith("10.96."));
  const none = (await api.patch(`${path}/s`, { spec: { type: "ExternalName", externalName: "bar.example.com", clusterIP: null, clusterIPs: null, ports: null } })).body;
  t.deepEqual([none.spec.clusterIP, none.spec.ports], [undefined, undefined]);
  t.is((await api.post(path, { metadata: { name: "again" }, spec: { type: "NodePort", ports: [{ port: 80, nodePort: node.spec.ports[0].nodePort }] } })).status, 201, "its port is free again");
  t.deepEqual(invalid(await api.post(path, { metadata: { name: "taken" }, spec: { type: "NodePort", ports: [{ port: 80, nodePort: node.spec.ports[0].nodePort }] } })), [422, "Invalid", ["spec.ports[0].nodePort"]]);
  const affine = (await api.patch(`${path}/again`, { spec: { sessionAffinity: "ClientIP" } })).body;
  t.deepEqual([affine.spec.sessionAffinityConfig, (await api.patch(`${path}/again`, { spec: { sessionAffinity: "None" } })).body.spec.sessionAffinity], [{ clientIP: { timeoutSeconds: 10_800 } }, "None"]);
});

test("a Service's status is read, patched and updated on its own (service.go: status lifecycle)", async (t) => {
  const ns = await api.namespace("service-status"), path = `/api/v1/namespaces/${ns}/services/s`;
  await api.post(`/api/v1/namespaces/${ns}/services`, { metadata: { name: "s", labels: { life: "yes" } }, spec: { type: "LoadBalancer", ports: [{ name: "http", protocol: "TCP", port: 80, targetPort: 80 }] } });
  t.deepEqual((await api.get(`${path}/status`)).body.status, { loadBalancer: {} });
  const patched = (await api.patch(`${path}/status`, { metadata: { annotations: { patchedstatus: "true" } }, status: { loadBalancer: { ingress: [{ ip: "203.0.113.1" }] } } })).body;
  t.deepEqual([patched.metadata.annotations.patchedstatus, patched.status.loadBalancer.ingress], ["true", [{ ip: "203.0.113.1", ipMode: "VIP" }]]);
  const condition = { type: "StatusUpdate", status: "True", reason: "E2E", message: "Set by a test" };
  t.like((await api.put(`${path}/status`, { ...patched, status: { ...patched.status, conditions: [condition] } })).body.status.conditions[0], condition);
  t.is((await api.patch(path, { metadata: { labels: { "test-service": "patched" } } }, "strategic-merge")).body.status.conditions.length, 1);
  t.is((await api.get("/api/v1/services?labelSelector=life%3Dyes")).body.items.length, 1);
  const gone = await api.delete(path);
  t.deepEqual([gone.status, gone.body.kind, gone.body.metadata.name], [200, "Service", "s"]);
});

for (const [kind, root, body] of [
  ["Deployment", "/apis/apps/v1", { spec: { replicas: 1, selector: { matchLabels: { app: "x" } }, template } }],
  ["ReplicaSet", "/apis/apps/v1", { spec: { replicas: 1, selector: { matchLabels: { app: "x" } }, template } }],
  ["StatefulSet", "/apis/apps/v1", { spec: { replicas: 1, serviceName: "s", selector: { matchLabels: { app: "x" } }, template } }],
  ["ReplicationController", "/api/v1", { spec: { replicas: 1, selector: { app: "x" }, template } }],
] as const) {
  test(`${kind}: its scale is read, updated, and patched in every form`, async (t) => {
    const ns = await api.namespace(`scale-${kind.toLowerCase()}`), path = `${root}/namespaces/${ns}/${kind.toLowerCase()}s`, replicas = async (): Promise<number> => (await api.get(`${path}/s`)).body.spec.replicas;
    await api.post(path, { metadata: { name: "s" }, ...body });
    const scale = (await api.get(`${path}/s/scale`)).body;
    t.deepEqual([scale.kind, scale.apiVersion, scale.spec, scale.status.selector], ["Scale", "autoscaling/v1", { replicas: 1 }, "app=x"]);
    t.is((await api.put(`${path}/s/scale`, { ...scale, metadata: { ...scale.metadata, resourceVersion: "" }, spec: { replicas: 2 } })).body.spec.replicas, 2);
    t.is(await replicas(), 2);
    for (const [count, type, patch] of [[4, "strategic-merge", { spec: { replicas: 4 } }], [5, "merge", { spec: { replicas: 5 } }], [6, "json", [{ op: "replace", path: "/spec/replicas", value: 6 }]]] as const) {
      const answer = await api.patch(`${path}/s/scale`, patch, type);
      t.deepEqual([answer.status, answer.body.spec?.replicas, await replicas()], [200, count, count], answer.text);
    }
  });
}

test("a Deployment's life: labels and status by patch, replaced, gone (deployment.go)", async (t) => {
  const ns = await api.namespace("deployments"), path = `/apis/apps/v1/namespaces/${ns}/deployments`, labels = { "test-deployment-static": "true" };
  await api.post(path, { ...deployment("web"), metadata: { name: "web", labels } });
  const patched = (await api.patch(`${path}/web`, { metadata: { labels: { "test-deployment": "patched" } }, spec: { replicas: 2, template: { spec: { terminationGracePeriodSeconds: 0, containers: [{ name: "main", image: "nginx:2" }] } } } }, "strategic-merge")).body;
  t.deepEqual([patched.spec.replicas, patched.spec.template.spec.containers[0].image, patched.spec.template.spec.terminationGracePeriodSeconds, patched.metadata.generation], [2, "nginx:2", 0, 2]);
  t.is((await api.patch(`${path}/web/status`, { metadata: { labels: { "test-deployment": "patched-status" } }, status: { readyReplicas: 0 } })).body.metadata.labels["test-deployment"], "patched", "status leaves a Deployment's labels alone");
  const updated = await api.put(`${path}/web/status`, { ...patched, metadata: { ...patched.metadata, resourceVersion: "" }, status: { conditions: [{ type: "StatusUpdate", status: "True", reason: "E2E" }] } });
  t.is(updated.body.status.conditions[0].type, "StatusUpdate", updated.text);
  t.is((await api.get("/apis/apps/v1/deployments?labelSelector=test-deployment-static%3Dtrue")).body.items.length, 1);
  t.is((await api.delete(`${path}?labelSelector=test-deployment-static%3Dtrue`)).status, 200);
  t.is((await api.get(path)).body.items.length, 0);
});

test("disruption budgets are updated in spec and status, and selected for deletion (disruption.go)", async (t) => {
  const ns = await api.namespace("budgets"), path = `/apis/policy/v1/namespaces/${ns}/poddisruptionbudgets`, selector = { matchLabels: { foo: "bar" } };
  const made = (await api.post(path, { metadata: { name: "b", labels: { life: "yes" } }, spec: { minAvailable: 1, selector } })).body;
  t.is((await api.put(`${path}/b`, { ...made, spec: { minAvailable: "2%", selector } })).body.spec.minAvailable, "2%");
  t.is((await api.patch(`${path}/b`, { spec: { minAvailable: "3%" } }, "strategic-merge")).body.spec.minAvailable, "3%");
  const time = "2026-01-01T00:00:00Z", status = (await api.patch(`${path}/b/status`, { status: { observedGeneration: 1, disruptedPods: { pod1: time }, disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 } })).body;
  t.deepEqual(status.status.disruptedPods, { pod1: time });
  const two = (await api.put(`${path}/b/status`, { ...status, status: { ...status.status, disruptedPods: { ...status.status.disruptedPods, pod2: time } } })).body;
  t.deepEqual(two.status.disruptedPods, { pod1: time, pod2: time });
  t.deepEqual((await api.patch(`${path}/b/status`, { status: { disruptedPods: { pod2: null } } })).body.status.disruptedPods, { pod1: time });
  await api.delete(`${path}?labelSelector=life%3Dyes`);
  t.is((await api.get(path)).body.items.length, 0);
});

test("one event, two APIs: made, patched, made a series, chosen by fields, deleted (events.go, core_events.go)", async (t) => {
  const ns = await api.namespace("event-apis"), core = `/api/v1/namespaces/${ns}/events`, group = `/apis/events.k8s.io/v1/namespaces/${ns}/events`;
  const made = await api.post(group, {
    metadata: { name: "e", labels: { testevent: "yes" } }, series: null, eventTime: "2017-09-19T13:49:16.000000Z", reportingController: "test-controller", reportingInstance: "test-node", action: "Do", reason: "Test", type: "Normal", note: "This is e",
    regarding: { namespace: ns }, deprecatedCount: 1, deprecatedFirstTimestamp: "2017-09-19T13:49:16Z", deprecatedLastTimestamp: "2017-09-19T13:49:16Z",
  });
  t.deepEqual(invalid(made), [422, "Invalid", ["firstTimestamp", "lastTimestamp", "count"]], "the deprecated fields belong to the old API");
  t.is((await api.post(group, { metadata: { name: "e", labels: { testevent: "yes" } }, eventTime: "2017-09-19T13:49:16.000000Z", reportingController: "test-controller", reportingInstance: "test-node", action: "Do", reason: "Test", type: "Normal", note: "This is e", regarding: { namespace: ns } })).status, 201);
  for (const path of ["/apis/events.k8s.io/v1/events", group, "/api/v1/events", core]) t.is((await api.get(`${path}?labelSelector=testevent%3Dyes`)).body.items.length, 1, path);
  t.is((await api.get(`${core}?fieldSelector=source%3Dtest-controller`)).body.items.length, 1);
  t.is((await api.get(`${core}?fieldSelector=reportingComponent%3Dtest-controller`)).body.items.length, 1);
  t.is((await api.get(`${group}?fieldSelector=reportingController%3Dtest-controller`)).body.items.length, 1);
  t.is((await api.get(`${group}?fieldSelector=reportingController%3Dother`)).body.items.length, 0);
  const old = (await api.get(`${group}/e`)).body, patched = (await api.patch(`${group}/e`, { series: { count: 2, lastObservedTime: "2014-09-19T13:49:16.000000Z" } }, "strategic-merge")).body;
  t.deepEqual([patched.series, patched.note, patched.eventTime], [{ count: 2, lastObservedTime: "2014-09-19T13:49:16.000000Z" }, old.note, old.eventTime]);
  const updated = (await api.put(`${group}/e`, { ...patched, series: { count: 100, lastObservedTime: "2014-09-19T13:49:16.000000Z" } })).body;
  t.is((await api.get(`${core}/e`)).body.series.count, updated.series.count);
  t.deepEqual(invalid(await api.patch(`${group}/e`, { note: "another" })), [422, "Invalid", ["message"]], "only a series may change");
  t.is((await api.patch(`${core}/e`, { message: "This is a test event - patched" }, "strategic-merge")).status, 200);
  await api.delete(`${group}/e`);
  t.is((await api.get(`${core}/e`)).status, 404);
  for (const name of ["one", "two", "three"]) await api.post(core, { metadata: { name, labels: { life: "yes" } }, involvedObject: { namespace: ns }, reason: "Test", message: name, type: "Normal" });
  t.is((await api.delete(`${core}?labelSelector=life%3Dyes`)).status, 200);
  t.is((await api.get(`${group}?labelSelector=life%3Dyes`)).body.items.length, 0);
});

test("a subject review says what the subject itself meets (subjectreviews.go, selfsubjectreviews.go)", async (t) => {
  const ns = await api.namespace("reviews"), user = `system:serviceaccount:${ns}:robot`, groups = ["system:authenticated", "system:serviceaccounts", `system:serviceaccounts:${ns}`];
  const resourceAttributes = { verb: "list", resource: "configmaps", version: "v1", namespace: ns }, spec = { user, groups, resourceAttributes };
  const allowed = async (): Promise<unknown[]> => {
    const cluster = await api.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", { spec }), local = await api.post(`/apis/authorization.k8s.io/v1/namespaces/${ns}/localsubjectaccessreviews`, { metadata: { namespace: ns }, spec });
    const self = await api.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", { spec: { resourceAttributes } }, { "impersonate-user": user }), list = await api.get(`/api/v1/namespaces/${ns}/configmaps`, { "impersonate-user": user });
    return [cluster.status, local.status, cluster.body.status.allowed, local.body.status.allowed, self.body.status.allowed, list.status];
  };
  t.deepEqual(await allowed(), [201, 201, false, false, false, 403]);
  await api.post(`/apis/rbac.authorization.k8s.io/v1/namespaces/${ns}/rolebindings`, { metadata: { name: "view" }, roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" }, subjects: [{ kind: "ServiceAccount", name: "robot", namespace: ns }] });
  t.deepEqual(await allowed(), [201, 201, true, true, true, 200]);
  const local = (body: Json): Promise<Answer> => api.post(`/apis/authorization.k8s.io/v1/namespaces/${ns}/localsubjectaccessreviews`, body), cluster = (body: Json): Promise<Answer> => api.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", body);
  t.deepEqual(invalid(await local({ spec: { user, resourceAttributes: { ...resourceAttributes, namespace: "other" } } })), [422, "Invalid", ["spec.resourceAttributes.namespace"]]);
  t.deepEqual(invalid(await local({ spec: { user, nonResourceAttributes: { path: "/", verb: "get" } } })), [422, "Invalid", ["spec.nonResourceAttributes"]]);
  t.deepEqual(invalid(await cluster({ metadata: { name: "named" }, spec: { resourceAttributes: { ...resourceAttributes, labelSelector: {} } } })), [422, "Invalid", ["spec.resourceAttributes.labelSelector.requirements", "spec.user", "metadata"]]);
  t.deepEqual(invalid(await cluster({ spec: { user } })), [422, "Invalid", ["spec.resourceAttributes"]]);
  const self = (await api.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, { "impersonate-user": "jane", "impersonate-group": "devs", "impersonate-uid": "abc", "impersonate-extra-team": "a" })).body;
  t.deepEqual([self.kind, self.status.userInfo], ["SelfSubjectReview", { username: "jane", uid: "abc", groups: ["devs", "system:authenticated"], extra: { team: ["a"] } }]);
});

test("certificate requests are approved and issued through their subresources (certificates.go)", async (t) => {
  const path = "/apis/certificates.k8s.io/v1/certificatesigningrequests", signerName = "example.com/e2e", request = Buffer.from(createRequest(generateKey(), { subject: { commonName: "e2e.example.com" }, names: ["e2e.example.com"] })).toString("base64");
  const names = []; for (let i = 0; i < 3; i++) names.push((await api.post(path, { metadata: { generateName: "e2e-" }, spec: { request, signerName, expirationSeconds: 3600, usages: ["digital signature", "key encipherment", "server auth"] } })).body.metadata.name);
  const url = `${path}/${names[0]}`, selected = `${path}?fieldSelector=spec.signerName%3D${encodeURIComponent(signerName)}`;
  t.is((await api.get(selected)).body.items.length, 3);
  t.is((await api.get(url)).body.spec.username, "kubernetes-admin");
  t.is((await api.get(`${url}/approval`)).body.metadata.name, names[0]);
  const approval = (await api.patch(`${url}/approval`, { metadata: { annotations: { patchedapproval: "true" } }, status: { conditions: [{ type: "ApprovalPatch", status: "True", reason: "e2e" }] } })).body;
  t.deepEqual([approval.metadata.annotations.patchedapproval, approval.status.conditions.map((c: Json) => c["type"])], ["true", ["ApprovalPatch"]]);
  const approved = (await api.put(`${url}/approval`, { ...approval, status: { conditions: [...approval.status.conditions, { type: "Approved", status: "True", reason: "E2E" }] } })).body;
  t.deepEqual(approved.status.conditions.map((c: Json) => c["type"]), ["ApprovalPatch", "Approved"]);
  const authority = createAuthority({ commonName: "e2e", now: new Date() }), certificate = Buffer.from(issue(authority, { subject: { commonName: "e2e.example.com" }, usages: ["server"], names: ["e2e.example.com"], now: new Date() }).certificatePem).toString("base64");
  const issued = (await api.patch(`${url}/status`, { metadata: { annotations: { patchedstatus: "true" } }, status: { certificate } })).body;
  t.deepEqual([issued.status.certificate, issued.metadata.annotations.patchedstatus], [certificate, "true"]);
  const updated = (await api.put(`${url}/status`, { ...issued, status: { ...issued.status, conditions: [...issued.status.conditions, { type: "StatusUpdate", status: "True", reason: "E2E" }] } })).body;
  t.is(updated.status.conditions.length, 3);
  t.is((await api.delete(selected)).body.items.length, 3);
  t.is((await api.get(selected)).body.items.length, 0);
});

test("a controller's revision is immutable in its data alone (controller_revision.go)", async (t) => {
  const ns = await api.namespace("revisions"), path = `/apis/apps/v1/namespaces/${ns}/controllerrevisions`, made = (await api.post(path, { metadata: { name: "r" }, data: { spec: { a: [1, { b: null }] } }, revision: 1 })).body;
  t.deepEqual(made.data, { spec: { a: [1, { b: null }] } });
  t.is((await api.put(`${path}/r`, { ...made, revision: 3, metadata: { ...made.metadata, labels: { a: "b" } } })).body.revision, 3);
  t.deepEqual(invalid(await api.put(`${path}/r`, { ...made, metadata: { ...made.metadata, resourceVersion: "" }, data: { other: true } })), [422, "Invalid", ["data"]]);
  t.deepEqual(invalid(await api.post(path, { metadata: { name: "negative" }, data: {}, revision: -1 })), [422, "Invalid", ["revision"]]);
});

test("pods are chosen by the fields upstream chooses them by", async (t) => {
  const ns = await api.namespace("pod-fields"), path = `/api/v1/namespaces/${ns}/pods`;
  await api.post(path, pod("p", { schedulerName: "mine", serviceAccountName: "default", restartPolicy: "Never", hostNetwork: true }));
  for (const selector of ["spec.schedulerName=mine", "spec.serviceAccountName=default", "spec.restartPolicy=Never", "status.phase=Pending", "spec.nodeName=", "status.podIP=", "status.nominatedNodeName=", "spec.hostNetwork=true", "metadata.name=p,metadata.namespace=pod-fields"]) {
    t.is((await api.get(`${path}?fieldSelector=${encodeURIComponent(selector)}`)).body.items?.length, 1, selector);
  }
});
