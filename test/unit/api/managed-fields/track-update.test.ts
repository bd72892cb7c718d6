import test from "ava";
import fc from "fast-check";
import { decodeObject } from "../../../../lib/api/decode/decode.ts";
import { toWire } from "../../../../lib/api/encode/encode.ts";
import { managerName } from "../../../../lib/api/managed-fields/managers.ts";
import { trackUpdate, type UpdateWrite } from "../../../../lib/api/managed-fields/track-update.ts";

type Any = Record<string, unknown>;
const NOW = new Date("2026-01-02T03:04:05.678Z");
const write = (rest: Partial<UpdateWrite> & Pick<UpdateWrite, "live" | "object">): UpdateWrite =>
  ({ model: "Deployment", apiVersion: "apps/v1", subresource: "", hasStatus: true, manager: "kubectl-create", now: NOW, ...rest });
const deployment = (spec: object, metadata: object = {}): Any => ({ kind: "Deployment", apiVersion: "apps/v1", metadata: { name: "web", namespace: "default", uid: "1", ...metadata }, spec });
const WEB = {
  replicas: 1, selector: { matchLabels: { app: "web" } }, strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
  template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "nginx", image: "nginx", imagePullPolicy: "Always", ports: [{ containerPort: 80, protocol: "TCP" }] }], restartPolicy: "Always" } },
};
const tracked = (object: Any, managedFields: unknown): Any => ({ ...object, metadata: { ...(object["metadata"] as Any), managedFields } });

