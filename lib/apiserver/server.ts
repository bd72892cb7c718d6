/**
 * The API server: wiring from options to a listening port.
 *
 * Start-up: caches filled from the store → who may do what → what every cluster holds (bootstrap) → listener → the
 * Service `kubernetes`. Nothing is served before all of it is there. Counterpart: kubernetes `controlplane` and apiserver `server`.
 */
import { resources as builtIn } from "../api/resources.ts";
import type { ResourceDefinition } from "../api/resource-definition.ts";
import type { Store } from "../storage/store.ts";
import { systemClock, type Clock } from "../util/clock.ts";
import { silentLogger, type Logger } from "../util/logger.ts";
import { AdmissionChain } from "./admission/admission-chain.ts";
import { IpAddresses } from "./allocation/ip-addresses.ts";
import { buildAuth, type Auth, type AuthOptions } from "./authn.ts";
import { publishAuthentication } from "./authentication-config.ts";
import { NodeGraph } from "./authorization/node-graph.ts";
import { bootstrapCluster } from "./bootstrap/bootstrap.ts";
import { WatchCache } from "./cache/watch-cache.ts";
import type { CacheReader, CreateHandlers, InternalWriter, StreamHandler, WriteHook } from "./contracts.ts";
import { Discovery } from "./endpoints/discovery-handlers.ts";
import type { HealthCheck } from "./endpoints/health.ts";
import { ServerMetrics } from "./endpoints/metrics.ts";
import { openapiHandler } from "./endpoints/openapi.ts";
import { pathHandler } from "./endpoints/paths.ts";
import { GIT_VERSION } from "./endpoints/version.ts";
import { EventExpiry } from "./event-expiry.ts";
import { chain, filters } from "./filters.ts";
import type { InFlightLimits } from "./filters/filter.ts";
import type { Handler } from "./http/exchange.ts";
import { Listener, type ServingCertificates } from "./http/listener.ts";
import { keepKubernetesService, type KubernetesServiceOptions } from "./kubernetes-service.ts";
import { bindHandler } from "./registry/bind-pod.ts";
import { evictHandler } from "./registry/evict-pod.ts";
import type { Resource } from "./registry/resource.ts";
import { addCaches, buildResources, internalWriter, resourceKey } from "./registry/registry.ts";
import type { Api } from "./rest/api.ts";
import { dispatchResource } from "./rest/router.ts";
import { server } from "./serve.ts";

export interface ApiServerOptions {
  readonly store: Store;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly certificates: ServingCertificates;
  readonly auth: AuthOptions;
  readonly inFlight: InFlightLimits;
  /** undefined: the Service `kubernetes` is left alone. */
  readonly kubernetesService: Omit<KubernetesServiceOptions, "securePort"> | undefined;
  /** Built once the caches are filled. */
  readonly admission: (deps: AdmissionDeps) => AdmissionChain;
  /** Built once the caches are filled; they stop with the signal. */
  readonly hooks: (deps: { cache: CacheReader; signal: AbortSignal }) => readonly WriteHook[];
  readonly streamHandlers: (deps: { cache: CacheReader; log: Logger }) => readonly StreamHandler[];
  readonly definitions?: readonly ResourceDefinition[];
  /** How long Events are kept after they were last written, in milliseconds; for ever when 0 or absent. */
  readonly eventTtlMs?: number;
  /** Told once when the caches are fed no more: what the server shows is growing old, and the process should end. */
  readonly onLost?: (error: unknown) => void;
  readonly clock?: Clock;
  readonly log?: Logger;
  readonly random?: () => number;
}

export interface AdmissionDeps { readonly cache: CacheReader; readonly auth: Auth; readonly clock: Clock; readonly log: Logger; readonly writer: InternalWriter }

export interface ApiServer {
  readonly url: string;
  readonly port: number;
  /** What the server itself sees and writes: for tests in process. */
  readonly cache: CacheReader;
  readonly writer: InternalWriter;
  /** New connections are greeted with these. */
  setCertificates(certificates: ServingCertificates): void;
  /** Ends watches, finishes running requests for a moment, closes the port. The store stays open. */
  close(): Promise<void>;
}

