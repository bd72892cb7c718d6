import test from "ava";
import { discover } from "../../../lib/client/discovery.ts";
import type { Client } from "../../../lib/client/client.ts";

const answering = (answers: Record<string, unknown>): Client => ({ raw: async (_: string, path: string) => (path in answers ? { status: 200, body: JSON.stringify(answers[path]) } : { status: 503, body: "" }) }) as unknown as Client;

test("discover() reads aggregated discovery: scope, verbs, subresources, the preferred version, and what is stale", async (t) => {
  const pod = { resource: "pods", responseKind: { group: "", version: "v1", kind: "Pod" }, scope: "Namespaced", verbs: ["get", "list"], subresources: [{ subresource: "log" }] };
  const hpa = { resource: "hpas", responseKind: { kind: "Hpa" }, scope: "Namespaced", verbs: ["list"] };
  const { resources, failed } = await discover(answering({
    "/api": { kind: "APIGroupDiscoveryList", items: [{ metadata: {}, versions: [{ version: "v1", freshness: "Current", resources: [pod, { resource: "only-sub", scope: "Namespaced" }] }] }] },
    "/apis": { kind: "APIGroupDiscoveryList", items: [{ metadata: { name: "autoscaling" }, versions: [{ version: "v2", resources: [hpa] }, { version: "v1", resources: [hpa] }] }, { metadata: { name: "broken.io" }, versions: [{ version: "v1", freshness: "Stale" }] }] },
  }));
  t.deepEqual(resources[0], { group: "", version: "v1", kind: "Pod", plural: "pods", namespaced: true, verbs: ["get", "list"], subresources: ["log"], preferred: true });
  t.deepEqual(resources.slice(1).map((r) => [r.version, r.preferred]), [["v2", true], ["v1", false]]);
  t.deepEqual([...failed.keys()], ["broken.io/v1"]);
});

test("discover() asks group by group where it must, and a group that fails hides no other", async (t) => {
  const { resources, failed } = await discover(answering({
    "/api": { kind: "APIVersions", versions: ["v1"] }, "/api/v1": { resources: [{ name: "pods", kind: "Pod", namespaced: true, verbs: ["list"] }, { name: "pods/status", kind: "Pod", namespaced: true }] },
    "/apis": { kind: "APIGroupList", groups: [{ name: "apps", versions: [{ version: "v1" }] }, { name: "metrics.k8s.io", versions: [{ version: "v1beta1" }] }] },
    "/apis/apps/v1": { resources: [{ name: "deployments", kind: "Deployment", namespaced: true, verbs: ["list"] }] },
  }));
  t.deepEqual(resources.map((r) => `${r.group}/${r.plural}`), ["/pods", "apps/deployments"]);
  t.deepEqual(resources[0]!.subresources, ["status"]);
  t.deepEqual([...failed], [["metrics.k8s.io/v1beta1", "the server answered 503"]]);
});