test("trackUpdate() writes of a created deployment what upstream writes", (t) => {
  const entries = trackUpdate(write({ live: undefined, object: deployment(WEB, { labels: { app: "web" } }) }))!;
  t.is(entries.length, 1);
  t.like(entries[0], { manager: "kubectl-create", operation: "Update", apiVersion: "apps/v1", time: "2026-01-02T03:04:05Z", fieldsType: "FieldsV1" });
  t.deepEqual(entries[0]!.fieldsV1, {
    "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
    "f:spec": {
      "f:replicas": {}, "f:selector": {}, "f:strategy": { "f:rollingUpdate": { ".": {}, "f:maxSurge": {}, "f:maxUnavailable": {} }, "f:type": {} },
      "f:template": {
        "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
        "f:spec": {
          "f:containers": {
            'k:{"name":"nginx"}': {
              ".": {}, "f:image": {}, "f:imagePullPolicy": {}, "f:name": {},
              "f:ports": { ".": {}, 'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {}, "f:protocol": {} } }, "f:resources": {},
            },
          },
          "f:restartPolicy": {},
        },
      },
    },
  });
});

test("trackUpdate() gives what changed to its writer and takes it from the others", (t) => {
  const live = deployment(WEB), first = trackUpdate(write({ live: undefined, object: live }))!;
  const scaled = tracked(deployment({ ...WEB, replicas: 3 }), first);
  const entries = trackUpdate(write({ live: tracked(live, first), object: scaled, manager: "scaler", now: new Date("2026-01-02T04:00:00Z") }))!;
  t.deepEqual(entries.map((entry) => entry.manager), ["kubectl-create", "scaler"]);
  t.deepEqual(entries[1]!.fieldsV1, { "f:spec": { "f:replicas": {} } });
  t.false(Object.hasOwn((entries[0]!.fieldsV1 as Record<string, Any>)["f:spec"]!, "f:replicas"));
});

test("trackUpdate() changes nothing when nothing changed", (t) => {
  const live = deployment(WEB), first = trackUpdate(write({ live: undefined, object: live }))!, stored = tracked(live, first);
  t.deepEqual(trackUpdate(write({ live: stored, object: deployment(WEB), manager: "other", now: new Date() })), first);
});

test("trackUpdate() drops what was removed, and does not begin in the middle", (t) => {
  const live = deployment(WEB, { labels: { a: "1", b: "2" } }), first = trackUpdate(write({ live: undefined, object: live }))!;
  const entries = trackUpdate(write({ live: tracked(live, first), object: deployment(WEB, { labels: { a: "1" } }), manager: "other" }))!;
  t.deepEqual(entries.length, 1);
  t.deepEqual((entries[0]!.fieldsV1 as Record<string, Any>)["f:metadata"], { "f:labels": { ".": {}, "f:a": {} } });
  t.is(trackUpdate(write({ live, object: deployment({ ...WEB, replicas: 2 }) })), undefined);
  t.is(trackUpdate(write({ live: tracked(live, first), object: tracked(deployment({ ...WEB, replicas: 2 }), []) })), undefined);
});

test("trackUpdate() keeps status and spec to the endpoints that may write them", (t) => {
  const live = deployment(WEB), first = trackUpdate(write({ live: undefined, object: { ...live, status: { replicas: 1 } } }))!;
  t.false(JSON.stringify(first).includes("f:status"));
  const entries = trackUpdate(write({ live: tracked(live, first), object: { ...deployment({ ...WEB, replicas: 9 }), status: { replicas: 1 } }, subresource: "status", manager: "controller" }))!;
  t.like(entries.find((entry) => entry.subresource === "status"), { manager: "controller", fieldsV1: { "f:status": { "f:replicas": {} } } });
});

test("trackUpdate() keeps at most ten updaters and calls the oldest ancient", (t) => {
  let object = deployment(WEB), entries = trackUpdate(write({ live: undefined, object }))!;
  for (let i = 0; i < 14; i++) {
    const next = deployment(WEB, { annotations: Object.fromEntries(Array.from({ length: i + 1 }, (_, n) => [`a${n}`, "x"])) });
    entries = trackUpdate(write({ live: tracked(object, entries), object: next, manager: `m${i}`, now: new Date(NOW.getTime() + (i + 1) * 60_000) }))!;
    object = next;
  }
  t.is(entries.length, 10);
  t.is(entries[0]!.manager, "ancient-changes");
  t.like((entries[0]!.fieldsV1 as Record<string, Any>)["f:metadata"], { "f:annotations": { "f:a0": {}, "f:a3": {} } });
});

test("every field of an object has at most one updater, whoever writes what", (t) => {
  const label = fc.constantFrom("a", "b", "c"), step = fc.tuple(fc.constantFrom("x", "y", "z"), fc.dictionary(label, fc.constantFrom("1", "2")), fc.integer({ min: 0, max: 3 }));
  fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), (steps) => {
    let live: Any | undefined, entries: ReturnType<typeof trackUpdate>;
    for (const [manager, labels, replicas] of steps) {
      const object = deployment({ ...WEB, replicas }, { labels });
      entries = trackUpdate(write({ live: live === undefined ? undefined : tracked(live, entries), object, manager }));
      live = object;
      const owners = (path: string): number => entries!.filter((entry) => JSON.stringify(entry.fieldsV1).includes(path)).length;
      t.is(owners('"f:replicas":{}'), 1);
      for (const key of Object.keys(labels)) t.true(owners(`"f:${key}":{}`) >= 1);
    }
  }));
});

test("managedFields survive a round through the wire", (t) => {
  const entries = trackUpdate(write({ live: undefined, object: deployment(WEB) }))!;
  const bytes = Buffer.from(JSON.stringify(toWire("Deployment", tracked(deployment(WEB), entries))));
  t.deepEqual((decodeObject("Deployment", bytes, "Strict").object["metadata"] as Any)["managedFields"] as unknown, entries);
});

test("managerName() takes the query's, else the start of the User-Agent", (t) => {
  t.is(managerName("me", "kubectl/v1.35"), "me");
  t.is(managerName("", "kubectl/v1.35 (linux)"), "kubectl");
  t.is(managerName("", ""), "unknown");
  t.is(managerName("", "é".repeat(100)).length, 64);
});
