import test from "ava";
import https from "node:https";
import { Harness, configMap, pod } from "./harness.ts";

let api: Harness;
test.before(async () => { api = await Harness.start(); await api.namespace("errors"); });
test.after.always(() => api.close());

test("unknown paths, groups, kinds and subresources are 404 in upstream's words", async (t) => {
  for (const path of ["/bogus", "/apis/bogus", "/apis/apps/v9", "/api/v1/bogus", "/apis/apps/v1/namespaces/errors/bogus", "/api/v1/namespaces/errors/configmaps/a/bogus", "/api/v1/namespaces/errors/nodes"]) {
    const { status, body } = await api.get(path);
    t.is(status, 404, path);
    t.deepEqual([body.kind, body.status, body.reason, body.message, body.code], ["Status", "Failure", "NotFound", "the server could not find the requested resource", 404], path);
  }
});

test("a method a path does not have is 405", async (t) => {
  for (const [method, path] of [["POST", "/api/v1/namespaces/errors/configmaps/a"], ["PUT", "/api/v1/namespaces/errors/configmaps"], ["GET", "/apis/authentication.k8s.io/v1/tokenreviews"], ["POST", "/version"]] as const) {
    const { status, body } = await api.call(method, path, { body: {} });
    t.deepEqual([status, body.reason, body.message], [405, "MethodNotAllowed", "the server does not allow this method on the requested resource"], `${method} ${path}`);
  }
});

test("a missing object is 404 and names itself", async (t) => {
  const { body } = await api.get("/apis/apps/v1/namespaces/errors/deployments/web");
  t.deepEqual([body.message, body.details], ['deployments.apps "web" not found', { name: "web", group: "apps", kind: "deployments" }]);
});

test("an invalid object is 422 with a cause a field", async (t) => {
  const { status, body } = await api.post("/api/v1/namespaces/errors/pods", pod("p", { containers: [{ name: "Bad_Name", image: "" }] }));
  t.deepEqual([status, body.reason, body.details.kind], [422, "Invalid", "Pod"]);
  t.deepEqual(body.details.causes.map((c: { field: string }) => c.field), ["spec.containers[0].name", "spec.containers[0].image"]);
});

test("an invalid name is 422", async (t) => {
  const { status, body } = await api.post("/api/v1/namespaces/errors/configmaps", configMap("No_Good"));
  t.is(status, 422);
  t.regex(body.message, /^ConfigMap "No_Good" is invalid: metadata.name: Invalid value: "No_Good": a lowercase RFC 1123 subdomain/);
});

test("bodies that are no JSON, too large, or in an unknown form are refused", async (t) => {
  const path = "/api/v1/namespaces/errors/configmaps";
  t.is((await api.call("POST", path, { body: "{" })).status, 400);
  const large = await api.post(path, configMap("large", { k: "x".repeat(3 * 1024 * 1024) }));
  t.deepEqual([large.status, large.body.reason, large.body.message], [413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728"]);
  const form = await api.call("POST", path, { body: "x", headers: { "content-type": "text/plain" } });
  t.is(form.status, 415);
  const yaml = await api.call("POST", path, { body: "metadata:\n  name: from-yaml\ndata:\n  k: 'yes'\n", headers: { "content-type": "application/yaml" } });
  t.deepEqual([yaml.status, yaml.body.data.k], [201, "yes"]);
});

test("nobody's request is anonymous and forbidden; a bad token is 401", async (t) => {
  const anonymous = await api.call("GET", "/api/v1/namespaces/errors/pods/p", { as: "anonymous" });
  t.is(anonymous.status, 403);
  t.is(anonymous.body.message, 'pods "p" is forbidden: User "system:anonymous" cannot get resource "pods" in API group "" in the namespace "errors"');
  t.deepEqual(anonymous.body.details, { name: "p", kind: "pods" });
  const bad = await api.call("GET", "/api/v1/pods", { as: "anonymous", headers: { authorization: "Bearer bogus" } });
  t.deepEqual([bad.status, bad.body.reason, bad.body.message], [401, "Unauthorized", "Unauthorized"]);
});

test("a user without a role may not; impersonation by one who may is as that user", async (t) => {
  const jane = api.server.identity("jane");
  t.is((await api.call("GET", "/api/v1/nodes", { as: jane })).body.message, 'nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope');
  const path = await api.call("GET", "/metrics", { as: jane });
  t.deepEqual([path.status, path.body.message], [403, 'forbidden: User "jane" cannot get path "/metrics"']);
  t.is((await api.get("/api/v1/nodes", { "impersonate-user": "jane" })).status, 403);
  t.is((await api.call("GET", "/api/v1/nodes", { as: jane, headers: { "impersonate-user": "root" } })).status, 403);
});

test("errors come as YAML to those who ask for it", async (t) => {
  const { text, headers } = await api.get("/api/v1/namespaces/errors/configmaps/none", { accept: "application/yaml" });
  t.is(headers["content-type"], "application/yaml");
  t.regex(text, /^reason: NotFound$/m);
});

test("writes beyond the limit are 429 with Retry-After; reads and members of system:masters go on", async (t) => {
  const own = await Harness.start({ inFlight: { readsMax: 0, writesMax: 1 }, authorizationModes: ["AlwaysAllow"] });
  t.teardown(() => own.close());
  const jane = own.server.identity("jane");
  const path = "/api/v1/namespaces/default/configmaps", body = JSON.stringify(configMap("slow"));
  // One write whose body does not come yet holds the only place.
  const slow = https.request(`${own.server.url}${path}`, { method: "POST", agent: false, ca: own.server.caPem, cert: jane.certificatePem, key: jane.keyPem, headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) } });
  const answered = new Promise<number>((resolve, reject) => { slow.on("response", (response) => { response.resume(); resolve(response.statusCode!); }); slow.on("error", reject); });
  slow.write(body.slice(0, 5));
  let refused = await own.call("POST", path, { as: jane, body: configMap("m") });
  for (let i = 0; i < 50 && refused.status !== 429; i++) refused = await own.call("POST", path, { as: jane, body: configMap(`m${i}`) });
  t.deepEqual([refused.status, refused.headers["retry-after"], refused.body.reason], [429, "1", "TooManyRequests"]);
  t.is((await own.call("GET", path, { as: jane })).status, 200);
  t.is((await own.post(path, configMap("by-admin"))).status, 201);
  slow.end(body.slice(5));
  t.is(await answered, 201);
  t.is((await own.call("POST", path, { as: jane, body: configMap("after") })).status, 201);
});

test("no request stops the server: strange paths are answered", async (t) => {
  for (const path of ["/api/v1/namespaces/%ZZ/pods", "/api/v1/namespaces/errors/pods/..", "/api//v1/", "/apis/apps/v1/namespaces//deployments", "/api/v1/namespaces/errors/pods?limit=x", "/api/v1/pods?resourceVersion=x", "/api/v1/pods?continue=!!!", "//", "/api/v1/__proto__", "/api/v1/namespaces/errors/configmaps/__proto__"]) {
    const { status, body } = await api.get(path);
    t.true(status >= 200 && status < 500, `${path}: ${status}`);
    t.not(body, undefined, path);
  }
});
