/**
 * Kubelet: everything a node runs, wired together. `run(signal)` starts it; when the signal aborts it stops and leaves containers running.
 * Counterpart: kubelet `kubelet.go`.
 */
import { mkdir, readFile } from "node:fs/promises";
import { uptime } from "node:os";
import { nodes, pods, runtimeclasses, services } from "../api/schema/generated/references.ts";
import type { ContainerImage, Node, Pod } from "../api/schema/generated/models.ts";
import type { Client } from "../client/client.ts";
import type { Cri } from "../cri/client.ts";
import { Cgroups } from "../host/cgroups.ts";
import { freeTornLeases } from "../host/cni-notes.ts";
import { readSpace } from "../host/disk-usage.ts";
import { readMachineFacts, readSecurityModules, type MachineFacts } from "../host/facts.ts";
import { Informer } from "../runtime/informer.ts";
import type { EventSink } from "../runtime/event-recorder.ts";
import { aborted } from "../util/abort.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import { runAll, type Runnable } from "../util/runnable.ts";
import { admitPod, type Rejection } from "./admit-pod.ts";
import { kubepodsCgroup, qosCgroup, milliCpuToShares } from "./container-resources.ts";
import { parseResolvConf } from "./dns-config.ts";
import { ImageManager } from "./image-manager.ts";
import type { KubeletOptions } from "./kubelet-options.ts";
import { NodeAgent } from "./node-agent.ts";
import type { NodeContext, NodeSettings } from "./node-context.ts";
import type { NodeFacts } from "./node-status.ts";
import { ObjectCache } from "./object-cache.ts";
import { PodEvents } from "./pod-events.ts";
import { PodManager } from "./pod-manager.ts";
import { PodRemover } from "./pod-remover.ts";
import { ProbeManager } from "./probes/probe-manager.ts";
import { RuntimeReader } from "./runtime-reader.ts";
import { RuntimeWatch } from "./runtime-watch.ts";
import { StatusWriter } from "./status-writer.ts";
import { TokenManager } from "./volumes/token-manager.ts";
import { VolumeManager } from "./volumes/volume-manager.ts";

export interface KubeletDeps { readonly client: Client; readonly cri: Cri; readonly clock: Clock; readonly log: Logger; readonly events: EventSink }

const SWEEP_MS = 30_000, IMAGES_MAX = 50;

/** What the server and the housekeepers of a running kubelet work with. */
export interface KubeletParts {
  readonly context: NodeContext;
  readonly manager: PodManager;
  readonly agent: NodeAgent;
  readonly watch: RuntimeWatch;
  readonly machine: MachineFacts;
}

export class Kubelet implements Runnable {
  readonly name = "kubelet";
  readonly #deps: KubeletDeps;
  readonly #options: KubeletOptions;
  readonly #also: (parts: KubeletParts) => readonly Runnable[];

