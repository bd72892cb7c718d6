import test from "ava";
import { resources } from "../../../../lib/api/resources.ts";
import { discover, resourceListBody } from "../../../../lib/apiserver/endpoints/discovery.ts";

test("discover() orders groups as upstream, newest versions first, resources by name", (t) => {
  const groups = discover(resources);
  t.deepEqual(groups.map(({ name }) => name), ["", "apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "batch", "certificates.k8s.io", "networking.k8s.io", "policy",
    "rbac.authorization.k8s.io", "storage.k8s.io", "admissionregistration.k8s.io", "apiextensions.k8s.io", "scheduling.k8s.io", "coordination.k8s.io", "node.k8s.io", "discovery.k8s.io", "resource.k8s.io", "flowcontrol.apiserver.k8s.io"]);
  for (const { versions } of groups) for (const { resources: list } of versions) {
    const names = list.map(({ definition }) => definition.plural);
    t.deepEqual(names, [...names].sort());
  }
});

test("every subresource has verbs and a kind", (t) => {
  for (const group of discover(resources)) for (const version of group.versions) {
    const { resources: list } = resourceListBody(group, version) as { resources: { name: string; kind: string; verbs: string[] }[] };
    for (const { name, kind, verbs } of list) t.true(kind !== "" && verbs.length > 0, name);
  }
});
