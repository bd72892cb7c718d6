import test from "ava";
import fc from "fast-check";
import { applyConfiguration, type ApplyResult, type ApplyWrite } from "../../../../lib/api/managed-fields/apply.ts";
import { readApplied } from "../../../../lib/api/managed-fields/applied-body.ts";
import { trackUpdate } from "../../../../lib/api/managed-fields/track-update.ts";
import type { StatusError } from "../../../../lib/api/status-error.ts";

type Any = Record<string, unknown>;
const NOW = new Date("2026-01-02T03:04:05Z");
const config = (spec: object, metadata: object = {}): Any => ({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", namespace: "default", ...metadata }, spec });
const apply = (live: object | undefined, applied: Any, rest: Partial<ApplyWrite> = {}): ApplyResult =>
  applyConfiguration({ model: "Deployment", kind: "Deployment", apiVersion: "apps/v1", subresource: "", hasStatus: true, manager: "me", now: NOW, live, applied, force: false, ...rest });
/** The result as it would be stored. */
const stored = ({ object, managedFields }: ApplyResult): Any => ({ ...object, metadata: { ...(object["metadata"] as Any), uid: "1", managedFields } });
const updated = (live: Any, object: Any, manager: string): Any => {
  const managedFields = trackUpdate({ model: "Deployment", apiVersion: "apps/v1", subresource: "", hasStatus: true, manager, now: NOW, live, object });
  return { ...object, metadata: { ...(object["metadata"] as Any), managedFields } };
};
const containers = (...names: string[]): object => ({ template: { spec: { containers: names.map((name) => ({ name, image: `${name}:1` })) } } });
const namesOf = (object: Any): string[] => (((object["spec"] as Any)["template"] as Any)["spec"] as { containers: { name: string }[] }).containers.map((c) => c.name);
const fieldsOf = (result: ApplyResult, manager: string): unknown => result.managedFields?.find((entry) => entry.manager === manager)?.fieldsV1;

test("applyConfiguration() creates an object owned by its applier", (t) => {
  const result = apply(undefined, config({ replicas: 2, ...containers("a") }, { labels: { app: "web" } }));
  t.true(result.changed);
  t.like(result.object, { kind: "Deployment", apiVersion: "apps/v1", metadata: { name: "web", labels: { app: "web" } }, spec: { replicas: 2 } });
  t.like(result.managedFields![0], { manager: "me", operation: "Apply", apiVersion: "apps/v1", time: "2026-01-02T03:04:05Z" });
  t.deepEqual(fieldsOf(result, "me"), {
    "f:metadata": { "f:labels": { "f:app": {} } },
    "f:spec": { "f:replicas": {}, "f:template": { "f:spec": { "f:containers": { 'k:{"name":"a"}': { ".": {}, "f:image": {}, "f:name": {} } } } } },
  });
});

test("applyConfiguration() again changes nothing", (t) => {
  const first = apply(undefined, config({ replicas: 2, ...containers("a") })), again = apply(stored(first), config({ replicas: 2, ...containers("a") }), { now: new Date("2027-01-01T00:00:00Z") });
  t.false(again.changed);
  t.deepEqual(again.managedFields, first.managedFields);
});

test("applyConfiguration() removes what its applier no longer names, and nothing else", (t) => {
  const live = stored(apply(undefined, config({ replicas: 2, ...containers("a", "b") }, { labels: { app: "web", old: "x" } })));
  const injected = updated(live, { ...live, spec: { ...(live["spec"] as Any), paused: true } }, "other");
  const result = apply(injected, config(containers("b"), { labels: { app: "web" } }));
  t.deepEqual(namesOf(result.object), ["b"]);
  t.deepEqual((result.object["metadata"] as Any)["labels"], { app: "web" });
  t.is((result.object["spec"] as Any)["replicas"], undefined);
  t.true((result.object["spec"] as Any)["paused"]);
});

test("applyConfiguration() refuses to take a field of another manager, unless forced", (t) => {
  const live = stored(apply(undefined, config({ replicas: 2 }))), scaled = updated(live, { ...live, spec: { ...(live["spec"] as Any), replicas: 5 } }, "scaler");
  const error = t.throws(() => apply(scaled, config({ replicas: 3 })), { name: "StatusError", message: 'Apply failed with 1 conflict: conflict with "scaler" using apps/v1: .spec.replicas' }) as unknown as StatusError;
  t.is(error.code, 409);
  t.deepEqual(error.details, { causes: [{ reason: "FieldManagerConflict", message: 'conflict with "scaler" using apps/v1', field: ".spec.replicas" }] });
  const forced = apply(scaled, config({ replicas: 3 }), { force: true });
  t.is((forced.object["spec"] as Any)["replicas"], 3);
  t.is(fieldsOf(forced, "scaler"), undefined);
});

test("applyConfiguration() lists several conflicts by manager", (t) => {
  const live = stored(apply(undefined, config({ replicas: 2, paused: true, ...containers("a") }), { manager: "first" }));
  t.throws(() => apply(live, config({ replicas: 3, template: { spec: { containers: [{ name: "a", image: "a:2" }] } } })), {
    message: 'Apply failed with 2 conflicts: conflicts with "first":\n- .spec.replicas\n- .spec.template.spec.containers[name="a"].image',
  });
});

test("applyConfiguration() shares a field both set alike, and keeps it while one still does", (t) => {
  const live = stored(apply(undefined, config({ replicas: 2 }), { manager: "first" })), shared = stored(apply(live, config({ replicas: 2 }), { manager: "second" }));
  const dropped = apply(shared, config({}), { manager: "first" });
  t.is((dropped.object["spec"] as Any)["replicas"], 2);
  t.deepEqual(fieldsOf(dropped, "second"), { "f:spec": { "f:replicas": {} } });
  t.is((apply(stored(dropped), config({}), { manager: "second" }).object["spec"] as Any)["replicas"], undefined);
});

test("applyConfiguration() merges set and keyed lists and replaces atomic ones", (t) => {
  const live = stored(apply(undefined, config({ template: { spec: { containers: [{ name: "a", args: ["1", "2"], ports: [{ containerPort: 80 }] }] } } }, { finalizers: ["x/a"] }), { manager: "first" }));
  const result = apply(live, config({ template: { spec: { containers: [{ name: "a", ports: [{ containerPort: 80, protocol: "UDP" }] }, { name: "b", args: ["3"] }] } } }, { finalizers: ["x/b"] }));
  t.deepEqual((result.object["metadata"] as Any)["finalizers"], ["x/a", "x/b"]);
  t.like(result.object, { spec: { template: { spec: { containers: [{ name: "a", args: ["1", "2"], ports: [{ containerPort: 80 }, { containerPort: 80, protocol: "UDP" }] }, { name: "b", args: ["3"] }] } } } });
  t.throws(() => apply(live, config({ template: { spec: { containers: [{ name: "a", args: ["9"] }] } } })), { message: /containers\[name="a"\]\.args/ });
});

test("applyConfiguration() says what does not fit the schema as upstream", (t) => {
  const name = "default/web; apps/v1, Kind=Deployment";
  t.throws(() => apply(undefined, config({ foo: 1 })), { message: `failed to create typed patch object (${name}): .spec.foo: field not declared in schema` });
  t.throws(() => apply(undefined, config({ replicas: "x" })), { message: `failed to create typed patch object (${name}): .spec.replicas: expected numeric (int or float), got string` });
  t.throws(() => apply(undefined, config(containers("a", "a"))), { message: `failed to create typed patch object (${name}): .spec.template.spec.containers: duplicate entries for key [name="a"]` });
  t.throws(() => apply(undefined, { ...config({}), kind: "Pod" }), { message: "invalid object type: apps/v1, Kind=Pod" });
  t.throws(() => apply(undefined, config({}, { managedFields: [] })), { message: "metadata.managedFields must be nil" });
});

test("applyConfiguration() on an untracked object calls its owner before-first-apply", (t) => {
  const result = apply({ ...config({ replicas: 1, ...containers("a") }), metadata: { name: "web", uid: "1" } }, config({ ...containers("a") }));
  t.deepEqual(fieldsOf(result, "before-first-apply") === undefined, false);
  t.true(JSON.stringify(fieldsOf(result, "before-first-apply")).includes("f:replicas"));
});

test("kubectl's first apply takes over what its client-side apply wrote down", (t) => {
  const applied = config({ replicas: 2 }), text = JSON.stringify(applied);
  const object = { ...config({ replicas: 2 }), metadata: { name: "web", namespace: "default", uid: "1", annotations: { "kubectl.kubernetes.io/last-applied-configuration": text } } };
  const managedFields = trackUpdate({ model: "Deployment", apiVersion: "apps/v1", subresource: "", hasStatus: true, manager: "kubectl-client-side-apply", now: NOW, live: undefined, object });
  const live = { ...object, metadata: { ...object.metadata, managedFields } };
  t.throws(() => apply(live, config({ replicas: 3 }), { manager: "me" }), { message: /conflict with "kubectl-client-side-apply" using apps\/v1: \.spec\.replicas/ });
  const result = apply(live, config({ replicas: 3 }), { manager: "kubectl" });
  t.is((result.object["spec"] as Any)["replicas"], 3);
  const annotation = ((result.object["metadata"] as Any)["annotations"] as Record<string, string>)["kubectl.kubernetes.io/last-applied-configuration"]!;
  t.deepEqual(JSON.parse(annotation), config({ replicas: 3 }) as unknown);
});

test("applying any configurations in turn leaves exactly what is still applied", (t) => {
  const name = fc.constantFrom("a", "b", "c"), label = fc.dictionary(name, fc.constantFrom("1"));
  const step = fc.tuple(fc.constantFrom("x", "y"), fc.uniqueArray(name, { maxLength: 3 }), label);
  fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 5 }), (steps) => {
    let live: Any | undefined;
    const last = new Map<string, { names: string[]; labels: Any }>();
    for (const [manager, names, labels] of steps) {
      live = stored(apply(live, config(containers(...names), { labels }), { manager, force: true }));
      last.set(manager, { names, labels });
    }
    const wanted = [...last.values()];
    const found = (((live!["spec"] as Any | undefined)?.["template"] as Any | undefined)?.["spec"] as { containers?: { name: string }[] } | undefined)?.containers ?? [];
    t.deepEqual(found.map((c) => c.name).sort(), [...new Set(wanted.flatMap((w) => w.names))].sort());
    t.deepEqual(Object.keys(((live!["metadata"] as Any)["labels"] ?? {}) as Any).sort(), [...new Set(wanted.flatMap((w) => Object.keys(w.labels)))].sort());
  }));
});

test("readApplied() reads YAML and JSON, and minds keys given twice", (t) => {
  t.deepEqual(readApplied(Buffer.from("spec: {replicas: 2}\n"), "Strict"), { applied: { spec: { replicas: 2 } }, warnings: [] });
  t.deepEqual(readApplied(Buffer.from('{"spec":{"replicas":2}}'), "Strict").applied, { spec: { replicas: 2 } });
  t.throws(() => readApplied(Buffer.from('{"a":1,"a":2}'), "Strict"), { name: "StatusError", message: 'error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 1: key "a" already set in map' });
  t.deepEqual(readApplied(Buffer.from('{"a":1,"a":2}'), "Warn"), { applied: { a: 2 }, warnings: ['line 1: key "a" already set in map'] });
  t.throws(() => readApplied(Buffer.from("- a"), "Ignore"), { message: /^error decoding YAML: .* cannot unmarshal array into Go value of type map/ });
  t.throws(() => readApplied(Buffer.from("a: [b"), "Ignore"), { message: /^error decoding YAML: error converting YAML to JSON: yaml: line/ });
});
