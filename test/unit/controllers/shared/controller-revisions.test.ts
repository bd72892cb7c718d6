import test from "ava";
import { REVISION_HASH_LABEL, byRevision, isRevisionOf, newRevision, nextRevisionNumber, planRevisionCleanup, templatePatch } from "../../../../lib/controllers/shared/controller-revisions.ts";
import { daemonsets } from "../../../../lib/api/schema/generated/references.ts";
import type { ControllerRevision } from "../../../../lib/api/schema/generated/models.ts";
import { makeDaemonSet } from "../daemonset/build.ts";

const revision = (name: string, number: number): ControllerRevision => ({ metadata: { name }, revision: number });
const names = (revisions: readonly ControllerRevision[]): string[] => revisions.map(({ metadata }) => metadata.name);

test("newRevision() holds a patch that puts the template back, named and labelled by its hash, with the owner's annotations", (t) => {
  const set = makeDaemonSet({}, { annotations: { "kubernetes.io/change-cause": "why" } }), made = newRevision(set, daemonsets, 4, undefined, REVISION_HASH_LABEL), hash = made.metadata.labels![REVISION_HASH_LABEL];
  t.is(made.metadata.name, `agent-${hash}`);
  t.like(made, { revision: 4, metadata: { namespace: "default", labels: { app: "agent" }, annotations: { "kubernetes.io/change-cause": "why" }, ownerReferences: [{ kind: "DaemonSet", name: "agent", controller: true }] } });
  t.deepEqual(made.data, { spec: { template: { ...set.spec.template, $patch: "replace" } } });
  t.not(newRevision(set, daemonsets, 4, 1, REVISION_HASH_LABEL).metadata.name, made.metadata.name);
});

test("isRevisionOf() compares templates, not numbers", (t) => {
  const { template } = makeDaemonSet().spec;
  t.true(isRevisionOf({ metadata: { name: "r" }, revision: 1, data: templatePatch(structuredClone(template)) }, template));
  t.false(isRevisionOf({ metadata: { name: "r" }, revision: 1, data: templatePatch({}) }, template));
});

test("revisions are ordered and numbered on", (t) => {
  t.deepEqual(names([revision("c", 2), revision("b", 1), revision("a", 2)].toSorted(byRevision)), ["b", "a", "c"]);
  t.deepEqual([nextRevisionNumber([]), nextRevisionNumber([revision("a", 7), revision("b", 3)])], [1, 8]);
});

test("planRevisionCleanup() takes the oldest beyond the limit that nobody runs", (t) => {
  const old = [revision("d", 4), revision("a", 1), revision("b", 2), revision("c", 3)];
  t.deepEqual(names(planRevisionCleanup(old, 2, () => false)), ["a", "b"]);
  t.deepEqual(names(planRevisionCleanup(old, 2, ({ metadata }) => metadata.name === "a")), ["b", "c"]);
  t.deepEqual(planRevisionCleanup(old, 10, () => false), []);
});
