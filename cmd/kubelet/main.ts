/** kubelet: runs the pods bound to this node. Flags as upstream's. */
import { readFileSync } from "node:fs";
import { availableParallelism, networkInterfaces } from "node:os";
import { quantityValue } from "../../lib/api/quantity.ts";
import { createClient } from "../../lib/client/http-client.ts";
import { loadKubeconfig } from "../../lib/client/kubeconfig.ts";
import { BoundedCri } from "../../lib/cri/bounded-cri.ts";
import { CriClient } from "../../lib/cri/client.ts";
import { parseMemInfo } from "../../lib/host/facts.ts";
import { sourceAddress } from "../../lib/host/source-address.ts";
import { EvictionManager } from "../../lib/kubelet/housekeeping/eviction-manager.ts";
import { GarbageCollector } from "../../lib/kubelet/housekeeping/garbage-collector.ts";
import { LogRotator } from "../../lib/kubelet/housekeeping/log-rotator.ts";
import { parseThresholds } from "../../lib/kubelet/housekeeping/plan-eviction.ts";
import { Kubelet, type KubeletParts } from "../../lib/kubelet/kubelet.ts";
import { KUBELET_CONFIGURATION, type KubeletConfiguration } from "../../lib/kubelet/kubelet-configuration.ts";
import { NodeAddresses } from "../../lib/kubelet/node-addresses.ts";
import type { Pressure } from "../../lib/kubelet/node-status.ts";
import { KubeletServer, tlsFromFiles } from "../../lib/kubelet/server/kubelet-server.ts";
import { requiredAttributes } from "../../lib/kubelet/server/route.ts";
import { StatsCollector } from "../../lib/kubelet/server/stats-collector.ts";
import { delegatedAuth } from "../../lib/runtime/delegated-auth.ts";
import { EventBroadcaster } from "../../lib/runtime/event-recorder.ts";
import { HealthServer } from "../../lib/runtime/health-server.ts";
import { RuntimeMetrics } from "../../lib/runtime/metrics.ts";
import { shutdownSignal } from "../../lib/util/abort.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { ConfigError } from "../../lib/util/config-file.ts";
import { parseDaemonFlags, runDaemon } from "../../lib/util/daemon.ts";
import { FlagError } from "../../lib/util/flags.ts";
import type { Logger } from "../../lib/util/logger.ts";
import { runAll, type Runnable } from "../../lib/util/runnable.ts";
import { readyOnce, type Readiness } from "../../lib/util/service-notifier.ts";
import { certificateKeepers, selfSigned, servingFile } from "./certificates.ts";
import { FLAGS, kubeletOptions, resolveConfiguration, type Flags } from "./flags.ts";

/** Sandboxes and containers made or started at once, at least; twice the processors on larger machines. */
const DEAR_CALLS_MIN = 4;

/** Runs until SIGTERM; containers go on without it. Returns the exit code. */
export const main = (argv: readonly string[]): Promise<number> => runDaemon({ name: "kubelet", flags: FLAGS, configKind: KUBELET_CONFIGURATION, parse, run }, argv);

interface Start { readonly flags: Flags; readonly configuration: KubeletConfiguration; readonly warnings: readonly string[] }

/** Throws FlagError and ConfigError. */
function parse(argv: readonly string[]): Start {
  const flags = parseDaemonFlags("kubelet", argv, FLAGS);
  try {
    const { configuration, warnings } = resolveConfiguration(flags, new Set(argv.map((argument) => argument.replace(/^--/, "").split("=")[0]!)));
    if (flags.kubeconfig === undefined) throw new FlagError("--kubeconfig is required");
    if (configuration.failSwapOn && parseMemInfo(readFileSync("/proc/meminfo", "utf8")).swapTotalBytes > 0) throw new FlagError("running with swap on is not supported, please disable swap or set --fail-swap-on flag to false");
    return { flags, configuration, warnings };
  } catch (error) { throw error instanceof FlagError || error instanceof ConfigError ? error : new FlagError((error as Error).message, { cause: error }); }
}

async function run({ flags, configuration, warnings }: Start, log: Logger, readiness: Readiness): Promise<void> {
  const signal = shutdownSignal();
  for (const warning of warnings) log.warn({ file: flags.config }, warning);
  await runAll(wire(flags, configuration, log, readiness), signal);
}

