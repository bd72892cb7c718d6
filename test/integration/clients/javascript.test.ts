/** `@kubernetes/client-node`, unmodified: typed calls, objects of any kind, watches and informers, streams into containers. */
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import {
  ApiException, AppsV1Api, Attach, AuthorizationV1Api, BatchV1Api, CoreV1Api, Cp, Exec, KubeConfig, KubernetesObjectApi, Log, PatchStrategy, VersionApi, Watch,
  loadAllYaml, makeInformer, setHeaderOptions, type KubernetesObject, type V1ConfigMap, type V1Status,
} from "@kubernetes/client-node";
import test, { type ExecutionContext } from "ava";
import { ClientSession } from "./session.ts";

const NS = "javascript";
let session: ClientSession, config: KubeConfig;
test.before(async () => {
  session = await ClientSession.start([], "1.35");
  config = new KubeConfig();
  config.loadFromFile((await session.terminal(NS)).kubeconfig);
});
test.after.always(async () => { await session.stop(); });

const core = (): CoreV1Api => config.makeApiClient(CoreV1Api);
const configMap = (name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}): V1ConfigMap => ({ metadata: { name, labels }, data });
async function refused(t: ExecutionContext, work: Promise<unknown>): Promise<[number, string]> {
  const error = await t.throwsAsync<ApiException<string>>(work, { instanceOf: ApiException });
  return [error.code, (JSON.parse(error.body) as V1Status).message!];
}
const podTemplate = (app: string, image: string, restartPolicy = "Always") => ({ metadata: { labels: { app } }, spec: { restartPolicy, containers: [{ name: "c", image }] } });

test("typed calls create, read, patch in every way, replace, list in chunks and delete; refusals carry the server's Status", async (t) => {
  const api = core(), of = (name: string) => ({ name, namespace: NS });
  const made = await api.createNamespacedConfigMap({ namespace: NS, body: configMap("a", { x: "1" }) });
  t.true(made.metadata!.creationTimestamp instanceof Date);
  t.deepEqual(await refused(t, api.createNamespacedConfigMap({ namespace: NS, body: configMap("a") })), [409, 'configmaps "a" already exists']);
  const patch = async (strategy: string, body: unknown): Promise<unknown> => (await api.patchNamespacedConfigMap({ ...of("a"), body, fieldManager: "js", ...(strategy === PatchStrategy.ServerSideApply ? { force: true } : {}) }, setHeaderOptions("Content-Type", strategy))).data;
  t.deepEqual(await patch(PatchStrategy.MergePatch, { data: { y: "2" } }), { x: "1", y: "2" });
  t.deepEqual(await patch(PatchStrategy.StrategicMergePatch, { data: { x: null } }), { y: "2" });
  t.deepEqual(await patch(PatchStrategy.JsonPatch, [{ op: "replace", path: "/data/y", value: "3" }]), { y: "3" });
  t.deepEqual(await patch(PatchStrategy.ServerSideApply, { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { z: "4" } }), { y: "3", z: "4" });
  const [stale, fresh] = [await api.readNamespacedConfigMap(of("a")), await api.readNamespacedConfigMap(of("a"))];
  fresh.data = { w: "5" };
  await api.replaceNamespacedConfigMap({ ...of("a"), body: fresh });
  t.is((await refused(t, api.replaceNamespacedConfigMap({ ...of("a"), body: stale })))[0], 409);
  t.is((await api.deleteNamespacedConfigMap({ ...of("a"), propagationPolicy: "Background" })).status, "Success");
  t.deepEqual(await refused(t, api.readNamespacedConfigMap(of("a"))), [404, 'configmaps "a" not found']);

  for (const name of ["n1", "n2", "n3"]) await api.createNamespacedConfigMap({ namespace: NS, body: configMap(name, {}, { chunk: "yes" }) });
  const names: string[] = [];
  for (let _continue: string | undefined; ;) {
    const page = await api.listNamespacedConfigMap({ namespace: NS, labelSelector: "chunk=yes", limit: 2, ...(_continue === undefined ? {} : { _continue }) });
    names.push(...page.items.map((each) => each.metadata!.name!));
    _continue = page.metadata?._continue;
    if (_continue === undefined || _continue === "") break;
  }
  t.deepEqual(names, ["n1", "n2", "n3"]);
  await api.deleteCollectionNamespacedConfigMap({ namespace: NS, labelSelector: "chunk" });
  t.is((await api.listNamespacedConfigMap({ namespace: NS, labelSelector: "chunk" })).items.length, 0);
});

