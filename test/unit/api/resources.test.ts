import test from "ava";
import { definitionOf, findKind, findResource, resources } from "../../../lib/api/resources.ts";
import { resourceSchemas } from "../../../lib/api/schema/schema.ts";
import { ALL_SHORT_NAMES } from "./short-names.ts";

const GA = /^v\d+$/;
/** No name in common with others, in one group and version. */
const key = ({ group, version, plural }: { group: string; version: string; plural: string }): string => `${group}/${version}/${plural}`;

test("every resource of a GA version has one definition, and no other has", (t) => {
  const expected = resourceSchemas().filter(({ version, plural }) => GA.test(version) && plural !== "").map(key).sort();
  t.deepEqual(resources.map(key).sort(), expected);
});

test("resources are found by plural and by kind", (t) => {
  t.is(findResource("", "v1", "pods")?.kind, "Pod");
  t.is(findKind("apps", "v1", "Deployment")?.plural, "deployments");
  t.is(findKind("autoscaling", "v2", "HorizontalPodAutoscaler")?.version, "v2");
  t.is(findResource("", "v1", "gizmos"), undefined);
  t.is(definitionOf(findResource("batch", "v1", "jobs")!).kind, "Job");
});

test("short names are upstream's", (t) => {
  const shortNames = Object.fromEntries(resources.filter((one) => one.shortNames.length > 0).map((one) => [key(one), one.shortNames.join(",")]));
  t.deepEqual(shortNames, ALL_SHORT_NAMES);
});

test("`kubectl get all` shows what upstream shows", (t) => {
  t.deepEqual(resources.filter(({ categories }) => categories.includes("all")).map(({ plural }) => plural).sort(), [
    "cronjobs", "daemonsets", "deployments", "horizontalpodautoscalers", "horizontalpodautoscalers", "jobs", "pods", "replicasets", "replicationcontrollers", "services", "statefulsets",
  ]);
});

test("two versions of one thing are stored once", (t) => {
  t.deepEqual(resources.filter(({ storage }) => storage !== undefined).map((one) => `${key(one)} as ${key(one.storage!.reference)}`).sort(), [
    "autoscaling/v1/horizontalpodautoscalers as autoscaling/v2/horizontalpodautoscalers", "events.k8s.io/v1/events as /v1/events",
  ]);
});

test("every table has a name (events have it last), and every cell can be made of an object that has nothing but one", (t) => {
  const now = new Date();
  for (const one of resources) {
    t.is(one.columns.at(one.kind === "Event" ? -1 : 0)?.name, "Name", key(one));
    const bare = { metadata: { name: "x" }, ...(one.group === "rbac.authorization.k8s.io" ? { roleRef: { kind: "Role", name: "r" } } : {}) } as never;
    for (const column of one.columns) t.notThrows(() => column.cell(bare, now), `${key(one)} ${column.name}`);
  }
});
