/** kube-controller-manager: every control loop in one process. Flags as upstream's. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { inClusterConfig, loadKubeconfig } from "../../lib/client/kubeconfig.ts";
import { createClient } from "../../lib/client/http-client.ts";
import { nodes } from "../../lib/api/schema/generated/references.ts";
import { ServiceAccountClients } from "../../lib/controllers/shared/service-account-clients.ts";
import { HostRoutes } from "../../lib/network/host-routes.ts";
import { delegatedAuth } from "../../lib/runtime/delegated-auth.ts";
import { EventBroadcaster } from "../../lib/runtime/event-recorder.ts";
import { HealthServer } from "../../lib/runtime/health-server.ts";
import { identityOfPort } from "../../lib/runtime/leader-identity.ts";
import { LeaderElector, SMALL_LEADER_ELECTION, UPSTREAM_LEADER_ELECTION } from "../../lib/runtime/leader-election.ts";
import { RuntimeMetrics } from "../../lib/runtime/metrics.ts";
import { SharedInformers } from "../../lib/runtime/shared-informers.ts";
import { isAbort, shutdownSignal } from "../../lib/util/abort.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { FlagError, flagsHelp } from "../../lib/util/flags.ts";
import { createLogger, type LogLevel, type Logger } from "../../lib/util/logger.ts";
import { runAll, type Runnable } from "../../lib/util/runnable.ts";
import { rootCaOf, selectControllers } from "./controllers.ts";
import { FLAGS, parse, type Flags } from "./flags.ts";
import type { ClientConfig } from "../../lib/client/client-config.ts";
import type { ControllerContext } from "../../lib/controllers/shared/context.ts";

/** For the loop that signs tokens of Secrets. */
const WITHOUT_EFFECT = ["service-account-private-key-file"] as const;
const COMPONENT = "kube-controller-manager";

/** Runs until SIGTERM. Returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let flags: Flags;
  try {
    flags = parse(argv);
    selectControllers(flags.controllers);
    if (flags.help) { process.stdout.write(flagsHelp(`${COMPONENT} [flags]`, FLAGS)); return 0; }
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    process.stderr.write(`Error: ${error.message}\n`);
    return 1;
  }
  const log = createLogger(COMPONENT, (flags.v ?? 0) >= 4 ? "debug" : flags["log-level"] as LogLevel), signal = shutdownSignal();
  const idle = WITHOUT_EFFECT.filter((name) => flags[name] !== undefined);
  if (idle.length > 0) log.warn({ flags: idle }, "flags have no effect in this release: the controllers they are for are not part of it");
  try {
    await runAll(wire(flags, log), signal);
    return 0;
  } catch (error) {
    log.error({ error }, "exiting");
    return 1;
  }
}

function configOf(flags: Flags, file: string | undefined): ClientConfig {
  const config = file === undefined ? inClusterConfig(COMPONENT) : loadKubeconfig(file, { component: COMPONENT });
  if (config === undefined) throw new Error("Cannot find the API server: give --kubeconfig (this is not a pod)");
  return { ...config, ...(flags.master === undefined ? {} : { server: flags.master }) };
}

/** Everything the daemon runs, in the order it starts. */
function wire(flags: Flags, log: Logger): Runnable[] {
  const clock = systemClock, metrics = new RuntimeMetrics(), config = configOf(flags, flags.kubeconfig);
  const client = createClient(config, { clock, onRequest: metrics.onRequest });
  const reviewer = flags["authorization-kubeconfig"] ?? flags["authentication-kubeconfig"];
  const reviews = reviewer === undefined ? client : createClient(configOf(flags, reviewer), { clock });
  const informers = new SharedInformers({ client, clock, log });
  const broadcaster = new EventBroadcaster({ client, clock, log });
  const context: ControllerContext = { client, clock, log, informers, metrics, recorder: (component) => broadcaster.recorder({ component }) };

  const lead = async (signal: AbortSignal): Promise<void> => runControllers(flags, context, config, signal);
  const times = flags.profile === "upstream" ? UPSTREAM_LEADER_ELECTION : SMALL_LEADER_ELECTION;
  const elector = new LeaderElector({ client, clock, log, metrics, events: broadcaster.recorder({ component: COMPONENT }) }, {
    namespace: flags["leader-elect-resource-namespace"], name: flags["leader-elect-resource-name"], identity: flags["secure-port"] === 0 ? `${hostname()}_${randomUUID()}` : identityOfPort(flags["secure-port"]),
    leaseDurationMs: flags["leader-elect-lease-duration"] ?? times.leaseDurationMs, renewDeadlineMs: flags["leader-elect-renew-deadline"] ?? times.renewDeadlineMs, retryPeriodMs: flags["leader-elect-retry-period"] ?? times.retryPeriodMs,
  });
  const health = serve(flags, log, metrics, delegatedAuth({ client: reviews, clock }, { clientCaFile: flags["client-ca-file"] }));
  const leading: Runnable = {
    name: "controllers",
    async run(signal) {
      await health?.listening; // Our identity is ours only while we hold the port.
      await (flags["leader-elect"] ? elector.run(signal, lead) : lead(signal));
    },
  };
  return [
    ...(health === undefined ? [] : [health]),
    informers, broadcaster,
    // Routes are this machine's, whoever leads.
    ...(flags["configure-host-routes"] ? [new HostRoutes({ nodes: informers.get(nodes), clock, log })] : []),
    leading,
  ];
}

async function runControllers(flags: Flags, context: ControllerContext, config: ClientConfig, signal: AbortSignal): Promise<void> {
  const { log } = context, chosen = selectControllers(flags.controllers), defaults = { rootCa: rootCaOf(flags, config) };
  const accounts = flags["use-service-account-credentials"] ? new ServiceAccountClients({ ...context, ...(context.metrics === undefined ? {} : { onRequest: context.metrics.onRequest }) }, config) : undefined;
  try { await accounts?.prepare(chosen.map((c) => c.account), signal); }
  catch (error) { if (isAbort(error, signal)) return; throw error; }
  const running: Runnable[] = [];
  for (const { name, account, build } of chosen) {
    const controller = build(accounts === undefined ? context : { ...context, client: accounts.clientFor(account) }, flags, defaults);
    if (controller === undefined) log.warn({ controller: name }, "controller is off: the flags it needs are missing");
    else running.push(controller);
  }
  log.info({ controllers: running.map((c) => c.name) }, "controllers start");
  await runAll([...(accounts === undefined ? [] : [accounts]), ...running], signal);
}

function serve(flags: Flags, log: Logger, metrics: RuntimeMetrics, authorize: ReturnType<typeof delegatedAuth>): HealthServer | undefined {
  if (flags["secure-port"] === 0) return undefined;
  const open = new Set(flags["authorization-always-allow-paths"]);
  return new HealthServer({ clock: systemClock, log }, {
    address: flags["bind-address"], port: flags["secure-port"], registry: metrics.registry,
    tls: { certificateFile: flags["tls-cert-file"], keyFile: flags["tls-private-key-file"] },
    authorize: (request, path) => (open.has(path) ? Promise.resolve("allowed") : authorize(request, path)),
  });
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