test("objects of any kind are made from YAML, patched and deleted; workloads reach what they ask for", async (t) => {
  const any = KubernetesObjectApi.makeApiClient(config), apps = config.makeApiClient(AppsV1Api);
  const objects = loadAllYaml(`
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: ${NS} }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template: { metadata: { labels: { app: web } }, spec: { containers: [ { name: c, image: "app:1", ports: [ { containerPort: 80 } ] } ] } }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: ${NS} }
spec: { selector: { app: web }, ports: [ { port: 80, targetPort: 80 } ] }
`) as KubernetesObject[];
  for (const object of objects) await any.create(object);
  t.is((await apps.readNamespacedDeployment({ name: "web", namespace: NS })).spec!.template.spec!.terminationGracePeriodSeconds, 30);
  await session.world.until("two ready", async () => (await apps.readNamespacedDeployment({ name: "web", namespace: NS })).status?.readyReplicas === 2);
  t.is((await apps.patchNamespacedDeploymentScale({ name: "web", namespace: NS, body: [{ op: "replace", path: "/spec/replicas", value: 1 }] })).spec!.replicas, 1);
  const ports = { spec: { ports: [{ port: 80, name: "http" }] } };
  t.like(await any.patch({ ...objects[1]!, ...ports } as KubernetesObject), { spec: { ports: [{ port: 80, name: "http", targetPort: 80 }] } });
  t.deepEqual((await any.list("v1", "Service", NS)).items.map((each) => each.metadata!.name), ["web"]);
  const jobs = config.makeApiClient(BatchV1Api), { metadata } = await jobs.createNamespacedJob({ namespace: NS, body: { metadata: { generateName: "once-" }, spec: { template: podTemplate("once", "ok:1", "Never") } } });
  await session.world.until("a done job", async () => (await jobs.readNamespacedJob({ name: metadata!.name!, namespace: NS })).status?.succeeded === 1);
  for (const object of objects) await any.delete(object);
  t.is((await refused(t, apps.readNamespacedDeployment({ name: "web", namespace: NS })))[0], 404);
});

test("a watch tells every change from a version on; an informer keeps a cache that follows", async (t) => {
  const api = core(), base = `/api/v1/namespaces/${NS}/configmaps`, { metadata } = await api.listNamespacedConfigMap({ namespace: NS });
  const informer = makeInformer(config, base, () => api.listNamespacedConfigMap({ namespace: NS, labelSelector: "watched" }), "watched");
  const added = new Promise<V1ConfigMap>((resolve) => { informer.on("add", resolve); }), gone = new Promise<V1ConfigMap>((resolve) => { informer.on("delete", resolve); });
  const changed = new Promise<V1ConfigMap>((resolve) => { informer.on("update", resolve); });
  await informer.start();
  const told: string[] = [];
  const watched = new Promise<AbortController>((resolve, reject) => {
    const stream = new Watch(config).watch(base, { labelSelector: "watched", resourceVersion: metadata!.resourceVersion!, allowWatchBookmarks: true }, (phase, object: KubernetesObject) => {
      if (phase === "BOOKMARK") return;
      told.push(`${phase} ${object.metadata!.name}`);
      if (phase === "DELETED") resolve(stream);
    }, reject);
  });
  await api.createNamespacedConfigMap({ namespace: NS, body: configMap("w", { x: "1" }, { watched: "" }) });
  t.is((await added).metadata!.name, "w");
  t.is(informer.get("w", NS)!.data!["x"], "1");
  await api.patchNamespacedConfigMap({ name: "w", namespace: NS, body: { data: { x: "2" } } }, setHeaderOptions("Content-Type", PatchStrategy.MergePatch));
  t.is((await changed).data!["x"], "2");
  await api.deleteNamespacedConfigMap({ name: "w", namespace: NS });
  await gone;
  (await watched).abort();
  t.deepEqual(told, ["ADDED w", "MODIFIED w", "DELETED w"]);
  t.deepEqual(informer.list(), []);
  await informer.stop();
});

