import test from "ava";
import type { KubeObject, ResourceDefinition } from "../../../../lib/api/resource-definition.ts";
import { pods, resourcequotas, secrets, services } from "../../../../lib/api/schema/generated/references.ts";
import type { Pod, ResourceQuota as Quota } from "../../../../lib/api/schema/generated/models.ts";
import type { ResourceReference } from "../../../../lib/api/reference.ts";
import { conflict } from "../../../../lib/api/status-error.ts";
import { QUOTA_RETRIES_MAX, ResourceQuota } from "../../../../lib/apiserver/admission/resource-quota.ts";
import type { AdmissionAttributes, InternalWriter } from "../../../../lib/apiserver/contracts.ts";
import { FakeCache } from "../fake-cache.ts";

const pod = (cpu: string, name = "p"): Pod => ({ metadata: { name, namespace: "a" }, spec: { containers: [{ name: "main", resources: { requests: { cpu } } }] } });

/** A namespace with one quota, a writer that keeps what it is told, and as many conflicts as wished. */
function setUp(hard: Record<string, string>, used: Record<string, string> | undefined, conflicts = 0) {
  const cache = new FakeCache();
  let version = 1, writes = 0;
  const quota = (): Quota => cache.get(resourcequotas, "a", "q")!;
  cache.put(resourcequotas, { metadata: { namespace: "a", name: "q", uid: "u", resourceVersion: "1" }, spec: { hard }, status: { hard, ...(used === undefined ? {} : { used }) } });
  const writer: InternalWriter = {
    create: () => Promise.reject(new Error("nothing is created")),
    remove: () => Promise.reject(new Error("nothing is removed")),
    update: async (reference, object, subresource) => {
      await Promise.resolve();
      writes++;
      if (conflicts-- > 0) throw conflict(reference as unknown as ResourceDefinition, "q", "changed");
      if (subresource !== "status" || object.metadata.resourceVersion !== quota().metadata.resourceVersion) throw conflict(reference as unknown as ResourceDefinition, "q", "stale");
      return cache.put(resourcequotas, { ...(object as unknown as Quota), metadata: { ...quota().metadata, resourceVersion: String(++version) } }) as never;
    },
  };
  const plugin = new ResourceQuota({ cache, writer, clock: { now: () => new Date("2026-01-01T00:00:00Z") } });
  const write = async (reference: ResourceReference, object: object, rest: Partial<AdmissionAttributes> = {}): Promise<void> => {
    const attributes = { operation: "CREATE", definition: { ...reference } as unknown as ResourceDefinition, subresource: "", namespace: "a", name: "", object: object as KubeObject, oldObject: undefined, user: { name: "jane", groups: [] }, dryRun: false, addWarning() {}, ...rest } as AdmissionAttributes;
    if (plugin.handles(attributes.operation, attributes.definition, attributes.subresource)) await plugin.validate(attributes);
  };
  return { write, used: () => quota().status!.used, writes: () => writes };
}

test("ResourceQuota charges what is made and refuses what is too much, in upstream's words", async (t) => {
  const { write, used } = setUp({ pods: "2", "requests.cpu": "1" }, { pods: "0", "requests.cpu": "0" });
  await write(pods, pod("600m"));
  t.deepEqual(used(), { pods: "1", "requests.cpu": "600m" });
  await t.throwsAsync(() => write(pods, pod("500m")), { message: 'pods "p" is forbidden: exceeded quota: q, requested: requests.cpu=500m, used: requests.cpu=600m, limited: requests.cpu=1' });
  t.deepEqual(used(), { pods: "1", "requests.cpu": "600m" });
});

test("ResourceQuota of writes that come together charges each, and lets no two have the last of it", async (t) => {
  const { write, used, writes } = setUp({ pods: "5" }, { pods: "0" });
  const results = await Promise.allSettled(Array.from({ length: 9 }, (_, i) => write(pods, pod("1", `p${i}`))));
  t.is(results.filter(({ status }) => status === "fulfilled").length, 5);
  t.deepEqual(used(), { pods: "5" });
  t.true(writes() <= 2, "those that waited are charged in one write");
});

test("ResourceQuota tries again when another writer came first, and gives up after a few times", async (t) => {
  const twice = setUp({ pods: "5" }, { pods: "0" }, 2);
  await twice.write(pods, pod("1"));
  t.deepEqual(twice.used(), { pods: "1" });
  const always = setUp({ pods: "5" }, { pods: "0" }, 100);
  await t.throwsAsync(() => always.write(pods, pod("1")), { message: /changed/ });
  t.is(always.writes(), QUOTA_RETRIES_MAX + 1);
  t.deepEqual(always.used(), { pods: "0" });
});

test("ResourceQuota writes nothing for a dry run, for kinds nobody limits, and for events", async (t) => {
  const { write, writes } = setUp({ pods: "1" }, { pods: "0" });
  await write(pods, pod("1"), { dryRun: true });
  await write(secrets, { metadata: { name: "s" } });
  await write({ group: "", version: "v1", kind: "Event", plural: "events", namespaced: true }, { metadata: { name: "e" } });
  t.is(writes(), 0);
});

test("ResourceQuota refuses while usage is not known, and pods that do not name what is limited", async (t) => {
  await t.throwsAsync(() => setUp({ pods: "1", "limits.cpu": "1" }, undefined).write(pods, pod("1")), { message: 'pods "p" is forbidden: failed quota: q: must specify limits.cpu for: main' });
  await t.throwsAsync(() => setUp({ pods: "1" }, undefined).write(pods, pod("1")), { message: 'pods "p" is forbidden: status unknown for quota: q, resources: pods' });
});

test("ResourceQuota of an update charges what is more, and gives nothing back", async (t) => {
  const { write, used } = setUp({ services: "2", "services.nodeports": "2" }, { services: "1", "services.nodeports": "0" });
  const service = (type: string, ports: number): object => ({ metadata: { name: "s", namespace: "a", resourceVersion: "5" }, spec: { type, ports: Array.from({ length: ports }, (_, i) => ({ port: 80 + i })) } });
  const update = (type: string, ports: number, oldType: string, oldPorts: number): Promise<void> => write(services, service(type, ports), { operation: "UPDATE", oldObject: service(oldType, oldPorts) as KubeObject, name: "s" });
  await update("NodePort", 2, "ClusterIP", 2);
  t.deepEqual(used(), { services: "1", "services.nodeports": "2" });
  await t.throwsAsync(() => update("NodePort", 3, "NodePort", 2), { message: /exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=2, limited: services.nodeports=2/ });
  await update("ClusterIP", 2, "NodePort", 2);
  t.deepEqual(used(), { services: "1", "services.nodeports": "2" });
});
