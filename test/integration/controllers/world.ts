/**
 * A real API server and the real controllers in this process, each controller as its own service account under RBAC; and a hollow
 * kubelet that binds pods, makes them ready and removes deleted ones, since there are no machines.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { startEphemeralApiServer, type EphemeralApiServer } from "../../../lib/apiserver/ephemeral.ts";
import { streamHandlers } from "../../../lib/apiserver/streams/stream-handlers.ts";
import { selectControllers } from "../../../cmd/kube-controller-manager/controllers.ts";
import { parse } from "../../../cmd/kube-controller-manager/flags.ts";
import { createClient } from "../../../lib/client/http-client.ts";
import { targetNode } from "../../../lib/controllers/daemonset/daemon-pods.ts";
import { ServiceAccountClients } from "../../../lib/controllers/shared/service-account-clients.ts";
import { leases, nodes, pods } from "../../../lib/api/schema/generated/references.ts";
import { EventBroadcaster } from "../../../lib/runtime/event-recorder.ts";
import { keyOf } from "../../../lib/runtime/object-key.ts";
import { WorkQueue } from "../../../lib/runtime/work-queue.ts";
import { SharedInformers } from "../../../lib/runtime/shared-informers.ts";
import { hasReason } from "../../../lib/api/status-error.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { silentLogger } from "../../../lib/util/logger.ts";
import { runAll, type Runnable } from "../../../lib/util/runnable.ts";
import type { Client, HasMeta } from "../../../lib/client/client.ts";
import type { ResourceReference } from "../../../lib/api/reference.ts";
import type { Deployment, Node, NodeStatus, Pod } from "../../../lib/api/schema/generated/models.ts";
import type { FakeKubelet } from "../apiserver-streams/fake-kubelet.ts";

const stamp = (): string => `${new Date().toISOString().slice(0, 19)}Z`;

const running = ({ name, image = "" }: { name: string; image?: string | undefined }) => ({ name, image, imageID: "", ready: true, started: true, restartCount: 0, state: { running: { startedAt: stamp() } } });

export class World {
  readonly server: EphemeralApiServer;
  /** As an administrator. */
  readonly client: Client;
  /** Nodes whose kubelet is silent. */
  readonly silent = new Set<string>();
  /** Images whose pods never become ready. */
  readonly broken = new Set<string>();
  /** Images whose container ends with this exit code, an hour ago by its own word, so that no back-off holds up a test. */
  readonly ends = new Map<string, number>();
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #streams: NodeStatus = { addresses: [{ type: "InternalIP", address: "192.0.2.9" }] };
  #addresses = 0;
  #bound = 0;

  private constructor(server: EphemeralApiServer) {
    this.server = server;
    const { certificatePem, keyPem } = server.admin;
    this.client = createClient({ server: server.url, caData: server.caPem, certificateData: certificatePem, keyData: keyPem, component: "test" });
  }

  /** With a `kubelet` every node's streams lead to it. */
  static async start(flags: readonly string[] = [], nodeNames: readonly string[] = ["n1", "n2"], { kubelet }: { kubelet?: FakeKubelet } = {}): Promise<World> {
    const world = new World(await startEphemeralApiServer(kubelet === undefined ? {} : { streamHandlers: ({ cache }) => streamHandlers({ cache }, { tls: () => kubelet.tls, preferredAddressTypes: ["InternalIP"] }) }));
    if (kubelet !== undefined) world.#streams = { addresses: [{ type: "InternalIP", address: "127.0.0.1" }], daemonEndpoints: { kubeletEndpoint: { Port: kubelet.port } } };
    for (const name of nodeNames) await world.addNode(name);
    world.#running = runAll([world.#manager(flags), world.#hollow()], world.#stop.signal);
    return world;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.client.close();
    await this.server.close();
  }

  async addNode(name: string): Promise<void> {
    const conditions = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"].map((type) => ({ type, status: type === "Ready" ? "True" : "False", lastHeartbeatTime: stamp(), lastTransitionTime: stamp() }));
    await this.client.create(nodes, { metadata: { name }, spec: {}, status: { conditions, ...this.#streams } });
  }

  async get<T>(resource: ResourceReference<T>, name: string, namespace = "default"): Promise<T | undefined> {
    try { return await this.client.get(resource, resource.namespaced ? { namespace, name } : { name }); }
    catch (error) { if (hasReason(error, "NotFound")) return undefined; throw error; }
  }
  async list<T extends HasMeta>(resource: ResourceReference<T>, labelSelector = "", namespace = "default"): Promise<T[]> {
    return (await this.client.list(resource, { ...(resource.namespaced ? { namespace } : {}), labelSelector })).items;
  }
  deployment(name: string, replicas: number, rest: Partial<Deployment["spec"]> = {}, image = "nginx:1"): Promise<unknown> {
    const spec = { replicas, selector: { matchLabels: { app: name } }, template: { metadata: { name: "", labels: { app: name } }, spec: { containers: [{ name: "web", image }] } }, ...rest };
    return this.client.create(this.#deployments, { metadata: { name, namespace: "default" }, spec } as Deployment);
  }
  readonly #deployments: ResourceReference<Deployment> = { group: "apps", version: "v1", kind: "Deployment", plural: "deployments", namespaced: true };

  /** As a kubelet tells it once a pod's only container has ended. */
  async end({ metadata, spec }: Pod, exitCode: number, finishedAt = new Date()): Promise<void> {
    const [{ name, image = "" }] = spec.containers as [Pod["spec"]["containers"][number]], terminated = { exitCode, reason: exitCode === 0 ? "Completed" : "Error", finishedAt: `${finishedAt.toISOString().slice(0, 19)}Z` };
    await this.client.patch(pods, metadata, "strategic", { status: { phase: exitCode === 0 ? "Succeeded" : "Failed", containerStatuses: [{ name, image, imageID: "", ready: false, started: false, restartCount: 0, state: { terminated, running: null } }] } }, { subresource: "status" });
  }

  /** Waits until `read` gives something but undefined and false. */
  async until<T>(what: string, read: () => Promise<T | undefined | false>, timeoutMs = 40_000): Promise<T> {
    for (let last: unknown, end = Date.now() + timeoutMs; ; await systemClock.sleep(15)) {
      try { const found = await read(); if (found !== undefined && found !== false) return found; last = undefined; }
      catch (error) { last = error; }
      if (Date.now() > end) throw new Error(`Waited in vain for ${what}`, { cause: last });
    }
  }

  /** What cmd/kube-controller-manager does once it leads. */
  #manager(flagTexts: readonly string[]): Runnable {
    return {
      name: "manager",
      run: async (signal) => {
        const keyFile = path.join(mkdtempSync(path.join(tmpdir(), "kaji-world-")), "sa.key");
        writeFileSync(keyFile, this.server.serviceAccountKeyPem, { mode: 0o600 });
        const flags = parse(["--cluster-cidr=10.244.0.0/16", "--allocate-node-cidrs", `--service-account-private-key-file=${keyFile}`, ...flagTexts]), { certificatePem, keyPem } = this.server.identity("system:kube-controller-manager");
        const config = { server: this.server.url, caData: this.server.caPem, certificateData: certificatePem, keyData: keyPem, component: "kube-controller-manager" };
        const deps = { client: createClient(config), clock: systemClock, log: silentLogger }, informers = new SharedInformers(deps), broadcaster = new EventBroadcaster(deps), accounts = new ServiceAccountClients(deps, config);
        const chosen = selectControllers(flags.controllers);
        await accounts.prepare(chosen.flatMap((c) => c.account ?? []), signal);
        const context = { ...deps, informers, recorder: (component: string) => broadcaster.recorder({ component }) };
        const built = chosen.map((c) => c.build(c.account === undefined ? context : { ...context, client: accounts.clientFor(c.account) }, flags, { rootCa: this.server.caPem })).filter((r) => r !== undefined);
        rmSync(path.dirname(keyFile), { recursive: true });
        try { await runAll([informers, broadcaster, accounts, ...built], signal); } finally { deps.client.close(); }
      },
    };
  }

  #hollow(): Runnable {
    const deps = { client: this.client, clock: systemClock, log: silentLogger }, informers = new SharedInformers(deps), known = informers.get(pods), all = informers.get(nodes);
    const queue = new WorkQueue({ clock: systemClock });
    const free = (): string[] => all.list().filter((n) => (n.spec.taints ?? []).length === 0).map((n) => n.metadata.name);
    known.onChange(({ object }) => queue.add(keyOf(object)));
    const work = async (): Promise<void> => {
      for (let key = await queue.next(); key !== undefined; key = await queue.next()) {
        const pod = known.get(key);
        const settled = pod === undefined || await this.#tend(pod, free()).catch(() => false);
        queue.done(key);
        if (!settled) queue.addAfter(key, 50);
      }
    };
    const heartbeat = async (signal: AbortSignal): Promise<void> => {
      signal.addEventListener("abort", () => queue.shutDown(), { once: true });
      while (!signal.aborted) {
        await Promise.all(all.list().filter((node) => !this.silent.has(node.metadata.name)).map((node) => this.#beat(node).catch(() => {})));
        try { await systemClock.sleep(200, signal); } catch { return; }
      }
    };
    return { name: "hollow", run: async (signal) => { await Promise.all([informers.run(signal), heartbeat(signal), ...Array.from({ length: 8 }, work)]); } };
  }

  /** False: look again. */
  async #tend(pod: Pod, free: readonly string[]): Promise<boolean> {
    const { metadata, spec, status } = pod, node = spec.nodeName ?? "";
    if (node === "") {
      if (metadata.deletionTimestamp !== undefined) return true;
      const meant = targetNode(pod); // As the scheduler does with a daemon's pod.
      if (meant === undefined && free.length === 0) return false;
      const target = { kind: "Node", name: meant ?? free[this.#bound++ % free.length]! };
      await this.client.createSubresource(pods, metadata, "binding", { apiVersion: "v1", kind: "Binding", metadata: { name: metadata.name, namespace: metadata.namespace }, target });
      return true;
    }
    if (this.silent.has(node)) return false;
    const image = spec.containers[0]!.image ?? "", isOver = status?.phase === "Succeeded" || status?.phase === "Failed", exitCode = this.ends.get(image);
    if (metadata.deletionTimestamp !== undefined) {
      if (!isOver) await this.client.patch(pods, metadata, "strategic", { status: { phase: "Failed" } }, { subresource: "status" });
      await this.client.delete(pods, metadata, { gracePeriodSeconds: 0 });
    } else if (isOver) return true;
    else if (exitCode !== undefined) await this.end(pod, exitCode, new Date(Date.now() - 3_600_000));
    else if (status?.phase !== "Running" && !this.broken.has(image)) {
      const ip = `10.244.${this.#addresses >> 8}.${this.#addresses++ & 255}`, conditions = [{ type: "Ready", status: "True", lastTransitionTime: stamp() }];
      await this.client.patch(pods, metadata, "strategic", { status: { phase: "Running", podIP: ip, podIPs: [{ ip }], conditions, containerStatuses: spec.containers.map(running) } }, { subresource: "status" });
    } else if ((spec.ephemeralContainers?.length ?? 0) > (status?.ephemeralContainerStatuses?.length ?? 0)) {
      await this.client.patch(pods, metadata, "strategic", { status: { ephemeralContainerStatuses: spec.ephemeralContainers!.map(running) } }, { subresource: "status" });
    }
    return true;
  }

  /** As a kubelet: its lease, and its status when the API server has another one of it. */
  async #beat(node: Node): Promise<void> {
    const { name } = node.metadata;
    await this.#renew(name);
    if (node.status?.conditions?.some((c) => c.type === "Ready" && c.status === "True") === true) return;
    const at = stamp();
    await this.client.patch(nodes, { name }, "strategic", { status: { conditions: [{ type: "Ready", status: "True", reason: "KubeletReady", lastHeartbeatTime: at, lastTransitionTime: at }] } }, { subresource: "status" });
  }

  async #renew(name: string): Promise<void> {
    const key = { namespace: "kube-node-lease", name }, renewTime = new Date().toISOString().replace("Z", "000Z");
    try { await this.client.patch(leases, key, "merge", { spec: { renewTime } }); }
    catch (error) { if (hasReason(error, "NotFound")) await this.client.create(leases, { metadata: key, spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime } }); else throw error; }
  }
}
