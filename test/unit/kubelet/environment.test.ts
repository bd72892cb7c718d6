import test from "ava";
import type { ConfigMap, Secret, Service } from "../../../lib/api/schema/generated/models.ts";
import { fieldValue, resourceValue, type DownwardContext } from "../../../lib/kubelet/downward.ts";
import { buildEnvironment, ContainerConfigError, type EnvironmentSources } from "../../../lib/kubelet/environment.ts";
import { expand } from "../../../lib/kubelet/expand.ts";
import { subPathOf } from "../../../lib/kubelet/start-container.ts";
import { serviceVariables } from "../../../lib/kubelet/service-env.ts";
import { makeContainer, makePod } from "./builders.ts";

const context: DownwardContext = { podIPs: ["10.0.0.2", "fd00::2"], hostIPs: ["192.168.0.1"], nodeName: "n1", allocatable: { cpu: "2", memory: "4Gi" } };
const service = (name: string, over: Partial<Service["spec"]> = {}, namespace = "default"): Service => ({ metadata: { name, namespace }, spec: { clusterIP: "10.96.0.7", ports: [{ port: 80, name: "web", protocol: "TCP" }], ...over } });
const sources = (objects: { configMaps?: Record<string, ConfigMap["data"]>; secrets?: Record<string, Secret["data"]>; services?: Service[] } = {}): EnvironmentSources => ({
  configMap: async (namespace, name) => { const data = objects.configMaps?.[name]; return data === undefined ? undefined : { metadata: { name, namespace }, data }; },
  secret: async (namespace, name) => { const data = objects.secrets?.[name]; return data === undefined ? undefined : { metadata: { name, namespace }, data }; },
  services: () => objects.services ?? [],
});
const base64 = (text: string): string => Buffer.from(text).toString("base64");

test("expand() replaces known names, keeps unknown ones and turns $$ into $", (t) => {
  const known = new Map([["A", "1"], ["B_C", "two"]]);
  t.is(expand("$(A)-$(B_C)-$(NO)-$$(A)-$A-$(", known), "1-two-$(NO)-$(A)-$A-$(");
  t.is(expand("$$$(A)", known), "$1");
});

test("subPathOf() expands a subPathExpr, and names variables without a value and paths that may not be", (t) => {
  const known = new Map([["A", "one"], ["EMPTY", ""], ["UP", ".."], ["ROOT", "/tmp"]]), of = (subPathExpr: string): string => subPathOf({ name: "v", mountPath: "/m", subPathExpr }, known);
  t.is(of("$(A)/$$(A)"), "one/$(A)");
  t.is(subPathOf({ name: "v", mountPath: "/m", subPath: "$(A)" }, known), "$(A)");
  t.is(subPathOf({ name: "v", mountPath: "/m" }, known), "");
  const fails = (expression: string): string | undefined => t.throws(() => of(expression), { instanceOf: ContainerConfigError })?.message;
  t.is(fails("$(Z)$(EMPTY)/$(A)/$(Z)"), "missing value for EMPTY, Z");
  t.is(fails("$(ROOT)/x"), "error SubPath `/tmp/x` must not be an absolute path");
  t.is(fails("a/$(UP)/b"), "unable to provision SubPath `a/../b`: must not contain '..'");
});

test("buildEnvironment() lets later variables see earlier ones, and lets a variable override a Service's", async (t) => {
  const container = makeContainer("main", { env: [{ name: "A", value: "1" }, { name: "B", value: "$(A)2 $(LATER) $(DB_SERVICE_HOST)" }, { name: "LATER", value: "x" }, { name: "DB_SERVICE_PORT", value: "mine" }] });
  const env = await buildEnvironment(makePod(), container, sources({ services: [service("db")] }), context);
  t.is(env.get("B"), "12 $(LATER) 10.96.0.7");
  t.is(env.get("DB_SERVICE_PORT"), "mine");
  t.is(env.get("DB_PORT_80_TCP_ADDR"), "10.96.0.7");
});

test("buildEnvironment() reads envFrom with a prefix, and a variable beats it", async (t) => {
  const container = makeContainer("main", { envFrom: [{ prefix: "P_", configMapRef: { name: "c" } }, { secretRef: { name: "s" } }, { configMapRef: { name: "none", optional: true } }], env: [{ name: "P_a", value: "over" }] });
  const env = await buildEnvironment(makePod(), container, sources({ configMaps: { c: { a: "1", b: "2" } }, secrets: { s: { k: base64("v") } } }), context);
  t.deepEqual(Object.fromEntries(env), { P_a: "over", P_b: "2", k: "v" });
});

