import test from "ava";
import { isLongRunning, requestInfo } from "../../../lib/apiserver/request-info.ts";

const read = (method: string, target: string) => {
  const [path = "", query = ""] = target.split("?");
  const { verb, apiGroup, apiVersion, namespace, resource, subresource, name, isResourceRequest } = requestInfo(method, path, new URLSearchParams(query));
  return isResourceRequest ? [verb, apiGroup, apiVersion, namespace, resource, subresource, name] : verb;
};

test("requestInfo() reads verbs and places of the core group", (t) => {
  t.deepEqual(read("GET", "/api/v1/pods"), ["list", "", "v1", "", "pods", "", ""]);
  t.deepEqual(read("GET", "/api/v1/namespaces/ns/pods"), ["list", "", "v1", "ns", "pods", "", ""]);
  t.deepEqual(read("GET", "/api/v1/namespaces/ns/pods/p"), ["get", "", "v1", "ns", "pods", "", "p"]);
  t.deepEqual(read("HEAD", "/api/v1/namespaces/ns/pods/p"), ["get", "", "v1", "ns", "pods", "", "p"]);
  t.deepEqual(read("POST", "/api/v1/namespaces/ns/pods"), ["create", "", "v1", "ns", "pods", "", ""]);
  t.deepEqual(read("PATCH", "/api/v1/namespaces/ns/pods/p/status"), ["patch", "", "v1", "ns", "pods", "status", "p"]);
  t.deepEqual(read("DELETE", "/api/v1/namespaces/ns/pods"), ["deletecollection", "", "v1", "ns", "pods", "", ""]);
  t.deepEqual(read("DELETE", "/api/v1/nodes/n"), ["delete", "", "v1", "", "nodes", "", "n"]);
});

test("requestInfo() gives a namespace its own name as namespace, as authorization expects", (t) => {
  t.deepEqual(read("GET", "/api/v1/namespaces/ns"), ["get", "", "v1", "ns", "namespaces", "", "ns"]);
  t.deepEqual(read("PUT", "/api/v1/namespaces/ns/finalize"), ["update", "", "v1", "ns", "namespaces", "finalize", "ns"]);
  t.deepEqual(read("GET", "/api/v1/namespaces"), ["list", "", "v1", "", "namespaces", "", ""]);
});

test("requestInfo() reads groups, and leaves discovery to the paths", (t) => {
  t.deepEqual(read("GET", "/apis/apps/v1/namespaces/ns/deployments/d/scale"), ["get", "apps", "v1", "ns", "deployments", "scale", "d"]);
  for (const path of ["/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/healthz", "/", "/version"]) t.is(read("GET", path), "get", path);
  t.is(read("OPTIONS", "/healthz"), "options");
});

test("requestInfo() tells a watch from a list, and a name asked for by field selector", (t) => {
  t.deepEqual(read("GET", "/api/v1/pods?watch=true"), ["watch", "", "v1", "", "pods", "", ""]);
  t.deepEqual(read("GET", "/api/v1/pods?watch"), ["watch", "", "v1", "", "pods", "", ""]);
  t.deepEqual(read("GET", "/api/v1/pods?watch=0"), ["list", "", "v1", "", "pods", "", ""]);
  t.deepEqual(read("GET", "/api/v1/watch/namespaces/ns/pods"), ["watch", "", "v1", "ns", "pods", "", ""]);
  t.deepEqual(read("GET", "/api/v1/namespaces/ns/secrets?fieldSelector=metadata.name%3Ds"), ["list", "", "v1", "ns", "secrets", "", "s"]);
  t.deepEqual(read("GET", "/api/v1/secrets?fieldSelector=metadata.name!%3Ds"), ["list", "", "v1", "", "secrets", "", ""]);
});

test("requestInfo() decodes names, and refuses what cannot be decoded", (t) => {
  t.deepEqual(read("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode"), ["get", "rbac.authorization.k8s.io", "v1", "", "clusterroles", "", "system:node"]);
  t.throws(() => read("GET", "/api/v1/namespaces/%ZZ/pods"), { message: /invalid URL escape/ });
});

test("isLongRunning() knows watches and streams", (t) => {
  const is = (method: string, path: string) => isLongRunning(requestInfo(method, path, new URLSearchParams()));
  t.true(is("GET", "/api/v1/watch/pods"));
  for (const sub of ["exec", "attach", "portforward", "log", "proxy"]) t.true(is("GET", `/api/v1/namespaces/n/pods/p/${sub}`), sub);
  t.false(is("GET", "/api/v1/namespaces/n/pods/p/status"));
});
