import test from "ava";
import { isWanted, newClaims, newStatefulPod, ordinalOf, templateOf } from "../../../../lib/controllers/statefulset/identity.ts";
import { makePod } from "../build.ts";
import { CLAIM_TEMPLATE, NEW, makeStatefulSet } from "./build.ts";

test("ordinalOf() reads the ordinal off names of the set and of no other", (t) => {
  const set = makeStatefulSet();
  t.deepEqual(["db-0", "db-12", "db-01", "db-x-1", "db", "other-1"].map((name) => ordinalOf(set, makePod({ name }))), [0, 12, undefined, undefined, undefined, undefined]);
});

test("isWanted() counts from where ordinals start", (t) => {
  t.deepEqual([0, 2, 3].map((ordinal) => isWanted(makeStatefulSet(), ordinal)), [true, true, false]);
  t.deepEqual([4, 5, 7, 8].map((ordinal) => isWanted(makeStatefulSet({ ordinals: { start: 5 } }), ordinal)), [false, true, true, false]);
});

test("newStatefulPod() has name, host, subdomain, labels and claims of its ordinal, and the revision's template", (t) => {
  const set = makeStatefulSet({ volumeClaimTemplates: [CLAIM_TEMPLATE] });
  set.spec.template.spec!.volumes = [{ name: "data", emptyDir: {} }, { name: "tmp", emptyDir: {} }];
  const pod = newStatefulPod(set, NEW, 4);
  t.like(pod.metadata, { name: "db-4", namespace: "default", labels: { app: "db", "statefulset.kubernetes.io/pod-name": "db-4", "apps.kubernetes.io/pod-index": "4", "controller-revision-hash": "db-new" }, ownerReferences: [{ kind: "StatefulSet", controller: true }] });
  t.false("generateName" in pod.metadata);
  t.like(pod.spec, { hostname: "db-4", subdomain: "db", containers: [{ image: "i:2" }] });
  t.deepEqual(pod.spec.volumes, [{ name: "data", persistentVolumeClaim: { claimName: "data-db-4" } }]);
  t.deepEqual(Object.keys(templateOf(NEW)).sort(), ["metadata", "spec"]);
});

test("newClaims() are named after template, set and ordinal, with the selector's labels", (t) => {
  const [claim] = newClaims(makeStatefulSet({ volumeClaimTemplates: [CLAIM_TEMPLATE] }), 2);
  t.deepEqual(claim, { metadata: { name: "data-db-2", namespace: "default", labels: { own: "x", app: "db" } }, spec: CLAIM_TEMPLATE.spec });
});
