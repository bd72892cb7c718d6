/** Server-side apply as real clients use it: kubectl, Helm, the JavaScript client; all unmodified. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import path from "node:path";
import { KubeConfig, KubernetesObjectApi, PatchStrategy } from "@kubernetes/client-node";
import test from "ava";
import { entriesOf, owners } from "./applying.ts";
import { clientsOf, type Clients } from "./clients.ts";
import { configMap, deployment, Harness, type Json } from "./harness.ts";

let api: Harness, clients: Clients;
test.before(async () => { api = await Harness.start(); clients = clientsOf(api); });
test.after.always(async () => { clients.remove(); await api.close(); });

const read = async (ns: string, name = "web"): Promise<any> => (await api.get(`/apis/apps/v1/namespaces/${ns}/deployments/${name}`)).body; // eslint-disable-line
const managers = async (ns: string): Promise<string[]> => entriesOf(await read(ns)).map(({ manager, operation }) => `${manager} ${operation}`);
const asInput = (object: Json): { input: string } => ({ input: JSON.stringify(object) });

test("kubectl apply --server-side creates, repeats, meets conflicts, forces", async (t) => {
  const ns = await api.namespace("kubectl-ssa"), applyIt = (object: Json, ...more: string[]): Promise<{ code: number; stdout: string; stderr: string }> => clients.kubectl(["apply", "-n", ns, "--server-side", "-f", "-", ...more], asInput(object));
  t.is((await applyIt(deployment("web", 2))).stdout, "deployment.apps/web serverside-applied\n");
  const { metadata } = await read(ns);
  t.is((await applyIt(deployment("web", 2))).stdout, "deployment.apps/web serverside-applied\n");
  t.is((await read(ns)).metadata.resourceVersion, metadata.resourceVersion);
  await clients.ok(["scale", "-n", ns, "deployment/web", "--replicas=5"]);
  const refused = await applyIt(deployment("web", 2));
  t.is(refused.code, 1);
  t.true(refused.stderr.startsWith('error: Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas\nPlease review the fields above--they currently have other managers.'));
  t.is((await applyIt(deployment("web", 2), "--force-conflicts")).code, 0);
  t.deepEqual([(await read(ns)).spec.replicas, await managers(ns)], [2, ["kubectl Apply"]]);
  t.is((await applyIt(deployment("web", 3), "--dry-run=server")).stdout, "deployment.apps/web serverside-applied (server dry run)\n");
  t.is((await read(ns)).spec.replicas, 2);
});

test("kubectl diff --server-side shows what an apply would change, and nothing when it would change nothing", async (t) => {
  const ns = await api.namespace("kubectl-diff"), diff = (object: Json): Promise<{ code: number; stdout: string }> => clients.kubectl(["diff", "-n", ns, "--server-side", "-f", "-"], asInput(object));
  await clients.ok(["apply", "-n", ns, "--server-side", "-f", "-"], asInput(deployment("web", 2)));
  t.like(await diff(deployment("web", 2)), { code: 0, stdout: "" });
  const { code, stdout } = await diff(deployment("web", 7));
  t.is(code, 1);
  t.deepEqual(stdout.split("\n").filter((line) => /^[+-] /.test(line)), ["-  generation: 1", "+  generation: 2", "-  replicas: 2", "+  replicas: 7"]);
});

test("kubectl apply --server-side takes over from client-side apply: one manager, annotation kept up to date, both ways", async (t) => {
  const ns = await api.namespace("kubectl-migrate"), apply = (replicas: number, ...more: string[]): Promise<string> => clients.ok(["apply", "-n", ns, "-f", "-", ...more], asInput(deployment("web", replicas)));
  const lastApplied = async (): Promise<number> => (JSON.parse(await clients.ok(["apply", "view-last-applied", "-n", ns, "deployment/web", "-o", "json"])) as { spec: { replicas: number } }).spec.replicas;
  await apply(1);
  t.deepEqual(await managers(ns), ["kubectl-client-side-apply Update"]);
  await apply(2, "--server-side");
  t.deepEqual([(await read(ns)).spec.replicas, await managers(ns), await lastApplied()], [2, ["kubectl-last-applied Apply", "kubectl Apply"], 2]);
  await apply(3);
  t.deepEqual([(await read(ns)).spec.replicas, await lastApplied()], [3, 3]);
  await apply(4, "--server-side");
  t.deepEqual([(await read(ns)).spec.replicas, (await managers(ns)).at(-1), await lastApplied()], [4, "kubectl Apply", 4]);
});

test("kubectl get hides managedFields unless asked; edits, labels and sets are told apart", async (t) => {
  const ns = await api.namespace("kubectl-show");
  await clients.ok(["create", "-n", ns, "deployment", "web", "--image=nginx"]);
  await clients.ok(["label", "-n", ns, "deployment/web", "a=b"]);
  await clients.ok(["set", "image", "-n", ns, "deployment/web", "nginx=nginx:2"]);
  await clients.ok(["edit", "-n", ns, "deployment/web"], { env: { KUBE_EDITOR: "sed -i s/replicas:.1/replicas:\\ 4/" } });
  t.false((await clients.ok(["get", "-n", ns, "deployment/web", "-o", "yaml"])).includes("managedFields"));
  t.true((await clients.ok(["get", "-n", ns, "deployment/web", "-o", "yaml", "--show-managed-fields"])).includes("\n  managedFields:\n  - apiVersion: apps/v1\n    fieldsType: FieldsV1\n    fieldsV1:\n"));
  const owned = owners(await read(ns));
  t.deepEqual(Object.keys(owned).sort((a, b) => (a < b ? -1 : 1)), ["kubectl-create (Update)", "kubectl-edit (Update)", "kubectl-label (Update)", "kubectl-set (Update)"]);
  t.deepEqual([owned["kubectl-edit (Update)"], owned["kubectl-label (Update)"], owned["kubectl-set (Update)"]], [[".spec.replicas"], [".metadata.labels.a"], ['.spec.template.spec.containers[name="nginx"].image']]);
});

const CHART: Readonly<Record<string, string>> = {
  "Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
  "values.yaml": "replicas: 1\nextra: true\n",
  "templates/all.yaml": `
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      containers: [{name: main, image: "nginx:1.27", ports: [{containerPort: 80, name: http}]}]
---
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec: {selector: {app: {{ .Release.Name }}}, ports: [{port: 80, targetPort: http, name: http}]}
{{- if .Values.extra }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}}
data: {replicas: "{{ .Values.replicas }}"}
{{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: {{ .Release.Name }}}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
`,
};

/** Each test has its own: another's helm would read a file that is just being written. */
function writeChart(): string {
  const chart = mkdtempSync(path.join(clients.directory, "chart-"));
  mkdirSync(path.join(chart, "templates"), { recursive: true });
  for (const [file, text] of Object.entries(CHART)) writeFileSync(path.join(chart, file), text);
  return chart;
}

