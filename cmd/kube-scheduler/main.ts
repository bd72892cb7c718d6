/** kube-scheduler: finds a node for each pod. Flags as upstream's. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { createClient } from "../../lib/client/http-client.ts";
import { CONNECTION_FLAGS, checkLeaderFlags, clientConfigOf, announceReady, healthServer, leaderFlags, runAsLeader, servingFlags, type ComponentDeps } from "../../lib/runtime/component.ts";
import { EventBroadcaster } from "../../lib/runtime/event-recorder.ts";
import { RuntimeMetrics } from "../../lib/runtime/metrics.ts";
import { SharedInformers } from "../../lib/runtime/shared-informers.ts";
import { DEFAULT_PROFILE } from "../../lib/scheduler/framework/profile.ts";
import { readSchedulerConfiguration, SCHEDULER_CONFIGURATION } from "../../lib/scheduler/scheduler-configuration.ts";
import { Scheduler } from "../../lib/scheduler/scheduler.ts";
import { shutdownSignal } from "../../lib/util/abort.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { readConfigKind } from "../../lib/util/config-flags.ts";
import { DAEMON_FLAGS, parseDaemonFlags, runDaemon } from "../../lib/util/daemon.ts";
import { runAll, type Runnable } from "../../lib/util/runnable.ts";
import type { FlagValues } from "../../lib/util/flags.ts";
import type { Logger } from "../../lib/util/logger.ts";
import type { Readiness } from "../../lib/util/service-notifier.ts";

const COMPONENT = "kube-scheduler";
const FLAGS = {
  ...CONNECTION_FLAGS,
  config: { type: "string", help: "a file with a KubeSchedulerConfiguration, flags by their names, or both as two documents; a flag wins" },
  ...servingFlags(10259),
  ...leaderFlags(COMPONENT),
  ...DAEMON_FLAGS,
} as const;
type Flags = FlagValues<typeof FLAGS>;

interface Start { readonly flags: Flags; readonly schedulerName: string | undefined; readonly unused: readonly string[] }

/** Runs until SIGTERM. Returns the exit code. */
export const main = (argv: readonly string[]): Promise<number> => runDaemon({ name: COMPONENT, flags: FLAGS, configKind: SCHEDULER_CONFIGURATION, parse, run }, argv);

/** Flags and what the configuration file says where they are silent. Throws FlagError and ConfigError. */
function parse(argv: readonly string[]): Start {
  const flags = parseDaemonFlags(COMPONENT, argv, FLAGS), document = flags.config === undefined ? undefined : readConfigKind(flags.config, SCHEDULER_CONFIGURATION);
  checkLeaderFlags(flags);
  if (document === undefined) return { flags, schedulerName: undefined, unused: [] };
  const { configuration, unused } = readSchedulerConfiguration(document), { leaderElection } = configuration, given = (name: string): boolean => argv.some((argument) => argument.split("=")[0] === `--${name}`);
  const over = <T>(name: keyof typeof FLAGS, fromFile: T | undefined, fromFlag: T): T => (fromFile === undefined || given(name) ? fromFlag : fromFile);
  return {
    schedulerName: configuration.schedulerName, unused,
    flags: {
      ...flags, kubeconfig: flags.kubeconfig ?? configuration.kubeconfig,
      "leader-elect": over("leader-elect", leaderElection.leaderElect, flags["leader-elect"]),
      "leader-elect-lease-duration": flags["leader-elect-lease-duration"] ?? leaderElection.leaseDurationMs, "leader-elect-renew-deadline": flags["leader-elect-renew-deadline"] ?? leaderElection.renewDeadlineMs,
      "leader-elect-retry-period": flags["leader-elect-retry-period"] ?? leaderElection.retryPeriodMs,
      "leader-elect-resource-name": over("leader-elect-resource-name", leaderElection.resourceName, flags["leader-elect-resource-name"]),
      "leader-elect-resource-namespace": over("leader-elect-resource-namespace", leaderElection.resourceNamespace, flags["leader-elect-resource-namespace"]),
    },
  };
}

async function run({ flags, schedulerName, unused }: Start, log: Logger, readiness: Readiness): Promise<void> {
  const signal = shutdownSignal();
  if (unused.length > 0) log.warn({ fields: unused }, "these fields of the configuration do nothing in this release");
  await runAll(wire(flags, schedulerName, log, readiness), signal);
}

/** Everything the daemon runs, in the order it starts. */
function wire(flags: Flags, schedulerName: string | undefined, log: Logger, readiness: Readiness): Runnable[] {
  const clock = systemClock, metrics = new RuntimeMetrics();
  const client = createClient(clientConfigOf(COMPONENT, flags.kubeconfig, flags.master), { clock, onRequest: metrics.onRequest });
  const informers = new SharedInformers({ client, clock, log }), broadcaster = new EventBroadcaster({ client, clock, log });
  const deps: ComponentDeps = { component: COMPONENT, client, clock, log, metrics }, health = healthServer(deps, flags);
  const profile = { ...DEFAULT_PROFILE, name: schedulerName ?? DEFAULT_PROFILE.name };
  const scheduler = new Scheduler({ client, clock, log, informers, events: broadcaster.recorder({ component: profile.name, api: "events.k8s.io" }), registry: metrics.registry }, { profile });
  const leading: Runnable = {
    name: "scheduler",
    run: (signal) => runAsLeader({ ...deps, events: broadcaster.recorder({ component: profile.name }) }, flags, () => `${hostname()}_${randomUUID()}`, signal, (inner) => runAll([informers, scheduler], inner)),
  };
  return [...(health === undefined ? [] : [health]), broadcaster, leading, announceReady(deps, health, readiness)];
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
