/**
 * Every resource as discovery lists it, in both of its forms and through kubectl; and what upstream's conformance tests ask of discovery:
 * `test/e2e/apimachinery/discovery.go`, `aggregated_discovery.go`, `server_version.go`, `health_handlers.go` re-told.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import test from "ava";
import { clientsOf, type Clients } from "./clients.ts";
import { Harness } from "./harness.ts";
import { upstreamResources, type UpstreamResource } from "./upstream-resources.ts";

const GOLDEN = path.resolve(import.meta.dirname, "../../golden/kubectl-api-resources.txt");
const AGGREGATED = { accept: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList" };

let api: Harness, clients: Clients;
test.before(async () => { api = await Harness.start(); clients = clientsOf(api); });
test.after.always(async () => { clients.remove(); await api.close(); });

const expected = upstreamResources();
const groupVersions = [...new Set(expected.map((resource) => resource.groupVersion))];
const of = (groupVersion: string): UpstreamResource[] => expected.filter((resource) => resource.groupVersion === groupVersion);
const optional = (name: string, values: readonly string[]): object => (values.length === 0 ? {} : { [name]: values });

test("aggregated discovery lists upstream's resources, in its order, with its fields", async (t) => {
  const documents = [...(await api.get("/api", AGGREGATED)).body.items, ...(await api.get("/apis", AGGREGATED)).body.items];
  const served = documents.flatMap(({ metadata, versions }) => versions.map((each: any) => ({ groupVersion: metadata.name === undefined ? each.version : `${metadata.name}/${each.version}`, ...each }))); // eslint-disable-line
  t.deepEqual(served.map(({ groupVersion }) => groupVersion), groupVersions);
  for (const { groupVersion, resources, freshness } of served) {
    t.is(freshness, "Current");
    t.deepEqual(resources, of(groupVersion).map(({ plural, kind, namespaced, shortNames, categories, verbs, subresources }) => ({
      resource: plural, responseKind: { group: "", version: "", kind }, scope: namespaced ? "Namespaced" : "Cluster", singularResource: kind.toLowerCase(), verbs,
      ...optional("shortNames", shortNames), ...optional("categories", categories),
      ...(subresources.length === 0 ? {} : { subresources: subresources.map(({ name, verbs: may, kind: responseKind }) => ({ subresource: name, responseKind, verbs: may })) }),
    })), groupVersion);
  }
});

test("each version's own list says the same, and what can be watched has a hash of its stored form", async (t) => {
  for (const groupVersion of groupVersions) {
    const { body } = await api.get(groupVersion === "v1" ? "/api/v1" : `/apis/${groupVersion}`);
    t.is(body.groupVersion, groupVersion);
    const plain = body.resources.map(({ storageVersionHash, ...rest }: { storageVersionHash?: string; name: string; verbs: string[] }) => {
      t.is(/^[A-Za-z0-9+/]{11}=$/.test(storageVersionHash ?? ""), !rest.name.includes("/") && rest.verbs.includes("watch"), rest.name);
      return rest;
    });
    t.deepEqual(plain, of(groupVersion).flatMap(({ plural, kind, namespaced, shortNames, categories, verbs, subresources }) => [
      { name: plural, singularName: kind.toLowerCase(), namespaced, kind, verbs, ...optional("shortNames", shortNames), ...optional("categories", categories) },
      ...subresources.map(({ name, verbs: may, kind: answer }) => ({
        name: `${plural}/${name}`, singularName: "", namespaced, kind: answer.kind, verbs: may, ...(answer.version === "" ? {} : { group: answer.group, version: answer.version }),
      })),
    ]), groupVersion);
  }
});

test("a subresource knows the verbs it lists, and answers 405 to the others", async (t) => {
  await api.namespace("verbs");
  const methods = { get: "GET", create: "POST", update: "PUT", patch: "PATCH", delete: "DELETE" };
  for (const { groupVersion, plural, namespaced, subresources } of expected) for (const { name, verbs } of subresources) {
    const url = `${groupVersion === "v1" ? "/api/v1" : `/apis/${groupVersion}`}${namespaced ? "/namespaces/verbs" : ""}/${plural}/nobody/${name}`;
    for (const [verb, method] of Object.entries(methods)) {
      const { status, text } = await api.call(method, url, method === "GET" ? {} : { body: {}, headers: { "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json" } });
      t.is(status === 405, !verbs.includes(verb), `${method} ${url}: ${status} ${text}`);
    }
  }
});

test("hashes of stored forms are upstream's", async (t) => {
  const hashes: Record<string, Record<string, string>> = {
    "/api/v1": { configmaps: "qFsyl6wFWjQ=", nodes: "XwShjMxG9Fs=", serviceaccounts: "pbx9ZvyFpBE=", services: "0/CO1lhkEBI=" },
    "/apis/networking.k8s.io/v1": { ingresses: "39NQlfNR+bo=", ipaddresses: "3f/plJFChNE=" },
    "/apis/flowcontrol.apiserver.k8s.io/v1": { flowschemas: "GJVAJZSZBIw=", prioritylevelconfigurations: "Kir5PVfvNeI=" },
    "/apis/resource.k8s.io/v1": { resourceclaims: "wgAZaHcZxUg=" }, "/apis/storage.k8s.io/v1": { volumeattributesclasses: "tIjydgKBC5w=" },
  };
  for (const [url, wanted] of Object.entries(hashes)) {
    const { resources } = (await api.get(url)).body as { resources: { name: string; storageVersionHash?: string }[] };
    for (const [name, hash] of Object.entries(wanted)) t.is(resources.find((r) => r.name === name)?.storageVersionHash, hash, name);
  }
});

test("every group's preferred version is among its versions, in /apis and in the group's own document", async (t) => {
  const { groups } = (await api.get("/apis")).body as { groups: { name: string; preferredVersion: { groupVersion: string }; versions: { groupVersion: string }[] }[] };
  t.deepEqual(groups.flatMap(({ versions }) => versions.map(({ groupVersion }) => groupVersion)), groupVersions.slice(1));
  for (const { name, preferredVersion, versions } of groups) {
    t.true(versions.some(({ groupVersion }) => groupVersion === preferredVersion.groupVersion), name);
    const own = (await api.get(`/apis/${name}`)).body;
    t.deepEqual([own.kind, own.apiVersion, own.name, own.preferredVersion], ["APIGroup", "v1", name, preferredVersion]);
  }
});

test("the Accept header chooses among v2, v2beta1 and the old form, in the client's order", async (t) => {
  const beta = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList", old = "application/json";
  for (const [accept, kind, version] of [
    [AGGREGATED.accept, "APIGroupDiscoveryList", "apidiscovery.k8s.io/v2"], [`${beta},${AGGREGATED.accept}`, "APIGroupDiscoveryList", "apidiscovery.k8s.io/v2beta1"],
    [`${old},${AGGREGATED.accept}`, "APIGroupList", "v1"], [`application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,${old}`, "APIGroupList", "v1"], ["*/*", "APIGroupList", "v1"],
  ] as const) {
    const { body, headers } = await api.get("/apis", { accept });
    t.deepEqual([body.kind, body.apiVersion], [kind, version], accept);
    t.is(headers["vary"], "Accept", accept);
  }
});

test("kubectl api-resources -o wide prints what it prints for upstream, and api-versions every version", async (t) => {
  t.is(await clients.ok(["api-resources", "-o", "wide", "--cached=false"]), readFileSync(GOLDEN, "utf8"));
  t.deepEqual((await clients.ok(["api-versions"])).trim().split("\n"), groupVersions.toSorted());
});
