import test from "ava";
import { resources } from "../../../../lib/api/resources.ts";
import { listPrefix, objectKey, resourcePrefix } from "../../../../lib/apiserver/registry/keys.ts";
import { isStored } from "../../../../lib/apiserver/registry/registry.ts";

test("resourcePrefix() is upstream's place", (t) => {
  const at = (plural: string, group = "") => resourcePrefix({ group, plural });
  t.is(at("pods"), "/registry/pods/");
  t.is(at("nodes"), "/registry/minions/");
  t.is(at("services"), "/registry/services/specs/");
  t.is(at("endpoints"), "/registry/services/endpoints/");
  t.is(at("replicationcontrollers"), "/registry/controllers/");
  t.is(at("deployments", "apps"), "/registry/deployments/");
  t.is(at("ingresses", "networking.k8s.io"), "/registry/ingress/");
  t.is(at("customresourcedefinitions", "apiextensions.k8s.io"), "/registry/apiextensions.k8s.io/customresourcedefinitions/");
  t.is(resourcePrefix({ group: "example.com", plural: "widgets" }, true), "/registry/example.com/widgets/");
});

test("objectKey() and listPrefix() leave out the namespace where there is none", (t) => {
  t.is(objectKey("/registry/pods/", "ns", "p"), "/registry/pods/ns/p");
  t.is(objectKey("/registry/minions/", "", "n"), "/registry/minions/n");
  t.is(listPrefix("/registry/pods/", "ns"), "/registry/pods/ns/");
  t.is(listPrefix("/registry/pods/", ""), "/registry/pods/");
});

test("no two stored kinds share a place but the versions of one", (t) => {
  const kinds = new Map<string, Set<string>>();
  for (const definition of resources.filter(isStored)) {
    const prefix = resourcePrefix(definition), held = kinds.get(prefix) ?? new Set();
    kinds.set(prefix, held.add(definition.kind));
  }
  for (const [prefix, held] of kinds) t.is(held.size, 1, prefix);
  for (const a of kinds.keys()) for (const b of kinds.keys()) t.true(a === b || !a.startsWith(b), `${a} lies inside ${b}`);
});
