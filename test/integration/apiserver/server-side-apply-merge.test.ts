/** How configurations merge and who owns what: upstream's scenarios of maps, keyed lists, sets, atomic values, shared and handed-over fields. */
import test from "ava";
import { apply as applyTo, conflictFields, entriesOf, owners, type ApplyOptions } from "./applying.ts";
import { Harness, type Answer, type Json } from "./harness.ts";

let api: Harness;
test.before(async () => { api = await Harness.start(); });
test.after.always(() => api.close());

interface Workshop { readonly path: string; apply(manager: string, fields: Json, options?: ApplyOptions): Promise<Answer>; update(manager: string, change: (object: any) => void): Promise<Answer>; read(): Promise<any> } // eslint-disable-line

/** One object that the managers of a test take turns on. */
async function workshop(ns: string, apiVersion: string, kind: string, plural: string): Promise<Workshop> {
  await api.namespace(ns);
  const path = `${apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`}/namespaces/${ns}/${plural}/a`;
  const read = async (): Promise<any> => (await api.get(path)).body; // eslint-disable-line
  return {
    path, read,
    apply: (manager, { metadata, ...fields }, options) => applyTo(api, path, manager, { apiVersion, kind, metadata: { name: "a", ...(metadata as Json) }, ...fields }, options),
    update: async (manager, change) => {
      const object = await read();
      change(object);
      return api.put(`${path}?fieldManager=${manager}`, object);
    },
  };
}
const configMaps = (ns: string): Promise<Workshop> => workshop(ns, "v1", "ConfigMap", "configmaps");
const deployments = (ns: string): Promise<Workshop> => workshop(ns, "apps/v1", "Deployment", "deployments");
/** A whole Deployment but for what `podSpec` adds. */
const spec = (podSpec: Json, rest: Json = {}): Json => ({ spec: { selector: { matchLabels: { app: "a" } }, template: { metadata: { labels: { app: "a" } }, spec: podSpec }, ...rest } });
const containers = (...list: Json[]): Json => ({ containers: list.map((container) => ({ image: "i", ...container })) });
const podSpecOf = (answer: Answer): any => answer.body.spec.template.spec; // eslint-disable-line

test("an apply that leaves out a field removes it; what it never named stays", async (t) => {
  const w = await configMaps("apply-remove");
  await w.apply("one", { data: { a: "1", b: "2" } });
  await w.update("two", (object) => { object.data.c = "3"; });
  const { body } = await w.apply("one", { data: { a: "1" } });
  t.deepEqual(body.data, { a: "1", c: "3" });
  t.deepEqual(owners(body), { one: [".data.a"], "two (Update)": [".data.c"] });
});

test("an apply of the same value shares the field; it goes only when nobody applies it", async (t) => {
  const w = await configMaps("apply-share");
  await w.apply("one", { data: { a: "1", x: "x" } });
  const shared = await w.apply("two", { data: { a: "1", y: "y" } });
  t.deepEqual(owners(shared.body), { one: [".data.a", ".data.x"], two: [".data.a", ".data.y"] });
  const left = await w.apply("one", { data: { x: "x" } });
  t.deepEqual([left.body.data, owners(left.body)], [{ a: "1", x: "x", y: "y" }, { one: [".data.x"], two: [".data.a", ".data.y"] }]);
  t.deepEqual((await w.apply("two", { data: { y: "y" } })).body.data, { x: "x", y: "y" });
});

test("a field an updater owns too stays when its applier lets it go", async (t) => {
  const w = await configMaps("apply-updater-shares");
  await w.apply("one", { data: { a: "1" } });
  await w.update("two", (object) => { object.data = { a: "2" }; });
  await w.apply("one", { data: { a: "2" } });
  const { body } = await w.apply("one", {});
  t.deepEqual([body.data, owners(body)], [{ a: "2" }, { "two (Update)": [".data.a"] }]);
});

test("another value of a field others own is a conflict that names them; force takes the field over", async (t) => {
  const w = await configMaps("apply-conflict");
  await w.apply("one", { data: { a: "1", b: "1" } });
  await w.update("ctl", (object) => { object.data.c = "1"; });
  const refused = await w.apply("two", { data: { a: "2", b: "2", c: "2" } });
  t.deepEqual([refused.status, refused.body.reason], [409, "Conflict"]);
  t.is(refused.body.message, 'Apply failed with 3 conflicts: conflicts with "ctl" using v1:\n- .data.c\nconflicts with "one":\n- .data.a\n- .data.b');
  t.deepEqual(refused.body.details.causes, [
    { reason: "FieldManagerConflict", message: 'conflict with "ctl" using v1', field: ".data.c" },
    { reason: "FieldManagerConflict", message: 'conflict with "one"', field: ".data.a" },
    { reason: "FieldManagerConflict", message: 'conflict with "one"', field: ".data.b" },
  ]);
  t.deepEqual((await w.read()).data, { a: "1", b: "1", c: "1" });
  const forced = await w.apply("two", { data: { a: "2", b: "2", c: "2" } }, { force: true });
  t.deepEqual([forced.status, forced.body.data, owners(forced.body)], [200, { a: "2", b: "2", c: "2" }, { two: [".data.a", ".data.b", ".data.c"] }]);
});

test("an updater takes what it changes from appliers without asking; their next apply meets the conflict", async (t) => {
  const w = await configMaps("update-takes");
  await w.apply("one", { data: { a: "1", b: "1" } });
  const taken = await w.update("two", (object) => { object.data.a = "2"; });
  t.deepEqual(owners(taken.body), { one: [".data.b"], "two (Update)": [".data.a"] });
  const again = await w.apply("one", { data: { a: "1", b: "1" } });
  t.deepEqual([again.status, again.body.message], [409, 'Apply failed with 1 conflict: conflict with "two" using v1: .data.a']);
});

test("a value nobody owns any more is free: an updater removed it, an applier may set it", async (t) => {
  const w = await configMaps("apply-free");
  await w.apply("one", { data: { a: "1", b: "1" } });
  const removed = await w.update("two", (object) => { delete object.data.a; });
  t.deepEqual(owners(removed.body), { one: [".data.b"] });
  t.is((await w.apply("three", { data: { a: "3" } })).status, 200);
});

test("ownership is handed over: share the value, then let go", async (t) => {
  const w = await deployments("apply-hand-over");
  await w.apply("user", spec(containers({ name: "main" }), { replicas: 3 }));
  await w.apply("autoscaler", { spec: { replicas: 3 } });
  const { body } = await w.apply("user", spec(containers({ name: "main" })));
  t.is(body.spec.replicas, 3);
  t.deepEqual(owners(body)["autoscaler"], [".spec.replicas"]);
  t.is((await w.apply("user", spec(containers({ name: "main" })))).status, 200);
  t.is((await w.apply("autoscaler", { spec: { replicas: 9 } })).body.spec.replicas, 9);
});

test("a defaulted field an applier lets go of falls back to its default", async (t) => {
  const w = await deployments("apply-default");
  await w.apply("one", spec(containers({ name: "main" }), { replicas: 3, paused: true }));
  const { body } = await w.apply("one", spec(containers({ name: "main" })));
  t.deepEqual([body.spec.replicas, body.spec.paused], [1, undefined]);
});

test("items of a keyed list have owners of their own; what an apply adds comes behind what is there", async (t) => {
  const w = await deployments("apply-list-map");
  await w.apply("one", spec(containers({ name: "a" }, { name: "b" })));
  const injected = await w.apply("two", { spec: { template: { spec: containers({ name: "sidecar" }) } } });
  t.deepEqual(podSpecOf(injected).containers.map((c: Json) => c["name"]), ["a", "b", "sidecar"]);
  t.deepEqual(owners(injected.body)["two"], [".spec.template.spec.containers[name=\"sidecar\"].image", ".spec.template.spec.containers[name=\"sidecar\"].name"]);
  const reordered = await w.apply("one", spec(containers({ name: "b" }, { name: "c" })));
  t.deepEqual(podSpecOf(reordered).containers.map((c: Json) => c["name"]), ["b", "sidecar", "c"]);
});

test("an item two appliers name stays while one of them does; what only the other had in it goes", async (t) => {
  const w = await deployments("apply-list-shared");
  await w.apply("one", spec(containers({ name: "a", tty: true }, { name: "b" })));
  await w.apply("two", { spec: { template: { spec: containers({ name: "a", stdin: true }) } } });
  const { body } = await w.apply("one", spec(containers({ name: "b" })));
  const a = body.spec.template.spec.containers.find((c: Json) => c["name"] === "a");
  t.deepEqual([a.stdin, a.tty, a.image], [true, undefined, "i"]);
});

test("an item its applier drops goes with what updaters put into it; one an updater added stays", async (t) => {
  const w = await deployments("apply-dangling");
  await w.apply("one", spec(containers({ name: "a" }, { name: "b" })));
  await w.update("two", (object) => {
    object.spec.template.spec.containers[0].env = [{ name: "E", value: "1" }];
    object.spec.template.spec.containers.push({ name: "c", image: "i" });
  });
  const { body } = await w.apply("one", spec(containers({ name: "b" })));
  t.deepEqual(body.spec.template.spec.containers.map((c: Json) => c["name"]), ["b", "c"]);
});

test("items of nested keyed lists are told apart by all their keys, defaults among them", async (t) => {
  const w = await deployments("apply-nested");
  await w.apply("one", spec(containers({ name: "a", ports: [{ containerPort: 53, protocol: "UDP" }, { containerPort: 53 }], env: [{ name: "X", value: "1" }] })));
  const two = await w.apply("two", { spec: { template: { spec: containers({ name: "a", ports: [{ containerPort: 53, name: "dns" }], env: [{ name: "Y", value: "2" }] }) } } });
  const [a] = podSpecOf(two).containers;
  t.deepEqual(a.ports, [{ containerPort: 53, protocol: "UDP" }, { name: "dns", containerPort: 53, protocol: "TCP" }]);
  t.deepEqual(a.env.map((e: Json) => e["name"]), ["X", "Y"]);
  t.true(owners(two.body)["two"]!.includes('.spec.template.spec.containers[name="a"].ports[containerPort=53,protocol="TCP"].name'));
  const refused = await w.apply("two", { spec: { template: { spec: containers({ name: "a", env: [{ name: "X", value: "2" }] }) } } });
  t.deepEqual(conflictFields(refused), ['.spec.template.spec.containers[name="a"].env[name="X"].value']);
  const { body } = await w.apply("one", spec(containers({ name: "a" })));
  t.deepEqual(body.spec.template.spec.containers[0].ports, [{ name: "dns", containerPort: 53, protocol: "TCP" }]);
});

test("values of a set list are owned one by one", async (t) => {
  const w = await configMaps("apply-set"), finalizers = (...list: string[]): Json => ({ metadata: { finalizers: list } });
  await w.apply("one", finalizers("x/a", "x/b"));
  const two = await w.apply("two", finalizers("x/b", "x/c"));
  t.deepEqual(two.body.metadata.finalizers, ["x/a", "x/b", "x/c"]);
  t.deepEqual(owners(two.body), { one: ['.metadata.finalizers[="x/a"]', '.metadata.finalizers[="x/b"]'], two: ['.metadata.finalizers[="x/b"]', '.metadata.finalizers[="x/c"]'] });
  t.deepEqual((await w.apply("one", {})).body.metadata.finalizers, ["x/b", "x/c"]);
  const reordered = await w.apply("two", finalizers("x/c", "x/b"));
  t.deepEqual(reordered.body.metadata.finalizers, ["x/c", "x/b"]);
  await w.apply("two", {});
});

test("an atomic list, map or struct has one owner and is replaced as one", async (t) => {
  const w = await deployments("apply-atomic"), pod = { ...containers({ name: "a", args: ["1", "2"] }), nodeSelector: { disk: "ssd" }, tolerations: [{ operator: "Exists" }] };
  const one = await w.apply("one", spec(pod));
  for (const path of ['.spec.template.spec.containers[name="a"].args', ".spec.template.spec.nodeSelector", ".spec.template.spec.tolerations", ".spec.selector"]) t.true(owners(one.body)["one"]!.includes(path), path);
  const refused = await w.apply("two", { spec: { template: { spec: { ...containers({ name: "a", args: ["2"] }), nodeSelector: { zone: "z" } } } } });
  t.deepEqual(conflictFields(refused), [".spec.template.spec.nodeSelector", '.spec.template.spec.containers[name="a"].args']);
  const forced = await w.apply("two", { spec: { template: { spec: { ...containers({ name: "a", args: ["2"] }), nodeSelector: { zone: "z" } } } } }, { force: true });
  t.deepEqual([podSpecOf(forced).containers[0].args, podSpecOf(forced).nodeSelector], [["2"], { zone: "z" }]);
});

test("null and empty values are owned, and do not delete what others have", async (t) => {
  const w = await configMaps("apply-empty");
  await w.apply("one", { data: { a: "1" } });
  const nothing = await w.apply("two", { data: {} });
  t.deepEqual([nothing.body.data, owners(nothing.body)], [{ a: "1" }, { one: [".data.a"], two: [".data"] }]);
  const { body } = await w.apply("one", {});
  t.deepEqual(owners(body), { two: [".data"] });
});

test("a struct its applier drops goes with all that only he had in it", async (t) => {
  const w = await deployments("apply-struct");
  await w.apply("one", spec({ ...containers({ name: "a" }), securityContext: { runAsUser: 1, fsGroup: 2 } }, { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 2 } } }));
  const { body } = await w.apply("one", spec(containers({ name: "a" })));
  t.deepEqual([body.spec.template.spec.securityContext, body.spec.strategy.rollingUpdate.maxSurge], [{}, "25%"]);
});

test("three appliers of one map: each removal takes exactly its own", async (t) => {
  const w = await configMaps("apply-three");
  await w.apply("one", { data: { a: "1", ab: "1", ac: "1" } });
  await w.apply("two", { data: { b: "1", ab: "1", bc: "1" } });
  await w.apply("three", { data: { c: "1", ac: "1", bc: "1" } });
  t.deepEqual((await w.apply("one", {})).body.data, { ab: "1", ac: "1", b: "1", bc: "1", c: "1" });
  t.deepEqual((await w.apply("two", {})).body.data, { ac: "1", bc: "1", c: "1" });
  const last = await w.apply("three", {});
  t.deepEqual([last.body.data, entriesOf(last.body)], [undefined, []]);
});

test("managers of two versions of one thing: each is compared in the version it spoke", async (t) => {
  const one = await workshop("apply-versions", "autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"), ns = "apply-versions";
  const v1 = `/apis/autoscaling/v1/namespaces/${ns}/horizontalpodautoscalers/a`, target = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
  const metrics = [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } }];
  await one.apply("new", { spec: { scaleTargetRef: target, maxReplicas: 5, metrics } });
  const old = await applyTo(api, v1, "old", { apiVersion: "autoscaling/v1", kind: "HorizontalPodAutoscaler", metadata: { name: "a" }, spec: { scaleTargetRef: target, maxReplicas: 5, targetCPUUtilizationPercentage: 50 } });
  t.is(old.status, 200);
  t.deepEqual(owners(old.body)["old"], [".spec.maxReplicas", ".spec.scaleTargetRef", ".spec.targetCPUUtilizationPercentage"]);
  t.deepEqual(entriesOf(old.body).map(({ manager, apiVersion }) => `${manager} ${apiVersion}`).sort((a, b) => (a < b ? -1 : 1)), ["new autoscaling/v2", "old autoscaling/v1"]);
  const refused = await one.apply("new", { spec: { scaleTargetRef: target, maxReplicas: 6, metrics: [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 60 } } }] } });
  t.deepEqual(conflictFields(refused), [".spec.maxReplicas", ".spec.targetCPUUtilizationPercentage"]);
  const moved = await applyTo(api, one.path, "old", { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler", metadata: { name: "a" }, spec: { scaleTargetRef: target, maxReplicas: 5 } });
  t.deepEqual([owners(moved.body)["old"], moved.body.spec.metrics], [[".spec.maxReplicas", ".spec.scaleTargetRef.apiVersion", ".spec.scaleTargetRef.kind", ".spec.scaleTargetRef.name"], metrics]);
});