test("buildEnvironment() names what is missing in upstream's words", async (t) => {
  const fails = (valueFrom: object, objects = {}): Promise<Error> => t.throwsAsync(buildEnvironment(makePod(), makeContainer("main", { env: [{ name: "X", valueFrom }] }), sources(objects), context), { instanceOf: ContainerConfigError });
  t.is((await fails({ configMapKeyRef: { name: "c", key: "k" } })).message, 'configmap "c" not found');
  t.is((await fails({ configMapKeyRef: { name: "c", key: "k" } }, { configMaps: { c: {} } })).message, "couldn't find key k in ConfigMap default/c");
  t.is((await fails({ secretKeyRef: { name: "s", key: "k" } })).message, 'secret "s" not found');
  t.is((await fails({ secretKeyRef: { name: "s", key: "k" } }, { secrets: { s: {} } })).message, "couldn't find key k in Secret default/s");
  t.regex((await fails({ fileKeyRef: { volumeName: "v", path: "p", key: "k" } })).message, /cannot run valueFrom\.fileKeyRef/);
  t.false((await buildEnvironment(makePod(), makeContainer("main", { env: [{ name: "X", valueFrom: { secretKeyRef: { name: "s", key: "k", optional: true } } }] }), sources(), context)).has("X"));
});

test("serviceVariables() gives the namespace's Services and always the API server's", (t) => {
  const services = [service("my-db"), service("other", {}, "elsewhere"), service("headless", { clusterIP: "None" }), service("kubernetes", { clusterIP: "10.96.0.1", ports: [{ name: "https", port: 443, protocol: "TCP" }] })];
  t.deepEqual(Object.fromEntries(serviceVariables(services, "default", true)), {
    MY_DB_SERVICE_HOST: "10.96.0.7", MY_DB_SERVICE_PORT: "80", MY_DB_SERVICE_PORT_WEB: "80", MY_DB_PORT: "tcp://10.96.0.7:80", MY_DB_PORT_80_TCP: "tcp://10.96.0.7:80", MY_DB_PORT_80_TCP_PROTO: "tcp", MY_DB_PORT_80_TCP_PORT: "80", MY_DB_PORT_80_TCP_ADDR: "10.96.0.7",
    KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443", KUBERNETES_SERVICE_PORT_HTTPS: "443", KUBERNETES_PORT: "tcp://10.96.0.1:443", KUBERNETES_PORT_443_TCP: "tcp://10.96.0.1:443", KUBERNETES_PORT_443_TCP_PROTO: "tcp", KUBERNETES_PORT_443_TCP_PORT: "443", KUBERNETES_PORT_443_TCP_ADDR: "10.96.0.1",
  });
  t.deepEqual([...serviceVariables(services, "elsewhere", false).keys()].filter((name) => name.endsWith("_HOST")), ["KUBERNETES_SERVICE_HOST"]);
});

test("fieldValue() tells the pod's fields, maps sorted and quoted", (t) => {
  const pod = makePod({ metadata: { labels: { b: "2", a: 'say "hi"' }, annotations: { k: "v" } }, spec: { serviceAccountName: "sa" } });
  t.is(fieldValue(pod, "metadata.labels", context), 'a="say \\"hi\\""\nb="2"');
  t.is(fieldValue(pod, "metadata.annotations['k']", context), "v");
  t.is(fieldValue(pod, "metadata.labels['none']", context), "");
  t.deepEqual(["status.podIP", "status.podIPs", "status.hostIP", "spec.nodeName", "spec.serviceAccountName", "metadata.uid"].map((path) => fieldValue(pod, path, context)), ["10.0.0.2", "10.0.0.2,fd00::2", "192.168.0.1", "n1", "sa", "u1"]);
  t.throws(() => fieldValue(pod, "spec.containers", context), { message: "unsupported fieldPath: spec.containers" });
});

test("resourceValue() rounds up to the divisor and takes the node's for a limit that is not set", (t) => {
  const container = makeContainer("main", { resources: { requests: { cpu: "250m", memory: "1500Ki" }, limits: { cpu: "1500m" } } }), pod = makePod({ spec: { containers: [container] } });
  const value = (resource: string, divisor?: string): string => resourceValue(pod, { resource, ...(divisor === undefined ? {} : { divisor }) }, container, context);
  t.deepEqual([value("requests.cpu"), value("requests.cpu", "1m"), value("limits.cpu"), value("requests.memory", "1Mi"), value("limits.memory"), value("requests.ephemeral-storage"), value("limits.cpu", "0")], ["1", "250", "2", "2", "4294967296", "0", "2"]);
  t.is(resourceValue(pod, { resource: "requests.cpu", divisor: "1m", containerName: "main" }, undefined, context), "250");
  t.throws(() => value("bogus.cpu"), { message: /Unsupported container resource/ });
});