  /** `also` makes what runs beside the core once its parts exist: server, garbage collection, eviction. */
  constructor(deps: KubeletDeps, options: KubeletOptions, also: (parts: KubeletParts) => readonly Runnable[] = () => []) {
    this.#deps = deps;
    this.#options = options;
    this.#also = also;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { client, cri, clock, log, events: sink } = this.#deps, options = this.#options;
    const [machine, abilities] = await Promise.all([readMachineFacts(), readSecurityModules()]), cgroups = await Cgroups.detect(options.cgroupDriver), settings = await this.#settings(machine);
    await this.#prepare(cgroups, settings, machine);
    const events = new PodEvents(sink), tokens = new TokenManager(client, clock), podInformer = new Informer({ client, clock, log }, pods, { fieldSelector: `spec.nodeName=${options.nodeName}` });
    const serviceInformer = new Informer({ client, clock, log }, services);
    const stopWorkers = new AbortController(), workersSignal = AbortSignal.any([signal, stopWorkers.signal]);
    const cache = new ObjectCache({ client, clock, log, onChange: (uid) => manager.refresh(uid) });
    const sources = { configMap: cache.configMap.bind(cache), secret: cache.secret.bind(cache), token: tokens.token.bind(tokens), services: () => serviceInformer.list() };
    const volumes = new VolumeManager({ sources, clock }, { rootDirectory: options.rootDirectory });
    const images = new ImageManager({ cri, clock, events, secrets: cache });
    const probes = new ProbeManager({ cri, clock, events, onChange: (uid) => manager.wake(uid) });
    const reader = new RuntimeReader(cri), status = new StatusWriter({ client, clock, log }, workersSignal);
    const context: NodeContext = {
      cri, clock, log, events, images, volumes, sources, cgroups, settings,
      runtimeHandler: async (name) => (await client.get(runtimeclasses, { name })).handler,
      downwardContext: (podIPs) => ({ podIPs, hostIPs: settings.hostIPs, nodeName: options.nodeName, allocatable: agent.node?.status?.allocatable ?? {} }),
    };
    const remover = new PodRemover({ client, cri, cgroups, volumes, tokens, release: (uid) => cache.release(uid) });
    const admit = async (pod: Pod): Promise<Rejection | undefined> => {
      const judge = (node: Node): Rejection | undefined => admitPod(pod, node, manager.admitted, { allowedUnsafeSysctls: options.allowedUnsafeSysctls, abilities });
      const first = agent.node === undefined ? undefined : judge(agent.node);
      // Ours is what we last wrote; labels and taints others set since are fetched before a pod is turned away for them.
      return first?.dependsOnNode === true ? judge(await client.get(nodes, { name: options.nodeName })) : first;
    };
    const manager = new PodManager({ ...context, reader, probes, status, remover, admit }, workersSignal);
    const watch = new RuntimeWatch({ cri, reader, clock, log, onChange: (uid) => manager.wake(uid) });
    const facts = this.#facts(machine, settings, watch);
    const agent = new NodeAgent({ client, clock, log, events: sink, facts }, { ...options, statusCheckMs: options.statusCheckMs });
    const nodeInformer = new Informer({ client, clock, log }, nodes, { fieldSelector: `metadata.name=${options.nodeName}` });
    nodeInformer.onChange((change) => agent.observe(change.type === "deleted" ? undefined : change.object));
    podInformer.onChange((change) => {
      if (change.type === "deleted") return manager.remove(change.object);
      cache.use(change.object);
      manager.upsert(change.object);
    });
    const sweeper: Runnable = {
      name: "pod sweeper",
      async run(stop) {
        await Promise.race([podInformer.synced, aborted(stop)]);
        while (!stop.aborted) {
          await watch.relist();
          if (watch.error === undefined) await manager.sweep(watch.pods).catch((error: unknown) => log.warn({ error }, "cannot sweep"));
          await clock.sleep(SWEEP_MS, stop).catch(() => undefined);
        }
      },
    };
    try {
      await runAll([agent, watch, serviceInformer, podInformer, nodeInformer, sweeper, ...this.#also({ context, manager, agent, watch, machine })], signal);
    } finally {
      stopWorkers.abort();
      await manager.stopped();
      await probes.stop();
      await cache.stop();
    }
  }

  async #settings(machine: MachineFacts): Promise<NodeSettings> {
    const o = this.#options;
    const host = o.resolvConf === "" ? { servers: [], searches: [], options: [] } : parseResolvConf(await readFile(o.resolvConf, "utf8").catch(() => ""));
    return {
      nodeName: o.nodeName, get hostIPs() { return o.nodeIPs; }, dns: { clusterDns: o.clusterDns, clusterDomain: o.clusterDomain, host }, logRoot: o.podLogDirectory, containerLogRoot: o.containerLogDirectory,
      seccompRoot: `${o.rootDirectory}/seccomp`, memoryCapacityBytes: machine.memoryBytes, cgroupRoot: o.cgroupRoot, allowedUnsafeSysctls: o.allowedUnsafeSysctls,
    };
  }

  async #prepare(cgroups: Cgroups, settings: NodeSettings, machine: MachineFacts): Promise<void> {
    const o = this.#options;
    await Promise.all([`${o.rootDirectory}/pods`, settings.logRoot, settings.containerLogRoot].map((directory) => mkdir(directory, { recursive: true })));
    const cpuMilli = Math.max(0, machine.cpus * 1_000 - o.reserved.cpuMilli);
    await cgroups.ensure(kubepodsCgroup(settings.cgroupRoot), { cpuShares: milliCpuToShares(cpuMilli), memoryMaxBytes: machine.memoryBytes - o.reserved.memoryBytes });
    await cgroups.ensure(qosCgroup(settings.cgroupRoot, "Burstable"));
    await cgroups.ensure(qosCgroup(settings.cgroupRoot, "BestEffort"), { cpuShares: 2 });
    const freed = await freeTornLeases(this.#deps.clock.now().getTime() - uptime() * 1_000);
    if (freed.length > 0) this.#deps.log.info({ addresses: freed }, "addresses freed that the last boot lent to nobody");
  }

  #facts(machine: MachineFacts, settings: NodeSettings, watch: RuntimeWatch): () => Promise<NodeFacts> {
    const { cri } = this.#deps, o = this.#options;
    let runtimeVersion = "containerd://unknown";
    return async () => {
      const notReady: string[] = [];
      let images: ContainerImage[] = [];
      try {
        const [version, status, list] = await Promise.all([cri.call("Version", {}), cri.call("Status", {}), cri.call("ListImages", {})]);
        runtimeVersion = `${version.runtimeName}://${version.runtimeVersion}`;
        images = topImages(list.images);
        for (const condition of status.status?.conditions ?? []) {
          if (condition.status) continue;
          const words = `${condition.type}=false reason:${condition.reason} message:${condition.message}`;
          notReady.push(condition.type === "NetworkReady" ? `container runtime network not ready: ${words}` : `container runtime not ready: ${words}`);
        }
      } catch { notReady.push("container runtime is down"); }
      if (notReady.length === 0 && watch.error !== undefined && !watch.healthy) notReady.push("PLEG is not healthy: pleg has yet to be successful");
      const space = await readSpace(o.rootDirectory);
      return {
        machine, hostname: o.hostname, addresses: settings.hostIPs, kubeletPort: o.port, runtimeVersion, images, notReady, pressure: o.pressure(),
        capacity: { cpuMilli: machine.cpus * 1_000, memoryBytes: machine.memoryBytes, ephemeralStorageBytes: space.capacityBytes, pods: o.maxPods }, reserved: o.reserved, evictionMemoryBytes: o.evictionMemoryBytes,
      };
    };
  }
}

/** The largest images, as a node's status lists them. */
function topImages(images: readonly { repoTags: string[]; repoDigests: string[]; size: number }[]): ContainerImage[] {
  return [...images].sort((a, b) => b.size - a.size).slice(0, IMAGES_MAX).map((image) => ({ names: [...image.repoDigests, ...image.repoTags].slice(0, 5), sizeBytes: image.size }));
}
