/** Any object of the right types gets an answer that is no accident of ours (Internal error), from the whole way a write takes: decoding, defaults, admission with every plugin at work, allocation, validation, conversion. */
import test from "ava";
import fc from "fast-check";
import { resourceSchemaOf } from "../../../lib/api/schema/schema.ts";
import { resources } from "../../../lib/api/resources.ts";
import { randomFrom, randomObject, type Random } from "../../unit/api/random-object.ts";
import { Harness, type Answer, type Json } from "./harness.ts";

let api: Harness;
test.before(async () => {
  api = await Harness.start();
  await api.post("/api/v1/namespaces", { metadata: { name: "odd", labels: { "pod-security.kubernetes.io/enforce": "baseline", "pod-security.kubernetes.io/warn": "restricted" } } });
  await api.post("/api/v1/namespaces/odd/serviceaccounts", { metadata: { name: "default" } });
  await api.post("/api/v1/namespaces/odd/limitranges", { metadata: { name: "limits" }, spec: { limits: [{ type: "Container", default: { cpu: "1" }, max: { memory: "1Gi" }, maxLimitRequestRatio: { cpu: "2" } }, { type: "Pod", max: { cpu: "4" } }, { type: "PersistentVolumeClaim", min: { storage: "1Mi" } }] } });
  await api.post("/api/v1/namespaces/odd/resourcequotas", { metadata: { name: "quota" }, spec: { hard: { pods: "1000", "requests.cpu": "1000", services: "1000", "services.nodeports": "1000", persistentvolumeclaims: "1000", "requests.storage": "1000Gi", "count/secrets": "1000", "count/resourceclaims.resource.k8s.io": "1000" } } });
  await api.patch("/api/v1/namespaces/odd/resourcequotas/quota/status", { status: { hard: { pods: "1000" }, used: { pods: "0" } } });
});
test.after.always(() => api.close());

const pick = <T>(random: Random, values: readonly T[]): T => values[Math.floor(random() * values.length)]!;

for (const definition of resources) {
  const { group, version, plural, namespaced, kind } = definition, root = group === "" ? "/api/v1" : `/apis/${group}/${version}`, path = `${root}${namespaced ? "/namespaces/odd" : ""}/${plural}`;
  if (!definition.verbs.includes("create")) continue;
  const written = (random: Random, name: string): Json => {
    const object = randomObject(random, definition.model);
    return { ...object, apiVersion: group === "" ? version : `${group}/${version}`, kind, metadata: { ...(random() < 0.2 ? (object["metadata"] as Json) : {}), name, namespace: undefined, resourceVersion: undefined, uid: undefined } };
  };
  test.serial(`${group}/${version} ${plural}: whatever is written is answered with a Status that means it`, async (t) => {
    const check = ({ body, text }: Answer, sent: unknown): void => { if (body?.kind === undefined || body.reason === "InternalError") throw new Error(`${text}\nfor ${JSON.stringify(sent)}`); };
    await fc.assert(fc.asyncProperty(fc.integer(), async (seed) => {
      const random = randomFrom(seed), name = `odd-${(seed >>> 0).toString(36)}`, made = written(random, name);
      check(await api.post(`${path}?dryRun=All`, made), made);
      check(await api.post(path, made), made);
      if (!definition.verbs.includes("update")) return;
      for (const subresource of ["", ...definition.subresources.filter((each) => (resourceSchemaOf(definition)!.subresources[each]?.verbs ?? []).includes("update") && each !== "proxy")]) {
        const url = `${path}/${name}${subresource === "" ? "" : `/${subresource}`}`, other = subresource === "scale" ? randomObject(random, "Scale") : written(random, name);
        check(await api.put(url, other), other);
        check(await api.patch(url, other, pick(random, ["merge", "strategic-merge"] as const)), other);
        check(await api.call("PATCH", `${url}?fieldManager=x&force=true`, { body: JSON.stringify(other), headers: { "content-type": "application/apply-patch+yaml" } }), other);
      }
      check(await api.get(url(path, name), { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" }), made);
      check(await api.delete(url(path, name), written(random, name)), made);
    }), { numRuns: 20, includeErrorInReport: true });
    t.pass();
  });
}
const url = (path: string, name: string): string => `${path}/${name}`;

test.serial("a pod whose volumes and containers have no name is refused field by field", async (t) => {
  const { status, body } = await api.post("/api/v1/namespaces/odd/pods", { metadata: { name: "nameless" }, spec: { containers: [{ image: "x", volumeMounts: [{ mountPath: "/a" }] }], volumes: [{ emptyDir: {} }] } });
  t.is(status, 422, body.message);
  const fields = (body.details.causes as { field: string; message: string }[]).filter(({ message }) => message.startsWith("Required value")).map(({ field }) => field);
  for (const field of ["spec.volumes[0].name", "spec.containers[0].name", "spec.containers[0].volumeMounts[0].name"]) t.true(fields.includes(field), `${field} among ${fields.join(", ")}`);
});

test.serial("metrics of an autoscaler's status that say nothing are kept in every version, empty as upstream's structs are", async (t) => {
  const all = "/apis/autoscaling/v2/namespaces/odd/horizontalpodautoscalers";
  t.is((await api.post(all, { metadata: { name: "blank" }, spec: { maxReplicas: 2, scaleTargetRef: { kind: "Deployment", name: "d", apiVersion: "apps/v1" } } })).status, 201);
  const said = await api.patch(`${all}/blank/status`, { status: { currentMetrics: [{ type: "Object", object: {} }, { type: "Pods", pods: {} }, { type: "Resource", resource: { name: "cpu" } }, { type: "ContainerResource", containerResource: {} }, { type: "External", external: {} }] } });
  t.is(said.status, 200, said.text);
  t.deepEqual(said.body.status.currentMetrics.map(({ type }: { type: string }) => type), ["Object", "Pods", "Resource", "ContainerResource", "External"]);
  t.is((await api.get("/apis/autoscaling/v1/namespaces/odd/horizontalpodautoscalers/blank")).status, 200);
});