function wire(flags: Flags, configuration: KubeletConfiguration, log: Logger, readiness: Readiness): Runnable[] {
  const clock = systemClock, metrics = new RuntimeMetrics(), config = loadKubeconfig(flags.kubeconfig!, { component: "kubelet" }), client = createClient(config, { clock, onRequest: metrics.onRequest });
  let pressure: Pressure = { memory: false, disk: false, pids: false };
  const told = kubeletOptions(flags, configuration, () => pressure), apiServer = new URL(config.server);
  let addressesChanged = (): void => {};
  const addresses = new NodeAddresses({
    clock, log, onChange: () => addressesChanged(), present: () => Object.values(networkInterfaces()).flatMap((list) => list ?? []).map((each) => each.address),
    towardsServer: () => sourceAddress(apiServer.hostname.replace(/^\[|\]$/g, ""), Number(apiServer.port) || 443),
  }, told.nodeIPs), options = { ...told, get nodeIPs() { return addresses.current; } }, broadcaster = new EventBroadcaster({ client, clock, log });
  const events = broadcaster.recorder({ component: "kubelet", host: options.nodeName }), cri = new BoundedCri(new CriClient(configuration.containerRuntimeEndpoint), Math.max(DEAR_CALLS_MIN, 2 * availableParallelism()), clock);
  const server = (parts: KubeletParts): Runnable => new KubeletServer(parts, new StatsCollector(parts.context, parts.manager, options.rootDirectory), {
    address: configuration.address, port: configuration.port, ...serving(flags, configuration, options.nodeName, options.nodeIPs),
    authorize: configuration.authorizationMode === "AlwaysAllow" ? () => Promise.resolve("allowed") : delegatedAuth({ client, clock }, {
      clientCaFile: configuration.clientCAFile === "" ? undefined : configuration.clientCAFile,
      attributes: (request, path) => ({ resourceAttributes: requiredAttributes(request.method ?? "GET", path, options.nodeName) }),
    }),
    metrics: () => metrics.registry.metrics(), configz: () => configuration,
  });
  const housekeeping = ({ context, manager, agent }: KubeletParts): Runnable[] => {
    const collector = new GarbageCollector(context, manager, events, { highPercent: configuration.imageGCHighThresholdPercent, lowPercent: configuration.imageGCLowThresholdPercent, minimumAgeMs: configuration.imageMinimumGCAgeMs });
    addressesChanged = () => agent.wake();
    const onPressure = (now: Pressure): void => { const changed = JSON.stringify(now) !== JSON.stringify(pressure); pressure = now; if (changed) agent.wake(); };
    return [
      collector, new LogRotator(context, { maxBytes: quantityValue(configuration.containerLogMaxSize), maxFiles: configuration.containerLogMaxFiles }),
      new EvictionManager({ context, manager, collector, onPressure }, parseThresholds(configuration.evictionHard), options.rootDirectory),
    ];
  };
  // Ready without the API server too: what runs here goes on while it is away.
  const saying = readyOnce(() => cri.call("Version", {}), readiness, clock);
  const kubelet = new Kubelet({ client, cri, clock, log, events }, options, (parts) => [server(parts), ...housekeeping(parts), saying]);
  const health = configuration.healthzPort === 0 ? [] : [new HealthServer({ clock, log }, { address: configuration.healthzBindAddress, port: configuration.healthzPort })];
  const keepers = certificateKeepers(flags, configuration, config, { nodeName: options.nodeName, get addresses() { return options.nodeIPs; } }, { client, log });
  return [...health, broadcaster, addresses, kubelet, ...keepers];
}

function serving(flags: Flags, configuration: KubeletConfiguration, nodeName: string, addresses: readonly string[]): { tls: () => { cert: string | Buffer; key: string | Buffer }; tlsFiles: string[] } {
  const { tlsCertFile, tlsPrivateKeyFile } = configuration;
  if (tlsCertFile !== "" && tlsPrivateKeyFile !== "") return { tls: tlsFromFiles(tlsCertFile, tlsPrivateKeyFile), tlsFiles: [tlsCertFile, tlsPrivateKeyFile] };
  const file = servingFile(flags, configuration, { nodeName, addresses });
  if (file !== undefined) return { tls: tlsFromFiles(file, file), tlsFiles: [file] };
  const { certificate, key } = selfSigned({ nodeName, addresses });
  return { tls: () => ({ cert: certificate, key }), tlsFiles: [] };
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