/** Starts a server; resolves when it answers. Throws what keeps it from starting. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { store, clock = systemClock, log = silentLogger, random = Math.random, definitions = builtIn } = options;
  const stopping = new AbortController(), cache = new WatchCache(store, log, options.onLost);
  addCaches(cache, definitions);
  // Before the caches are filled: what concerns which node, and how old events are, is then known without looking at everything again.
  const graph = new NodeGraph(cache), stopGraph = options.auth.authorizationModes.includes("Node") ? graph.start() : () => undefined;
  const expiry = (options.eventTtlMs ?? 0) > 0 ? new EventExpiry({ cache, store, clock, log }, options.eventTtlMs!) : undefined, stopExpiry = expiry?.follow();
  await cache.start(stopping.signal);
  const auth = buildAuth({ cache, clock, graph }, options.auth);
  const hooks = options.hooks({ cache, signal: stopping.signal });
  const registry = { store, clock, log, hooks, admission: new AdmissionChain([]) };
  const writer = internalWriter(cache, definitions, registry);
  await bootstrapCluster({ cache, writer, log });
  await publishAuthentication({ cache, writer }, options.auth);
  const admission = options.admission({ cache, auth, clock, log, writer });
  const resources = buildResources(cache, definitions, { ...registry, admission });
  const { createHandlers } = auth;
  addPodHandlers(createHandlers, resources, cache);
  const api: Api = {
    cache, resources, log, random, shutdown: stopping.signal, createHandlers, admission, authorizer: auth.authorizer,
    definitions: new Map(definitions.map((definition) => [resourceKey(definition), definition])),
    streamHandlers: new Map(options.streamHandlers({ cache, log }).map((handler) => [`${handler.resource.plural}${handler.resource.group === "" ? "" : `.${handler.resource.group}`}/${handler.subresource}`, handler])),
  };
  const metrics = new ServerMetrics({ objects: () => cache.counts(), watchers: () => cache.watchers() });
  const deps = { definitions, metrics, log, cache, auth, store };
  const handler = chain(filters({ authenticator: auth.authenticator, authorizer: auth.authorizer, inFlight: options.inFlight }), lastHandler(api, options, deps));
  const listener = new Listener({ host: options.host, port: options.port, certificates: options.certificates, log, serve: server({ handler, metrics, log }) });
  const port = await listener.start();
  const keeping = options.kubernetesService === undefined ? Promise.resolve()
    : keepKubernetesService({ cache, writer, clock, log }, { ...options.kubernetesService, securePort: port }, stopping.signal);
  const stopAddresses = options.kubernetesService === undefined ? undefined : new IpAddresses({ cache, writer, clock, log }).start();
  const expiring = expiry?.run(stopping.signal);
  return {
    url: `https://${options.host.includes(":") ? `[${options.host}]` : options.host}:${port}`, port, cache, writer,
    setCertificates: (certificates) => listener.setCertificates(certificates),
    close: async () => {
      stopping.abort();
      auth.stop();
      stopGraph();
      stopExpiry?.();
      stopAddresses?.();
      await Promise.all([listener.close(), keeping, expiring]);
    },
  };
}

/** Binding and eviction: POSTs below a pod that change it. */
function addPodHandlers(handlers: CreateHandlers, resources: ReadonlyMap<string, Resource>, cache: WatchCache): void {
  const pods = resources.get("/v1/pods"), budgets = resources.get("policy/v1/poddisruptionbudgets");
  if (pods === undefined || budgets === undefined) return;
  handlers.set("pods/binding", bindHandler(pods)).set("bindings", bindHandler(pods)).set("pods/eviction", evictHandler({ pods, budgets, cache }));
}

interface LastDeps { definitions: readonly ResourceDefinition[]; metrics: ServerMetrics; log: Logger; cache: WatchCache; auth: Auth; store: Store }

/** Behind the filters: resources, or the other paths. */
function lastHandler(api: Api, options: ApiServerOptions, { definitions, metrics, log, cache, auth, store }: LastDeps): Handler {
  const advertised = `${options.kubernetesService?.advertiseAddress ?? options.host}:${options.port}`;
  const paths = pathHandler({ discovery: new Discovery(definitions, advertised), metrics, log, documents: auth.documents, checks: healthChecks(cache, store, api.shutdown), openapi: openapiHandler(definitions, GIT_VERSION) });
  return (request) => (request.info.isResourceRequest ? dispatchResource(api, request) : paths(request));
}

function healthChecks(cache: WatchCache, store: Store, shutdown: AbortSignal): HealthCheck[] {
  const everywhere = ["healthz", "livez", "readyz"] as const;
  const storeCheck = async (): Promise<string | undefined> => {
    if (cache.lost !== undefined) return "the watch of the store ended";
    try { await store.currentRevision(); return undefined; }
    catch (error) { return (error as Error).message; }
  };
  return [
    { name: "ping", in: everywhere, check: () => undefined },
    { name: "log", in: everywhere, check: () => undefined },
    { name: "etcd", in: everywhere, check: storeCheck },
    { name: "informer-sync", in: ["readyz"], check: () => (cache.lost === undefined ? undefined : "caches are not fed") },
    { name: "shutdown", in: ["readyz"], check: () => (shutdown.aborted ? "process is shutting down" : undefined) },
  ];
}
