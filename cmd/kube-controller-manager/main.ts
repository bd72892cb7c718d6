/** kube-controller-manager: every control loop in one process. Flags as upstream's. */
import { randomUUID } from "node:crypto";
import { hostname, networkInterfaces } from "node:os";
import { createClient } from "../../lib/client/http-client.ts";
import { nodes } from "../../lib/api/schema/generated/references.ts";
import { ServiceAccountClients } from "../../lib/controllers/shared/service-account-clients.ts";
import { realAddresses } from "../../lib/install/host/address.ts";
import { HostRoutes } from "../../lib/network/host-routes.ts";
import { clientConfigOf, announceReady, healthServer, runAsLeader, type ComponentDeps } from "../../lib/runtime/component.ts";
import { EventBroadcaster } from "../../lib/runtime/event-recorder.ts";
import { identityOfPort } from "../../lib/runtime/leader-identity.ts";
import { MasterCertificates } from "../../lib/runtime/master-certificates.ts";
import { RuntimeMetrics } from "../../lib/runtime/metrics.ts";
import { SharedInformers } from "../../lib/runtime/shared-informers.ts";
import { isAbort, shutdownSignal } from "../../lib/util/abort.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { runDaemon } from "../../lib/util/daemon.ts";
import { runAll, type Runnable } from "../../lib/util/runnable.ts";
import { rootCaOf, selectControllers } from "./controllers.ts";
import { COMPONENT, FLAGS, parse, type Flags } from "./flags.ts";
import type { ClientConfig } from "../../lib/client/client-config.ts";
import type { ControllerContext } from "../../lib/controllers/shared/context.ts";
import type { Logger } from "../../lib/util/logger.ts";
import type { Readiness } from "../../lib/util/service-notifier.ts";

/** Runs until SIGTERM. Returns the exit code. */
export const main = (argv: readonly string[]): Promise<number> => runDaemon({ name: COMPONENT, flags: FLAGS, parse: parseAll, run }, argv);

function parseAll(argv: readonly string[]): Flags {
  const flags = parse(argv);
  selectControllers(flags.controllers);
  return flags;
}

async function run(flags: Flags, log: Logger, readiness: Readiness): Promise<void> {
  await runAll(wire(flags, log, readiness), shutdownSignal());
}

/** Everything the daemon runs, in the order it starts. */
function wire(flags: Flags, log: Logger, readiness: Readiness): Runnable[] {
  const clock = systemClock, metrics = new RuntimeMetrics(), config = clientConfigOf(COMPONENT, flags.kubeconfig, flags.master);
  const client = createClient(config, { clock, onRequest: metrics.onRequest });
  const informers = new SharedInformers({ client, clock, log }), broadcaster = new EventBroadcaster({ client, clock, log });
  const context: ControllerContext = { client, clock, log, informers, metrics, recorder: (component) => broadcaster.recorder({ component }) };
  const deps: ComponentDeps = { component: COMPONENT, client, clock, log, metrics }, health = healthServer(deps, flags);
  const leading: Runnable = {
    name: "controllers",
    async run(signal) {
      await health?.listening; // Our identity is ours only while we hold the port.
      const identity = (): string => (flags["secure-port"] === 0 ? `${hostname()}_${randomUUID()}` : identityOfPort(flags["secure-port"]));
      await runAsLeader({ ...deps, events: broadcaster.recorder({ component: COMPONENT }) }, flags, identity, signal, (inner) => runControllers(flags, context, config, inner));
    },
  };
  return [
    ...(health === undefined ? [] : [health]),
    // Needs nobody, and those that follow may need what it renews. The files are this machine's, whoever leads.
    ...(flags["renew-certificates"] === undefined ? [] : [new MasterCertificates({ clock, log, addresses: () => realAddresses(networkInterfaces()) }, { directory: flags["renew-certificates"] })]),
    informers, broadcaster,
    // Routes are this machine's, whoever leads.
    ...(flags["configure-host-routes"] ? [new HostRoutes({ nodes: informers.get(nodes), clock, log })] : []),
    leading, announceReady(deps, health, readiness),
  ];
}

async function runControllers(flags: Flags, context: ControllerContext, config: ClientConfig, signal: AbortSignal): Promise<void> {
  const { log } = context, chosen = selectControllers(flags.controllers), defaults = { rootCa: rootCaOf(flags, config) };
  const accounts = flags["use-service-account-credentials"] ? new ServiceAccountClients({ ...context, ...(context.metrics === undefined ? {} : { onRequest: context.metrics.onRequest }) }, config) : undefined;
  try { await accounts?.prepare(chosen.flatMap((c) => c.account ?? []), signal); }
  catch (error) { if (isAbort(error, signal)) return; throw error; }
  const running: Runnable[] = [];
  for (const { name, account, build } of chosen) {
    const controller = build(accounts === undefined || account === undefined ? context : { ...context, client: accounts.clientFor(account) }, flags, defaults);
    if (controller === undefined) log.warn({ controller: name }, "controller is off: the flags it needs are missing");
    else running.push(controller);
  }
  log.info({ controllers: running.map((c) => c.name) }, "controllers start");
  await runAll([...(accounts === undefined ? [] : [accounts]), ...running], signal);
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
