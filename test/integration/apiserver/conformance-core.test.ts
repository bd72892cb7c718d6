/**
 * Conformance's demands on objects of the core group, re-told: `test/e2e/common/node/{configmap,secrets,pods,podtemplates,sysctl,ephemeral_containers,
 * runtimeclass}.go`, `test/e2e/common/storage/{configmap_volume,secrets_volume}.go` (immutability), `test/e2e/auth/service_accounts.go`,
 * `test/e2e/scheduling/limit_range.go`, `test/e2e/node/pods.go`.
 */
import test from "ava";
import { Harness, pod, type Answer, type Json } from "./harness.ts";

let api: Harness;
test.before(async () => { api = await Harness.start(); });
test.after.always(() => api.close());

const invalid = ({ status, body }: Answer): [number, string, string[]] => [status, body.reason, (body.details?.causes ?? []).map((cause: { field: string }) => cause.field)];
const withLabels = (object: Json, labels: Json): Json => ({ ...object, metadata: { ...(object["metadata"] as Json), labels } });

for (const [kind, plural, data] of [["ConfigMap", "configmaps", { data: { k: "v" } }], ["Secret", "secrets", { data: { k: "dg==" } }]] as const) {
  test(`${kind}: no empty key, a life of patches and selections, and no change once immutable`, async (t) => {
    const ns = await api.namespace(`data-${plural}`), path = `/api/v1/namespaces/${ns}/${plural}`;
    t.deepEqual(invalid(await api.post(path, { metadata: { name: "empty-key" }, data: { "": data.data.k } })), [422, "Invalid", ["data[]"]]);
    await api.post(path, { metadata: { name: "one", labels: { life: "yes" } }, ...data });
    const patched = (await api.patch(`${path}/one`, { metadata: { labels: { patched: "yes" } }, data: { k: "dzI=" } }, "strategic-merge")).body;
    t.deepEqual([patched.metadata.labels, patched.data.k], [{ life: "yes", patched: "yes" }, "dzI="]);
    t.is((await api.get(`/api/v1/${plural}?labelSelector=life%3Dyes,patched`)).body.items.length, 1);
    await api.delete(`${path}?labelSelector=life%3Dyes`);
    t.is((await api.get(`/api/v1/${plural}?labelSelector=life%3Dyes`)).body.items.length, 0);

    const fixed = (await api.post(path, { metadata: { name: "fixed" }, ...data })).body;
    t.is((await api.patch(`${path}/fixed`, { data: { k: "dzM=" } })).status, 200);
    t.is((await api.patch(`${path}/fixed`, { immutable: true })).body.immutable, true);
    t.deepEqual(invalid(await api.patch(`${path}/fixed`, { data: { k: "dzQ=" } })), [422, "Invalid", ["data"]]);
    t.deepEqual(invalid(await api.patch(`${path}/fixed`, { immutable: false })), [422, "Invalid", ["immutable"]]);
    t.deepEqual(invalid(await api.patch(`${path}/fixed`, { immutable: null })), [422, "Invalid", ["immutable"]]);
    t.is((await api.patch(`${path}/fixed`, { metadata: { labels: { still: "free" } } })).status, 200);
    t.is((await api.delete(`${path}/fixed`)).status, 200);
    t.not((await api.post(path, { metadata: { name: "fixed" }, ...data })).body.metadata.uid, fixed.metadata.uid);
  });
}

