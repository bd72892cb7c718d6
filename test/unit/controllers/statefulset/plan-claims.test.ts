import test from "ava";
import { isStaleClaim, planClaimOwners } from "../../../../lib/controllers/statefulset/plan-claims.ts";
import type { OwnerReference, PersistentVolumeClaim, Pod, StatefulSetPersistentVolumeClaimRetentionPolicy } from "../../../../lib/api/schema/generated/models.ts";
import { makeStatefulSet, statefulPod } from "./build.ts";

const claim = (...ownerReferences: OwnerReference[]): PersistentVolumeClaim => ({ metadata: { name: "data-db-1", ownerReferences }, spec: {} });
const ofSet: OwnerReference = { apiVersion: "apps/v1", kind: "StatefulSet", name: "db", uid: "uid-db", controller: true, blockOwnerDeletion: true };
const ofPod = (ordinal: number, uid = `uid-db-${ordinal}`): OwnerReference => ({ apiVersion: "v1", kind: "Pod", name: `db-${ordinal}`, uid, controller: true, blockOwnerDeletion: true });
const plan = (policy: StatefulSetPersistentVolumeClaimRetentionPolicy, pod: Pod, held: PersistentVolumeClaim) => planClaimOwners(makeStatefulSet({ persistentVolumeClaimRetentionPolicy: policy }), pod, held);

test("planClaimOwners() follows the retention policy: nobody, the set, or a pod that is scaled away", (t) => {
  const kept = statefulPod(1), away = statefulPod(7);
  t.is(plan({ whenDeleted: "Retain", whenScaled: "Retain" }, kept, claim()), undefined);
  t.deepEqual(plan({ whenDeleted: "Retain", whenScaled: "Retain" }, kept, claim(ofSet)), []);
  t.deepEqual(plan({ whenDeleted: "Delete", whenScaled: "Retain" }, kept, claim()), [ofSet]);
  t.is(plan({ whenDeleted: "Delete", whenScaled: "Retain" }, away, claim(ofSet)), undefined);
  t.is(plan({ whenDeleted: "Retain", whenScaled: "Delete" }, kept, claim()), undefined);
  t.deepEqual(plan({ whenDeleted: "Delete", whenScaled: "Delete" }, away, claim(ofSet)), [ofPod(7)]);
  t.deepEqual(plan({ whenDeleted: "Delete", whenScaled: "Delete" }, kept, claim()), [ofSet]);
});

test("planClaimOwners() leaves a namesake's claim alone, and adds nothing beside another's controller", (t) => {
  t.is(plan({ whenDeleted: "Delete" }, statefulPod(1), claim({ ...ofSet, uid: "another" })), undefined);
  const foreign: OwnerReference = { apiVersion: "v1", kind: "Thing", name: "x", uid: "u", controller: true };
  t.is(plan({ whenDeleted: "Delete" }, statefulPod(1), claim(foreign)), undefined);
  t.deepEqual(plan({ whenDeleted: "Delete" }, statefulPod(1), claim(foreign, ofSet)), [foreign]);
});

test("isStaleClaim() holds for a claim that goes with a pod of before", (t) => {
  const deletes = makeStatefulSet({ persistentVolumeClaimRetentionPolicy: { whenScaled: "Delete" } });
  t.true(isStaleClaim(deletes, "db-1", claim(ofPod(1, "old"))));
  t.false(isStaleClaim(deletes, "db-1", claim()));
  t.false(isStaleClaim(makeStatefulSet(), "db-1", claim(ofPod(1, "old"))));
});
