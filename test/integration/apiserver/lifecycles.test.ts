/**
 * Every stored kind through its whole life, as upstream's conformance tests lead it ("should support … API operations", "should run
 * through the lifecycle of …"): `test/e2e/apimachinery/flowcontrol.go`, `test/e2e/auth/certificates.go`, `test/e2e/common/node/{runtimeclass,
 * lease,podtemplates,configmap,secrets}.go`, `test/e2e/network/{ingress,ingressclass,endpointslice,service_cidrs}.go`, `test/e2e/storage/
 * {storageclass,csi_node,volume_attachment,volumeattributesclass,persistent_volumes}.go`, `test/e2e/apps/*.go`, `test/e2e/dra/dra.go`
 * and others, re-told once for all kinds.
 */
import test, { type ExecutionContext } from "ava";
import { defaultAdmission } from "../../../lib/apiserver/defaults.ts";
import { Harness, type Answer, type Json } from "./harness.ts";
import { SAMPLES, type Sample } from "./samples.ts";
import { upstreamResources, type UpstreamResource } from "./upstream-resources.ts";

/** Some kinds leave what is theirs behind unless told otherwise, which a collector would clean up. */
const AT_ONCE = { gracePeriodSeconds: 0, propagationPolicy: "Background" };

let api: Harness;
// No controller is here to take the protection of storage off again.
test.before(async () => { api = await Harness.start({ admission: defaultAdmission({ disable: ["StorageObjectInUseProtection"] }) }); await api.namespace("lifecycles"); });
test.after.always(() => api.close());

const stored = upstreamResources().filter(({ verbs }) => verbs.includes("create") && verbs.includes("list"));
const groupOf = ({ groupVersion }: UpstreamResource): string => (groupVersion.includes("/") ? groupVersion.split("/")[0]! : "");
const qualified = (resource: UpstreamResource): string => (groupOf(resource) === "" ? resource.plural : `${resource.plural}.${groupOf(resource)}`);
const rootOf = ({ groupVersion }: UpstreamResource): string => (groupVersion === "v1" ? "/api/v1" : `/apis/${groupVersion}`);
const everywhere = (resource: UpstreamResource): string => `${rootOf(resource)}/${resource.plural}`;
const collection = (resource: UpstreamResource): string => (resource.namespaced ? `${rootOf(resource)}/namespaces/lifecycles/${resource.plural}` : everywhere(resource));

/** One resource, and three objects that a label of their own selects. */
interface Life { readonly resource: UpstreamResource; readonly sample: Sample; readonly label: string }

const must = (answer: Answer, status: number, what: string): any => { // eslint-disable-line
  if (answer.status !== status) throw new Error(`${what}: wanted ${status}, got ${answer.status}: ${answer.text}`);
  return answer.body;
};

function written({ resource, sample, label }: Life, index: number): Json {
  const name = sample.name?.(index);
  return { apiVersion: resource.groupVersion, kind: resource.kind, metadata: { ...(name === undefined ? { generateName: "life-" } : { name }), labels: { life: label } }, ...sample.body(index) };
}

test("every stored resource has a sample", (t) => {
  t.deepEqual(stored.map(qualified).filter((name) => SAMPLES[name] === undefined), []);
  t.is(stored.length, Object.keys(SAMPLES).length + 1); // Autoscalers are served in two versions.
});

