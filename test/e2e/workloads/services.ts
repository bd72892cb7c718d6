/** Services as clients see them: from pods, from hosts, from outside. */
import type { ExecutionContext, TestFn } from "ava";
import type { Pod, Service, ServiceSpec } from "../../../lib/api/schema/generated/models.ts";
import { services } from "../../../lib/api/schema/generated/references.ts";
import { until } from "../../../lib/install/wait.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { exec } from "../../../lib/util/exec.ts";
import { onHost } from "../cluster/workload.ts";
import { type Lab, labTest, shell } from "./lab.ts";

const CURL = ["-sS", "--fail", "--max-time", "5", "-H", "Connection: close"];
const WORKERS = { "worker-1": "10.89.0.11", "worker-2": "10.89.0.12", "worker-3": "10.89.0.13" };
/** Every page is `name peer-address`. */
const page = shell("main", `echo "server { listen 80 default_server; location / { return 200 \\"$(hostname) \\$remote_addr\\n\\"; } }" > /etc/nginx/conf.d/default.conf; exec nginx -g "daemon off;"`, { readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1 } });

const server = (lab: Lab, name: string, app: string, nodeName: string): Promise<Pod> => lab.readyPod(name, [page], { labels: { app }, nodeName });
const service = (lab: Lab, name: string, spec: Partial<ServiceSpec>): Promise<Service> => lab.create(services, { apiVersion: "v1", kind: "Service", metadata: lab.meta(name), spec: { ports: [{ port: 80 }], ...spec } });
const fromPod = (lab: Lab, pod: string, url: string): Promise<string> => lab.sh(pod, `/machine/bin/curl ${CURL.map((word) => `'${word}'`).join(" ")} http://${url}/`);
const fromHost = async (host: string, url: string): Promise<string> => (await onHost(host, "curl", ...CURL, `http://${url}/`)).stdout.trim();
const fromMachine = async (url: string): Promise<string> => (await exec("curl", [...CURL, `http://${url}/`])).stdout.trim();
const soon = <T>(what: string, attempt: () => Promise<T | undefined>): Promise<T> => until(what, attempt, systemClock, 10_000);

async function paths(t: ExecutionContext, lab: Lab): Promise<void> {
  const [far] = await Promise.all([server(lab, "far", "far", "worker-2"), server(lab, "near", "web", "worker-1"), lab.withTools("asker", { nodeName: "worker-1" })]);
  const web = await service(lab, "web", { selector: { app: "web" } }), other = await service(lab, "far", { selector: { app: "far" } });
  const asker = (await lab.podUntil("asker", "there", () => true)).status!.podIP!;
  // Across hosts and through a Service the client keeps its address.
  t.is(await fromPod(lab, "asker", far.status!.podIP!), `far ${asker}`);
  t.is(await soon("the far Service", () => fromPod(lab, "asker", other.spec.clusterIP!)), `far ${asker}`);
  t.is(await soon("the near Service", () => fromPod(lab, "asker", web.spec.clusterIP!)), `near ${asker}`);
  // Hairpin: a pod through its own Service, over and over.
  await service(lab, "self", { selector: { self: "yes" } });
  await lab.readyPod("self", [page], { labels: { self: "yes" } });
  const self = await lab.kubectl("get", "service", "self", "-o", "jsonpath={.spec.clusterIP}");
  t.regex(await soon("the pod's own Service", () => lab.sh("self", `busybox wget -qO- http://${self}/`)), /^self /);
  for (let i = 0; i < 5; i++) t.regex(await lab.sh("self", `busybox wget -qO- http://${self}/`), /^self /);

  const empty = await service(lab, "empty", { selector: { app: "nobody" } });
  const refused = async (): Promise<number> => {
    const { code, stderr, stdout } = await lab.trySh("asker", `/machine/bin/curl -sS --max-time 5 -w '%{time_total}' http://${empty.spec.clusterIP}/`);
    if (code !== 7) throw new Error(`expected a refusal, got ${code}: ${stderr}`); // Couldn't connect.
    return Number(stdout);
  };
  await soon("a refusal", refused);
  t.true((await refused()) < 0.5);
  await t.throwsAsync(onHost("worker-3", "curl", "-sS", "--max-time", "5", `http://${empty.spec.clusterIP}/`), { message: /exit code 7:/ });
}

async function nodePorts(t: ExecutionContext, lab: Lab): Promise<void> {
  await Promise.all([server(lab, "one", "web", "worker-2"), lab.withTools("asker", { nodeName: "worker-1" })]);
  const cluster = await service(lab, "cluster", { type: "NodePort", selector: { app: "web" } }), local = await service(lab, "local", { type: "NodePort", selector: { app: "web" }, externalTrafficPolicy: "Local" });
  const port = (s: Service): number => s.spec.ports![0]!.nodePort!;
  // From another host, from the machine itself and from a pod, through any host.
  for (const address of Object.values(WORKERS)) {
    t.regex(await soon(`port of ${address}`, () => fromHost("worker-3", `${address}:${port(cluster)}`)), /^one /);
    t.regex(await soon(`port of ${address}`, () => fromMachine(`${address}:${port(cluster)}`)), /^one /);
    t.regex(await fromPod(lab, "asker", `${address}:${port(cluster)}`), /^one /);
  }
  // Local: the client's own address is kept, and hosts without the pod stay silent.
  t.is(await soon("the local port", () => fromMachine(`${WORKERS["worker-2"]}:${port(local)}`)), "one 10.89.0.1");
  t.is(await fromHost("worker-3", `${WORKERS["worker-2"]}:${port(local)}`), `one ${WORKERS["worker-3"]}`);
  await t.throwsAsync(exec("curl", ["-sS", "--max-time", "2", `http://${WORKERS["worker-1"]}:${port(local)}/`]), { message: /timed out/ });
}

async function affinity(t: ExecutionContext, lab: Lab): Promise<void> {
  const web = await service(lab, "web", { selector: { app: "web" }, sessionAffinity: "ClientIP" });
  await Promise.all([["one", "worker-1"], ["two", "worker-2"], ["three", "worker-3"]].map(([name, host]) => server(lab, name!, "web", host!)).concat(["a", "b", "c", "d"].map((name) => lab.withTools(name))));
  const chosen = new Map<string, string>();
  for (const asker of ["a", "b", "c", "d"]) {
    await soon("the Service", () => fromPod(lab, asker, web.spec.clusterIP!));
    const answers = await lab.sh(asker, `/machine/bin/curl -sS --fail --max-time 5 -H 'Connection: close' 'http://${web.spec.clusterIP}/?[1-20]'`);
    const servers = new Set(answers.split("\n").map((line) => line.split(" ")[0]!));
    t.is(servers.size, 1, asker);
    chosen.set(asker, [...servers][0]!);
  }
  // The chosen one goes: the client moves on, and stays there.
  const gone = chosen.get("a")!;
  await lab.kubectl("delete", "pod", gone);
  const next = await soon("another server", async () => { const [name] = (await fromPod(lab, "a", web.spec.clusterIP!)).split(" "); return name === gone ? undefined : name; });
  for (let i = 0; i < 5; i++) t.is((await fromPod(lab, "a", web.spec.clusterIP!)).split(" ")[0], next);
}

export function registerServices(test: TestFn): void {
  labTest(test, "wl-paths", "pods reach pods and Services across hosts under their own address, themselves too; nobody there is told at once", paths);
  labTest(test, "wl-nodeport", "a NodePort answers on every host, to hosts, pods and the machine; Local keeps the client's address", nodePorts);
  labTest(test, "wl-affinity", "session affinity keeps a client with its pod until that is gone", affinity);
}
