import test from "ava";
import { Harness } from "./harness.ts";

let api: Harness;
test.before(async () => { api = await Harness.start(); });
test.after.always(() => api.close());

test("/api and /apis name versions and groups in upstream's order", async (t) => {
  const core = (await api.get("/api")).body;
  t.deepEqual([core.kind, core.versions], ["APIVersions", ["v1"]]);
  const { body } = await api.get("/apis");
  t.is(body.kind, "APIGroupList");
  t.deepEqual(body.groups.slice(0, 4).map((g: { name: string }) => g.name), ["apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io"]);
  const autoscaling = body.groups.find((g: { name: string }) => g.name === "autoscaling");
  t.deepEqual([autoscaling.versions.map((v: { version: string }) => v.version), autoscaling.preferredVersion.version], [["v2", "v1"], "v2"]);
  t.is((await api.get("/apis/apps")).body.preferredVersion.groupVersion, "apps/v1");
});

test("/api/v1 lists resources and subresources as upstream does", async (t) => {
  const { body } = await api.get("/api/v1");
  t.deepEqual([body.kind, body.groupVersion, body.apiVersion], ["APIResourceList", "v1", undefined]);
  const find = (name: string) => body.resources.find((r: { name: string }) => r.name === name);
  t.deepEqual(find("pods"), {
    name: "pods", singularName: "pod", namespaced: true, kind: "Pod", verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
    shortNames: ["po"], categories: ["all"], storageVersionHash: "xPOwRZ+Yhw8=",
  });
  t.deepEqual(find("pods/eviction"), { name: "pods/eviction", singularName: "", namespaced: true, group: "policy", version: "v1", kind: "Eviction", verbs: ["create"] });
  t.deepEqual(find("replicationcontrollers/scale"), { name: "replicationcontrollers/scale", singularName: "", namespaced: true, group: "autoscaling", version: "v1", kind: "Scale", verbs: ["get", "patch", "update"] });
  t.deepEqual(find("bindings").verbs, ["create"]);
});

test("aggregated discovery is one document by ETag", async (t) => {
  const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
  const first = await api.get("/apis", { accept });
  t.is(first.headers["content-type"], "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
  t.deepEqual([first.body.kind, first.body.apiVersion, first.body.items[1].metadata.name], ["APIGroupDiscoveryList", "apidiscovery.k8s.io/v2", "apps"]);
  const deployments = first.body.items[1].versions[0].resources.find((r: { resource: string }) => r.resource === "deployments");
  t.deepEqual([deployments.scope, deployments.singularResource, deployments.subresources.map((s: { subresource: string }) => s.subresource)], ["Namespaced", "deployment", ["scale", "status"]]);
  const again = await api.get("/apis", { accept, "if-none-match": first.headers.etag! });
  t.deepEqual([again.status, again.text], [304, ""]);
  t.is((await api.get("/api", { accept })).body.items[0].versions[0].version, "v1");
});

test("/openapi/v3 leads to a document a group and version", async (t) => {
  const { paths } = (await api.get("/openapi/v3")).body;
  const { serverRelativeURL } = paths["apis/apps/v1"];
  const { body, headers } = await api.get(serverRelativeURL);
  t.true(body.components.schemas["io.k8s.api.apps.v1.Deployment"] !== undefined);
  t.is((await api.get(serverRelativeURL, { "if-none-match": headers.etag! })).status, 304);
  t.is((await api.get("/openapi/v3/apis/bogus/v1")).status, 404);
  t.is((await api.get("/openapi/v2")).body.swagger, "2.0");
});

test("/version tells the Kubernetes release", async (t) => {
  const { body } = await api.get("/version");
  t.deepEqual([body.major, body.minor, body.gitVersion], ["1", "36", "v1.36.0"]);
});

test("health paths answer ok, verbosely, one by one, and leave out what is excluded", async (t) => {
  for (const path of ["/healthz", "/livez", "/readyz", "/readyz/ping", "/livez/etcd"]) t.is((await api.get(path)).text, "ok", path);
  t.is((await api.get("/livez?verbose")).text, "[+]ping ok\n[+]log ok\n[+]etcd ok\nlivez check passed\n");
  t.is((await api.get("/livez?verbose&exclude=etcd")).text, "[+]ping ok\n[+]log ok\n[+]etcd excluded: ok\nlivez check passed\n");
  t.is((await api.get("/livez/bogus")).status, 404);
  t.is((await api.call("GET", "/readyz", { as: "anonymous" })).status, 200);
});

test("/metrics counts requests under upstream's names", async (t) => {
  await api.get("/api/v1/nodes");
  const { text } = await api.get("/metrics");
  t.regex(text, /^apiserver_request_total\{verb="LIST",group="",version="v1",resource="nodes",subresource="",scope="cluster",code="200"\} [1-9]/m);
  t.regex(text, /^apiserver_request_duration_seconds_bucket\{le="0.005"/m);
  t.regex(text, /^apiserver_storage_objects\{resource="namespaces"\} 4$/m);
});

test("/ lists the paths", async (t) => {
  const { paths } = (await api.get("/")).body;
  for (const path of ["/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/healthz", "/readyz/ping", "/metrics", "/openapi/v2", "/version"]) t.true(paths.includes(path), path);
});