for (const serverSide of ["true", "false"]) {
  test(`helm --server-side=${serverSide} installs, upgrades, rolls back and uninstalls a release`, async (t) => {
    const ns = await api.namespace(`helm-${serverSide}`), chart = writeChart(), helm = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await clients.helm([...args, "-n", ns]);
      t.is(code, 0, stdout + stderr);
      return stdout;
    };
    const replicas = async (): Promise<unknown> => (await read(ns, "one")).spec?.replicas, extra = async (): Promise<number> => (await api.get(`/api/v1/namespaces/${ns}/configmaps/one`)).status;
    t.regex(await helm("install", "one", chart, `--server-side=${serverSide}`), /STATUS: deployed\nREVISION: 1\n/);
    t.deepEqual([await replicas(), await extra()], [1, 200]);
    t.is(entriesOf(await read(ns, "one"))[0]!.operation, serverSide === "true" ? "Apply" : "Update");
    await helm("upgrade", "one", chart, `--server-side=${serverSide}`, "--set", "replicas=3,extra=false");
    t.deepEqual([await replicas(), await extra()], [3, 404]);
    t.regex(await helm("rollback", "one", "1"), /Rollback was a success/);
    t.deepEqual([await replicas(), await extra()], [1, 200]);
    t.deepEqual((JSON.parse(await helm("history", "one", "-o", "json")) as { status: string }[]).map(({ status }) => status), ["superseded", "superseded", "deployed"]);
    t.regex(await helm("status", "one"), /==> v1\/Deployment\nNAME +READY +UP-TO-DATE +AVAILABLE +AGE\none +0\/1/);
    t.regex(await helm("uninstall", "one"), /release "one" uninstalled/);
    t.deepEqual([(await read(ns, "one")).code, await extra(), (await api.get(`/api/v1/namespaces/${ns}/secrets`)).body.items.length], [404, 404, 0]);
  });
}

test("helm refuses a chart that does not fit, in the server's words, and says who holds a field", async (t) => {
  const ns = await api.namespace("helm-bad"), chart = writeChart();
  const bad = await clients.helm(["install", "one", chart, "-n", ns, "--set", "replicas=x"]);
  t.is(bad.code, 1);
  t.regex(bad.stderr, /failed to create typed patch object \(helm-bad\/one; apps\/v1, Kind=Deployment\): \.spec\.replicas: expected numeric \(int or float\), got string/);
  t.is((await clients.helm(["install", "two", chart, "-n", ns])).code, 0);
  await clients.ok(["scale", "-n", ns, "deployment/two", "--replicas=5"]);
  const held = await clients.helm(["upgrade", "two", chart, "-n", ns, "--set", "replicas=2"]);
  t.is(held.code, 1);
  t.regex(held.stderr, /conflict with "kubectl" with subresource "scale" using apps\/v1: \.spec\.replicas/);
  t.is((await clients.helm(["upgrade", "two", chart, "-n", ns, "--set", "replicas=2", "--force-conflicts"])).code, 0);
  t.is((await read(ns, "two")).spec.replicas, 2);
});

test("the JavaScript client applies with a JSON body, and reads the conflict", async (t) => {
  const ns = await api.namespace("js-client"), config = new KubeConfig();
  config.loadFromFile(clients.kubeconfig);
  const client = KubernetesObjectApi.makeApiClient(config), spec = (k: string): any => ({ ...configMap("a", { k }), metadata: { name: "a", namespace: ns } }); // eslint-disable-line
  const apply = (k: string, manager: string, force = false): Promise<unknown> => client.patch(spec(k), undefined, undefined, manager, force, PatchStrategy.ServerSideApply);
  t.like(await apply("1", "one"), { data: { k: "1" } });
  const error = await t.throwsAsync(apply("2", "two"));
  t.regex(String((error as unknown as { body: unknown }).body), /conflict with \\?"one\\?": \.data\.k/);
  t.like(await apply("2", "two", true), { data: { k: "2" } });
});
