import test from "ava";
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from "../../../../lib/api/schema/generated/models.ts";
import { claimsOf, classesOfClaim, classesOfVolume, isBound, usesClaim } from "../../../../lib/controllers/storage-protection/in-use.ts";
import { makePod } from "../build.ts";

const withVolumes = (node: string, volumes: Volume[], phase = "Running"): Pod => { const pod = makePod({ name: "p", node, phase }); return { ...pod, spec: { ...pod.spec, volumes } }; };
const claim = (name: string, owner?: Pod): PersistentVolumeClaim => ({ apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name, namespace: "default", ...(owner === undefined ? {} : { ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: owner.metadata.name, uid: owner.metadata.uid!, controller: true }] }) }, spec: {} });
const NAMED: Volume[] = [{ name: "v", persistentVolumeClaim: { claimName: "data" } }], OWN: Volume[] = [{ name: "scratch", ephemeral: { volumeClaimTemplate: { spec: {} } } }];

test("claimsOf() and usesClaim() count pods that have a node, running or over", (t) => {
  t.deepEqual(claimsOf(withVolumes("n1", [...NAMED, ...OWN])), ["default/data", "default/p-scratch"]);
  t.deepEqual(claimsOf(withVolumes("", NAMED)), []);
  t.true(usesClaim(withVolumes("n1", NAMED), claim("data")));
  t.true(usesClaim(withVolumes("n1", NAMED, "Succeeded"), claim("data")));
  t.false(usesClaim(withVolumes("", NAMED), claim("data")));
  t.false(usesClaim(withVolumes("n1", NAMED), claim("other")));
});

test("usesClaim() counts a volume of the pod's own only for the claim made for it, while the pod is not over", (t) => {
  const pod = withVolumes("n1", OWN);
  t.true(usesClaim(pod, claim("p-scratch", pod)));
  t.false(usesClaim(pod, claim("p-scratch")));
  t.false(usesClaim(withVolumes("n1", OWN, "Failed"), claim("p-scratch", pod)));
});

test("isBound(), classesOfClaim() and classesOfVolume() read spec and status", (t) => {
  const volume = (phase: string): PersistentVolume => ({ apiVersion: "v1", kind: "PersistentVolume", metadata: { name: "pv" }, spec: { volumeAttributesClassName: "gold" }, status: { phase } });
  t.deepEqual([isBound(volume("Bound")), isBound(volume("Released"))], [true, false]);
  t.deepEqual(classesOfVolume(volume("Bound")), ["gold"]);
  t.deepEqual(classesOfClaim({ ...claim("c"), spec: { volumeAttributesClassName: "a" }, status: { currentVolumeAttributesClassName: "b", modifyVolumeStatus: { status: "InProgress", targetVolumeAttributesClassName: "c" } } }), ["a", "b", "c"]);
  t.deepEqual(classesOfClaim(claim("c")), []);
});