test("exec, attach, cp and logs reach the container", async (t) => {
  await core().createNamespacedPod({ namespace: NS, body: { metadata: { name: "shell" }, spec: podTemplate("shell", "app:1").spec } });
  await session.world.until("a running pod", async () => (await core().readNamespacedPod({ name: "shell", namespace: NS })).status?.phase === "Running");
  const stdout = new PassThrough(), stderr = new PassThrough(), said = Promise.all([text(stdout), text(stderr)]);
  const status = new Promise<V1Status>((resolve, reject) => { new Exec(config).exec(NS, "shell", "c", ["sh", "-c", "cat; echo complaint >&2; exit 3"], stdout, stderr, Readable.from(["through stdin\n"]), false, resolve).catch(reject); });
  t.like(await status, { status: "Failure", reason: "NonZeroExitCode", details: { causes: [{ reason: "ExitCode", message: "3" }] } });
  stdout.end();
  stderr.end();
  t.deepEqual(await said, ["through stdin\n", "complaint\n"]);

  const heard = new PassThrough(), socket = await new Attach(config).attach(NS, "shell", "c", heard, null, Readable.from(["spoken\n"]), false);
  t.is(String((await once(heard, "data"))[0]), "spoken\n");
  socket.close();

  const local = path.join(session.directory, "copies"), inside = path.join(session.directory, "container");
  for (const folder of ["up", "down"]) mkdirSync(path.join(local, folder), { recursive: true });
  writeFileSync(path.join(local, "up/file"), "content");
  const cp = new Cp(config), holds = (file: string) => session.world.until(file, async () => readFileSync(file, "utf8") === "content");
  await cp.cpToPod(NS, "shell", "c", path.join(local, "up"), ".");
  await holds(path.join(inside, "file"));
  await cp.cpFromPod(NS, "shell", "c", "file", path.join(local, "down"));
  await holds(path.join(local, "down/file"));

  const log = new PassThrough();
  await new Log(config).log(NS, "shell", "c", log, { follow: true });
  t.is(await text(log), "first\nsecond\n");
});

test("who may do what, as whom, and against which server", async (t) => {
  const review = await config.makeApiClient(AuthorizationV1Api).createSelfSubjectAccessReview({ body: { spec: { resourceAttributes: { namespace: NS, verb: "create", resource: "pods" } } } });
  t.true(review.status!.allowed);
  t.is((await config.makeApiClient(VersionApi).getCode()).gitVersion, "v1.36.0");
  const token = await core().createNamespacedServiceAccountToken({ name: "default", namespace: NS, body: { spec: { audiences: [], expirationSeconds: 3_600 } } });
  const robot = new KubeConfig();
  robot.loadFromClusterAndUser(config.getCurrentCluster()!, { name: "robot", token: token.status?.token ?? "" });
  t.deepEqual(await refused(t, robot.makeApiClient(CoreV1Api).listNamespacedPod({ namespace: NS })), [403, `pods is forbidden: User "system:serviceaccount:${NS}:default" cannot list resource "pods" in API group "" in the namespace "${NS}"`]);
  const as = new KubeConfig();
  as.loadFromClusterAndUser(config.getCurrentCluster()!, { ...config.getCurrentUser()!, impersonateUser: "nobody" });
  t.is((await refused(t, as.makeApiClient(CoreV1Api).listNamespacedPod({ namespace: NS })))[0], 403);
});
