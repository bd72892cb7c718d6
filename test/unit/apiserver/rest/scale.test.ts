import test from "ava";
import type { KubeObject } from "../../../../lib/api/resource-definition.ts";
import { scaleOf } from "../../../../lib/apiserver/rest/scale.ts";

const object = (spec: object, status: object = {}): KubeObject => ({ metadata: { name: "x", namespace: "ns", uid: "u", resourceVersion: "7", labels: { a: "b" } }, spec, status } as unknown as KubeObject);

test("scaleOf() shows replicas and the selector as text", (t) => {
  const scale = scaleOf(object({ replicas: 3, selector: { matchLabels: { app: "web" }, matchExpressions: [{ key: "tier", operator: "In", values: ["b", "a"] }] } }, { replicas: 2 }));
  t.deepEqual([scale.spec, scale.status], [{ replicas: 3 }, { replicas: 2, selector: "app=web,tier in (a,b)" }]);
  t.deepEqual([scale.metadata.name, scale.metadata.resourceVersion, scale.metadata.labels], ["x", "7", undefined]);
});

test("scaleOf() reads plain sets, and leaves out what is not there", (t) => {
  t.deepEqual(scaleOf(object({ replicas: 0, selector: { app: "web" } })).status, { replicas: 0, selector: "app=web" });
  const bare = scaleOf(object({}));
  t.deepEqual([bare.spec, bare.status], [{}, { replicas: 0 }]);
});