for (const resource of stored) {
  const sample = SAMPLES[qualified(resource)]!, label = `life-${stored.indexOf(resource)}`, life: Life = { resource, sample, label };
  const path = collection(resource), selected = `labelSelector=life%3D${label}`;

  test.serial(`${resource.groupVersion} ${resource.plural}: create, get, list, watch, patch, update, status, delete`, async (t) => {
    const made = [];
    for (const index of [1, 2, 3]) made.push(must(await api.post(path, written(life, index)), 201, "create"));
    const one = made[2], url = `${path}/${one.metadata.name}`;
    t.deepEqual([one.kind, one.apiVersion], [resource.kind, resource.groupVersion]);
    t.deepEqual(must(await api.get(url), 200, "get"), one);
    const list = must(await api.get(`${path}?${selected}`), 200, "list");
    t.deepEqual([list.kind, list.apiVersion, list.items.length], [`${resource.kind}List`, resource.groupVersion, 3]);
    t.is(must(await api.get(`${everywhere(resource)}?${selected}`), 200, "list everywhere").items.length, 3);

    const watch = api.watch(`${path}?watch=1&resourceVersion=${list.metadata.resourceVersion}&${selected}`);
    t.is(await watch.status, 200);
    const patched = must(await api.patch(url, { metadata: { annotations: { patched: "true" } } }), 200, "patch");
    t.is(patched.metadata.annotations.patched, "true");
    const updated = must(await api.put(url, { ...patched, metadata: { ...patched.metadata, annotations: { ...patched.metadata.annotations, updated: "true" } } }), 200, "update");
    t.is(updated.metadata.annotations.updated, "true");
    for (const expected of [patched, updated]) t.deepEqual(await watch.next(), { type: "MODIFIED", object: expected });
    watch.close();

    if (sample.status !== undefined) await throughStatus(t, life, url);

    const gone = must(await api.delete(url, AT_ONCE), 200, "delete");
    if (resource.plural !== "namespaces") {
      t.is((await api.get(url)).status, 404);
      t.true(gone.kind === "Status" ? gone.status === "Success" : gone.metadata.uid === one.metadata.uid);
      t.is(must(await api.get(`${path}?${selected}`), 200, "list").items.length, 2);
    }
    if (!resource.verbs.includes("deletecollection")) {
      t.is((await api.delete(`${path}?${selected}`)).status, 405);
      return;
    }
    const all = must(await api.delete(`${path}?${selected}`, AT_ONCE), 200, "delete the collection");
    t.is(all.kind === "Status" ? 2 : all.items.length, 2);
    t.deepEqual(must(await api.get(`${path}?${selected}`), 200, "list").items, []);
  });

  test.serial(`${resource.groupVersion} ${resource.plural}: has a status of its own exactly where upstream has one`, async (t) => {
    t.is(resource.subresources.some(({ name }) => name === "status"), sample.status !== undefined);
    if (sample.status === undefined) t.is((await api.get(`${path}/any/status`)).status, 404);
  });
}

/** Whether `whole` has all that `part` has, whatever else it has. */
function holds(whole: unknown, part: unknown): boolean {
  if (Array.isArray(part)) return Array.isArray(whole) && part.every((item) => whole.some((other) => holds(other, item)));
  if (typeof part !== "object" || part === null) return whole === part;
  return typeof whole === "object" && whole !== null && Object.entries(part).every(([key, value]) => holds((whole as Json)[key], value));
}

async function throughStatus(t: ExecutionContext, { resource, sample }: Life, url: string): Promise<void> {
  const before = must(await api.get(`${url}/status`), 200, "get of status");
  t.deepEqual([before.kind, before.apiVersion], [resource.kind, resource.groupVersion]);
  const patched = must(await api.patch(`${url}/status`, { metadata: { annotations: { patchedstatus: "true" } }, status: sample.status }), 200, "patch of status");
  t.is(patched.metadata.annotations.patchedstatus, sample.statusKeepsMetadata === true ? undefined : "true", "the annotation patched through status");
  t.true(holds(patched.status, sample.status), JSON.stringify(patched.status));
  t.deepEqual(patched.spec, before.spec);
  const updated = must(await api.put(`${url}/status`, { ...patched, metadata: { ...patched.metadata, annotations: { ...patched.metadata.annotations, updatedstatus: "true" } } }), 200, "update of status");
  t.is(updated.metadata.annotations.updatedstatus, sample.statusKeepsMetadata === true ? undefined : "true", "the annotation updated through status");
  t.deepEqual(updated.status, patched.status);
  const main = must(await api.patch(url, { status: null }), 200, "patch of the object");
  t.deepEqual(main.status, patched.status, "a write of the object leaves status alone");
}
