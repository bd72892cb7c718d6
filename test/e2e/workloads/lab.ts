/** A namespace of a test's own on the running cluster, with short ways to make things in it, to wait for what becomes of them and to ask pods. */
import type { ExecutionContext, TestFn } from "ava";
import type { Client } from "../../../lib/client/client.ts";
import type { ResourceReference } from "../../../lib/api/reference.ts";
import type { Container, ContainerStatus, CoreV1Event, ObjectMeta, Pod, PodSpec } from "../../../lib/api/schema/generated/models.ts";
import { events, namespaces, pods, serviceaccounts } from "../../../lib/api/schema/generated/references.ts";
import { NGINX_IMAGE } from "../../../lib/install/images.ts";
import { waitForObjects } from "../../../lib/install/wait.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { exec } from "../../../lib/util/exec.ts";
import { apiClient, expectSuccess, kubectl, type Kubectl } from "../cluster/cluster.ts";
import { isReady, onHost } from "../cluster/workload.ts";

/** A shell that waits and can be stopped at once, by the image's own stop signal too. */
export const SLEEP = "trap 'exit 0' TERM QUIT; sleep 100000 & wait";
/** Busybox and no stop signal of its own; loaded before the first test. */
export const TOOLS_IMAGE = "kaji.local/tools:1";
export const statusOf = (pod: Pod, container: string): ContainerStatus | undefined => [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find((s) => s.name === container);

/** A container of the one image there is, running `script`. */
export const shell = (name: string, script: string, more: Partial<Container> = {}): Container => ({ name, image: NGINX_IMAGE, imagePullPolicy: "IfNotPresent", command: ["/bin/sh", "-c", script], ...more });

/** The machine's own programs inside a pod, through a hostPath volume: curl and socat for those images that lack them. */
export const MACHINE_VOLUME = { name: "machine", hostPath: { path: "/usr", type: "Directory" } };
export const MACHINE_MOUNT = { name: "machine", mountPath: "/machine", readOnly: true };
export const MACHINE_ENV = { name: "LD_LIBRARY_PATH", value: ["x86_64", "aarch64"].flatMap((cpu) => [`/lib/${cpu}-linux-gnu`, `/machine/lib/${cpu}-linux-gnu`]).join(":") };

export type PodOptions = Omit<Partial<PodSpec>, "containers"> & { labels?: Record<string, string>; annotations?: Record<string, string> };

/** `scale`: how much longer than on this machine everything may take. */
export interface LabCluster { readonly client: Client; readonly kubectl: Kubectl; readonly scale: number }

export class Lab {
  readonly namespace: string;
  readonly client: Client;
  readonly #kubectl: Kubectl;
  readonly #scale: number;

  private constructor(namespace: string, { client, kubectl: run, scale }: LabCluster) {
    this.namespace = namespace;
    this.client = client;
    this.#kubectl = run;
    this.#scale = scale;
  }

  /** On the cluster of `kaji up` unless another is given. */
  static async open(namespace: string, cluster?: LabCluster): Promise<Lab> {
    const lab = new Lab(namespace, cluster ?? { client: apiClient(), kubectl: await kubectl(), scale: 1 });
    await lab.client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace }, spec: {} });
    await waitForObjects(lab.client, serviceaccounts, namespace, (all) => all.some((a) => a.metadata.name === "default") || "no default service account", systemClock, 30_000 * lab.#scale);
    return lab;
  }

  async close(): Promise<void> {
    await this.client.delete(namespaces, { name: this.namespace });
    this.client.close();
  }

  meta(name: string, more: Partial<ObjectMeta> = {}): ObjectMeta { return { ...more, name, namespace: this.namespace }; }

  create<T extends { metadata: ObjectMeta }>(resource: ResourceReference<T>, object: T): Promise<T> { return this.client.create(resource, object); }

  /** Makes a pod that is quick to stop. */
  pod(name: string, containers: Container[], { labels, annotations, ...spec }: PodOptions = {}): Promise<Pod> {
    return this.client.create(pods, {
      apiVersion: "v1", kind: "Pod", metadata: this.meta(name, { ...(labels === undefined ? {} : { labels }), ...(annotations === undefined ? {} : { annotations }) }),
      spec: { terminationGracePeriodSeconds: 1, ...spec, containers },
    });
  }

  /** Makes a pod and waits until it is Ready. */
  async readyPod(name: string, containers: Container[], options: PodOptions = {}): Promise<Pod> {
    await this.pod(name, containers, options);
    return this.podUntil(name, "Ready", isReady);
  }

  /** A pod that sleeps and has the machine's curl and socat. */
  withTools(name: string, options: PodOptions = {}): Promise<Pod> {
    return this.readyPod(name, [shell("main", SLEEP, { env: [MACHINE_ENV], volumeMounts: [MACHINE_MOUNT] })], { ...options, volumes: [MACHINE_VOLUME] });
  }

  /** Waits until `reached` holds of the pod. */
  async podUntil(name: string, what: string, reached: (pod: Pod) => boolean, timeoutMs = 60_000): Promise<Pod> {
    const found = await waitForObjects(this.client, pods, this.namespace, (all) => {
      const pod = all.find((p) => p.metadata.name === name);
      return (pod !== undefined && reached(pod)) || `pod ${name} did not become ${what}: ${JSON.stringify(pod?.status ?? "there is no such pod")}`;
    }, systemClock, timeoutMs * this.#scale);
    return found.find((p) => p.metadata.name === name)!;
  }

  async gone(name: string, timeoutMs = 60_000): Promise<void> {
    await waitForObjects(this.client, pods, this.namespace, (all) => !all.some((p) => p.metadata.name === name) || `pod ${name} is still there`, systemClock, timeoutMs * this.#scale);
  }

  /** Waits for an event about `object`. */
  async event(object: string, reason: string, message: RegExp, timeoutMs = 60_000): Promise<CoreV1Event> {
    const matches = (e: CoreV1Event): boolean => e.involvedObject.name === object && e.reason === reason && message.test(e.message ?? "");
    const found = await waitForObjects(this.client, events, this.namespace, (all) => all.some(matches) || `no event ${reason} ${message} about ${object}; there were: ${all.filter((e) => e.involvedObject.name === object).map((e) => `${e.reason}: ${e.message}`).join(" | ")}`, systemClock, timeoutMs * this.#scale);
    return found.find(matches)!;
  }

  /** Kills the process that holds the pod's namespaces. */
  async killSandbox(pod: Pod): Promise<void> {
    const host = pod.spec.nodeName!, ctr = async (...args: string[]): Promise<string> => (await onHost(host, "ctr", "-n", "k8s.io", ...args)).stdout;
    const filter = `labels."io.kubernetes.pod.uid"==${pod.metadata.uid},labels."io.cri-containerd.kind"==sandbox`;
    const id = (await ctr("containers", "list", "-q", filter)).trim();
    const pid = (await ctr("tasks", "list")).split("\n").map((line) => line.split(/\s+/)).find(([task]) => task === id)?.[1];
    if (id === "" || pid === undefined) throw new Error(`pod ${pod.metadata.name} has no sandbox: ${id}`);
    await exec("kill", ["-KILL", pid]);
  }

  /** Runs kubectl in the namespace and returns what it printed. */
  async kubectl(...args: string[]): Promise<string> { return expectSuccess(await this.#kubectl(["-n", this.namespace, ...args]), `kubectl ${args.join(" ")}`).stdout; }
  tryKubectl(...args: string[]): ReturnType<Kubectl> { return this.#kubectl(["-n", this.namespace, ...args]); }
  applyText(text: string): ReturnType<Kubectl> { return this.#kubectl(["-n", this.namespace, "apply", "-f", "-"], { input: text }); }

  /** Runs a script in a pod and returns what it printed. */
  async sh(pod: string, script: string, container?: string): Promise<string> { return (await this.kubectl("exec", pod, ...(container === undefined ? [] : ["-c", container]), "--", "/bin/sh", "-c", script)).trimEnd(); }
  /** The same, where the script may fail. */
  trySh(pod: string, script: string): ReturnType<Kubectl> { return this.tryKubectl("exec", pod, "--", "/bin/sh", "-c", script); }
  logs(pod: string, ...options: string[]): Promise<string> { return this.kubectl("logs", pod, ...options); }
}

/** Registers a test that has a namespace of its own, named `namespace`, and may run beside others. */
export function labTest(test: TestFn, namespace: string, title: string, body: (t: ExecutionContext, lab: Lab) => Promise<void>): void {
  test(title, async (t) => inLane(async () => {
    const lab = await Lab.open(namespace);
    try { await body(t, lab); }
    finally { await lab.close(); }
  }));
}

/** How many tests run side by side: most of their time is waiting. */
const LANES = 6;
let free = LANES;
const waiting: (() => void)[] = [];
async function inLane(work: () => Promise<void>): Promise<void> {
  if (free > 0) free--;
  else await new Promise<void>((resolve) => { waiting.push(resolve); });
  try { await work(); }
  finally {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
  }
}