test("a Secret's type decides what must be in it, and stays", async (t) => {
  const ns = await api.namespace("secret-types"), path = `/api/v1/namespaces/${ns}/secrets`;
  t.is((await api.post(path, { metadata: { name: "plain" }, stringData: { a: "x" } })).body.type, "Opaque");
  t.deepEqual((await api.get(`${path}/plain`)).body.data, { a: "eA==" });
  t.deepEqual(invalid(await api.patch(`${path}/plain`, { type: "example.com/other" })), [422, "Invalid", ["type"]]);
  t.deepEqual(invalid(await api.post(path, { metadata: { name: "tls" }, type: "kubernetes.io/tls", data: { "tls.crt": "" } })), [422, "Invalid", ["data[tls.key]"]]);
  t.deepEqual(invalid(await api.post(path, { metadata: { name: "docker" }, type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": "eA==" } })), [422, "Invalid", ["data[.dockerconfigjson]"]]);
  t.is((await api.get(`${path}?fieldSelector=type%3DOpaque`)).body.items.length, 1);
});

test("a service account's life; a token of it is the account, until the account is gone", async (t) => {
  const ns = await api.namespace("accounts"), path = `/api/v1/namespaces/${ns}/serviceaccounts`;
  const watch = api.watch(`${path}?watch=1&labelSelector=life%3Dyes`);
  await watch.status;
  await api.post(path, { metadata: { name: "robot", labels: { life: "yes" } } });
  t.is((await watch.next()).type, "ADDED");
  t.is((await api.patch(`${path}/robot`, { automountServiceAccountToken: false }, "strategic-merge")).body.automountServiceAccountToken, false);
  t.is((await watch.next()).object.automountServiceAccountToken, false);
  t.is((await api.get("/api/v1/serviceaccounts?labelSelector=life%3Dyes")).body.items.length, 1);

  const asked = await api.post(`${path}/robot/token`, { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { audiences: [], expirationSeconds: 600 } });
  t.is(asked.status, 201, asked.text);
  const { token, expirationTimestamp } = asked.body.status, review = { spec: { token } };
  t.true(Date.parse(expirationTimestamp) > Date.now());
  const reviewed = (await api.post("/apis/authentication.k8s.io/v1/tokenreviews", review)).body.status;
  t.deepEqual([reviewed.authenticated, reviewed.user.username, reviewed.user.groups], [true, `system:serviceaccount:${ns}:robot`, ["system:serviceaccounts", `system:serviceaccounts:${ns}`, "system:authenticated"]]);
  const self = await api.call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", { as: "anonymous", headers: { authorization: `Bearer ${token}` }, body: {} });
  t.deepEqual([self.status, self.body.status.userInfo.username], [201, `system:serviceaccount:${ns}:robot`]);
  t.deepEqual(invalid(await api.post(`${path}/robot/token`, { spec: { expirationSeconds: 60 } })), [422, "Invalid", ["spec.expirationSeconds"]]);

  t.is((await api.delete(`${path}?labelSelector=life%3Dyes`)).status, 200);
  t.is((await watch.next()).type, "DELETED");
  t.is((await api.post("/apis/authentication.k8s.io/v1/tokenreviews", review)).body.status.authenticated, undefined);
  watch.close();
});

test("the issuer tells its keys to service accounts (service_accounts.go: OIDC discovery)", async (t) => {
  const ns = await api.namespace("issuer"), { token } = (await api.post(`/api/v1/namespaces/${ns}/serviceaccounts/default/token`, { spec: {} })).body.status;
  const get = (path: string): Promise<Answer> => api.call("GET", path, { as: "anonymous", headers: { authorization: `Bearer ${token}` } });
  const { status, body, headers } = await get("/.well-known/openid-configuration");
  t.is(status, 200);
  t.deepEqual([body.response_types_supported, body.subject_types_supported, body.issuer], [["id_token"], ["public"], JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString()).iss]);
  t.regex(String(headers["cache-control"]), /public, max-age=\d+/);
  const keys = await get("/openid/v1/jwks");
  t.is(keys.headers["content-type"], "application/jwk-set+json");
  t.true(keys.body.keys.some((key: { kid: string }) => key.kid === JSON.parse(Buffer.from(token.split(".")[0], "base64url").toString()).kid));
});

test("a pod's life: patched, its status replaced, selected, deleted together (pods.go: lifecycle of Pods and PodStatus)", async (t) => {
  const ns = await api.namespace("pod-life"), path = `/api/v1/namespaces/${ns}/pods`;
  await api.post(path, withLabels(pod("one"), { life: "yes" }));
  await api.post(path, withLabels(pod("two"), { life: "yes" }));
  const patched = (await api.patch(`${path}/one`, { metadata: { labels: { patched: "yes" } }, spec: { containers: [{ name: "main", image: "nginx:2" }] } }, "strategic-merge")).body;
  t.deepEqual([patched.metadata.labels.patched, patched.spec.containers.length, patched.spec.containers[0].image], ["yes", 1, "nginx:2"]);
  const now = (await api.get(`${path}/one/status`)).body;
  const replaced = await api.put(`${path}/one/status`, { ...now, status: { ...now.status, conditions: [{ type: "Ready", status: "False" }], message: "by a test" } });
  t.deepEqual([replaced.status, replaced.body.status.message, replaced.body.status.conditions.find((c: Json) => c["type"] === "Ready").status], [200, "by a test", "False"]);
  t.is((await api.get("/api/v1/pods?labelSelector=life%3Dyes")).body.items.length, 2);
  await api.delete(`${path}?labelSelector=life%3Dyes`, { gracePeriodSeconds: 0 });
  t.is((await api.get(`${path}?labelSelector=life%3Dyes`)).body.items.length, 0);
});

test("a pod's QoS class follows from its resources (node/pods.go: QoS)", async (t) => {
  const ns = await api.namespace("qos"), path = `/api/v1/namespaces/${ns}/pods`;
  const of = async (name: string, resources: Json): Promise<string> => (await api.post(path, pod(name, { containers: [{ name: "c", image: "x", resources }] }))).body.status.qosClass;
  t.is(await of("guaranteed", { limits: { cpu: "100m", memory: "100Mi" }, requests: { cpu: "0.1", memory: "104857600" } }), "Guaranteed");
  t.is(await of("limits-alone", { limits: { cpu: "100m", memory: "100Mi" } }), "Guaranteed");
  t.is(await of("burstable", { requests: { cpu: "100m" } }), "Burstable");
  t.is(await of("best-effort", {}), "BestEffort");
});

test("invalid sysctls are refused by name, unsafe ones are not the server's concern (sysctl.go)", async (t) => {
  const ns = await api.namespace("sysctls"), bad = await api.post(`/api/v1/namespaces/${ns}/pods`, pod("p", { securityContext: { sysctls: [{ name: "foo-", value: "bar" }, { name: "kernel.shmmax", value: "1" }, { name: "safe-and-unsafe", value: "1" }, { name: "bar..", value: "1" }] } }));
  t.deepEqual(invalid(bad), [422, "Invalid", ["spec.securityContext.sysctls[0].name", "spec.securityContext.sysctls[3].name"]]);
  t.regex(bad.body.message, /Invalid value: "foo-": must have at most 253 characters and match regex /);
});

test("ephemeral containers are added through their own subresource and never leave (ephemeral_containers.go)", async (t) => {
  const ns = await api.namespace("ephemeral"), path = `/api/v1/namespaces/${ns}/pods/p`, debug = (name: string): Json => ({ name, image: "busybox", targetContainerName: "main", stdin: true, tty: true });
  await api.post(`/api/v1/namespaces/${ns}/pods`, pod("p"));
  t.deepEqual(invalid(await api.post(`/api/v1/namespaces/${ns}/pods`, pod("born-with", { ephemeralContainers: [debug("a")] }))), [422, "Invalid", ["spec.ephemeralContainers"]]);
  const added = (await api.patch(`${path}/ephemeralcontainers`, { spec: { ephemeralContainers: [debug("a")] } }, "strategic-merge")).body;
  t.deepEqual([added.kind, added.spec.ephemeralContainers.length, added.spec.ephemeralContainers[0].terminationMessagePath], ["Pod", 1, "/dev/termination-log"]);
  const both = (await api.put(`${path}/ephemeralcontainers`, { ...added, spec: { ...added.spec, ephemeralContainers: [...added.spec.ephemeralContainers, debug("b")] } })).body;
  t.deepEqual(both.spec.ephemeralContainers.map((c: Json) => c["name"]), ["a", "b"]);
  t.is((await api.put(`${path}/ephemeralcontainers`, { ...both, spec: { ...both.spec, ephemeralContainers: [both.spec.ephemeralContainers[0]] } })).status, 422);
  t.is((await api.patch(`${path}/ephemeralcontainers`, { spec: { ephemeralContainers: [{ ...debug("c"), resources: { limits: { cpu: "1" } } }] } }, "strategic-merge")).status, 422);
  t.is((await api.patch(path, { spec: { ephemeralContainers: [debug("d")] } }, "strategic-merge")).status, 422);
});

test("resources of a running pod change through resize alone, and its class does not (pod_resize.go)", async (t) => {
  const ns = await api.namespace("resize"), path = `/api/v1/namespaces/${ns}/pods/p`, resources = (cpu: string): Json => ({ requests: { cpu, memory: "100Mi" }, limits: { cpu, memory: "100Mi" } });
  const made = (await api.post(`/api/v1/namespaces/${ns}/pods`, pod("p", { containers: [{ name: "main", image: "x", resources: resources("100m") }] }))).body;
  const change = (cpu: Json): Json => ({ spec: { containers: [{ name: "main", resources: cpu }] } });
  t.is((await api.patch(path, change(resources("200m")), "strategic-merge")).status, 422);
  const resized = await api.patch(`${path}/resize`, change(resources("200m")), "strategic-merge");
  t.deepEqual([resized.status, resized.body.spec.containers[0].resources.limits.cpu, resized.body.metadata.generation], [200, "200m", made.metadata.generation + 1], resized.text);
  const other = await api.patch(`${path}/resize`, change({ requests: { cpu: "100m" } }), "strategic-merge");
  t.deepEqual([other.status, other.body.reason], [422, "Invalid"]);
  t.regex(other.body.message, /Pod QOS Class may not change as a result of resizing/);
  t.is((await api.patch(`${path}/resize`, { spec: { containers: [{ name: "main", image: "other" }] }, metadata: { labels: { a: "b" } } }, "strategic-merge")).body.spec.containers[0].image, "x");
});

test("a pod whose RuntimeClass is not there is refused; one that is gives its overhead and places (runtimeclass.go)", async (t) => {
  const ns = await api.namespace("runtime"), path = `/api/v1/namespaces/${ns}/pods`;
  const missing = await api.post(path, pod("p", { runtimeClassName: "missing" }));
  t.deepEqual([missing.status, missing.body.message], [403, 'pods "p" is forbidden: pod rejected: RuntimeClass "missing" not found']);
  await api.post("/apis/node.k8s.io/v1/runtimeclasses", { metadata: { name: "heavy" }, handler: "runc", overhead: { podFixed: { cpu: "10m", memory: "1Mi" } }, scheduling: { nodeSelector: { foo: "bar" }, tolerations: [{ key: "foo", operator: "Exists" }] } });
  const made = (await api.post(path, pod("p", { runtimeClassName: "heavy", nodeSelector: { fizz: "buzz" } }))).body;
  t.deepEqual([made.spec.overhead, made.spec.nodeSelector], [{ cpu: "10m", memory: "1Mi" }, { fizz: "buzz", foo: "bar" }]);
  t.true(made.spec.tolerations.some((toleration: Json) => toleration["key"] === "foo"));
  t.is((await api.post(path, pod("q", { runtimeClassName: "heavy", overhead: { cpu: "1" } }))).status, 403);
  t.is((await api.post(path, pod("r", { runtimeClassName: "heavy", nodeSelector: { foo: "other" } }))).status, 403);
});

test("a limit range fills in what pods leave out and refuses what is beyond it (limit_range.go)", async (t) => {
  const ns = await api.namespace("limits"), path = `/api/v1/namespaces/${ns}`, list = (cpu: string, memory: string): Json => ({ cpu, memory });
  const limit = { type: "Container", min: list("50m", "100Mi"), max: list("500m", "500Mi"), default: list("500m", "500Mi"), defaultRequest: list("100m", "200Mi"), maxLimitRequestRatio: {} };
  const made = (await api.post(`${path}/limitranges`, { metadata: { name: "limits", labels: { life: "yes" } }, spec: { limits: [limit] } })).body;
  t.deepEqual((await api.get(`${path}/limitranges/limits`)).body.spec, made.spec);
  const asks = async (name: string, resources: Json): Promise<Answer> => api.post(`${path}/pods`, pod(name, { containers: [{ name: "c", image: "x", resources }] }));
  t.deepEqual((await asks("none", {})).body.spec.containers[0].resources, { limits: list("500m", "500Mi"), requests: list("100m", "200Mi") });
  t.deepEqual((await asks("some", { requests: { cpu: "300m" }, limits: { memory: "300Mi" } })).body.spec.containers[0].resources, { requests: { cpu: "300m", memory: "300Mi" }, limits: { cpu: "500m", memory: "300Mi" } });
  t.regex((await asks("low", { requests: { cpu: "10m" } })).body.message, /minimum cpu usage per Container is 50m, but request is 10m/);
  t.regex((await asks("high", { limits: { cpu: "600m" } })).body.message, /maximum cpu usage per Container is 500m, but limit is 600m/);
  const lower = (await api.put(`${path}/limitranges/limits`, { ...made, spec: { limits: [{ ...limit, min: list("9m", "50Mi") }] } })).body;
  t.is(lower.spec.limits[0].min.cpu, "9m");
  t.is((await asks("low", { requests: { cpu: "10m", memory: "50Mi" } })).status, 201);
  t.is((await asks("high", { limits: { cpu: "600m" } })).status, 403);
  const patched = (await api.patch(`${path}/limitranges/limits`, { metadata: { labels: { patched: "yes" } } }, "strategic-merge")).body;
  t.is(patched.metadata.labels.patched, "yes");
  t.is((await api.get("/api/v1/limitranges?labelSelector=life%3Dyes")).body.items.length, 1);
  await api.delete(`${path}/limitranges?labelSelector=life%3Dyes`);
  t.is((await asks("unlimited", { limits: { cpu: "6" } })).status, 201);
});

test("a priority class keeps its value whatever method asks (scheduling/preemption.go: PriorityClass endpoints)", async (t) => {
  const path = "/apis/scheduling.k8s.io/v1/priorityclasses", made = (await api.post(path, { metadata: { name: "p1" }, value: 1 })).body;
  t.deepEqual(invalid(await api.put(`${path}/p1`, { ...made, value: 2 })), [422, "Invalid", ["value"]]);
  t.deepEqual(invalid(await api.patch(`${path}/p1`, { value: 2 }, "strategic-merge")), [422, "Invalid", ["value"]]);
  t.deepEqual(invalid(await api.patch(`${path}/p1`, { preemptionPolicy: "Never" })), [422, "Invalid", ["preemptionPolicy"]]);
  t.is((await api.put(`${path}/p1`, { ...made, description: "updated" })).body.description, "updated");
  t.deepEqual((await api.get("/apis/scheduling.k8s.io/v1/priorityclasses?fieldSelector=metadata.name%3Dsystem-node-critical")).body.items.map((each: Json) => each["value"]), [2_000_001_000]);
});
