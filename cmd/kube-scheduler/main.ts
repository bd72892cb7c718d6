/** kube-scheduler: finds a node for each pod. Flags as upstream's. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { createClient } from "../../lib/client/http-client.ts";
import { CONNECTION_FLAGS, checkLeaderFlags, clientConfigOf, healthServer, leaderFlags, runAsLeader, servingFlags, type ComponentDeps } from "../../lib/runtime/component.ts";
import { EventBroadcaster } from "../../lib/runtime/event-recorder.ts";
import { RuntimeMetrics } from "../../lib/runtime/metrics.ts";
import { SharedInformers } from "../../lib/runtime/shared-informers.ts";
import { Scheduler } from "../../lib/scheduler/scheduler.ts";
import { shutdownSignal } from "../../lib/util/abort.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { DAEMON_FLAGS, parseDaemonFlags, runDaemon } from "../../lib/util/daemon.ts";
import { runAll, type Runnable } from "../../lib/util/runnable.ts";
import type { FlagValues } from "../../lib/util/flags.ts";
import type { Logger } from "../../lib/util/logger.ts";

const COMPONENT = "kube-scheduler";
const FLAGS = {
  ...CONNECTION_FLAGS,
  config: { type: "string", help: "a KubeSchedulerConfiguration; not read by this release, which runs the default profile" },
  ...servingFlags(10259),
  ...leaderFlags(COMPONENT),
  ...DAEMON_FLAGS,
} as const;
type Flags = FlagValues<typeof FLAGS>;

/** Runs until SIGTERM. Returns the exit code. */
export const main = (argv: readonly string[]): Promise<number> => runDaemon({ name: COMPONENT, flags: FLAGS, parse, run }, argv);

function parse(argv: readonly string[]): Flags {
  const flags = parseDaemonFlags(COMPONENT, argv, FLAGS);
  checkLeaderFlags(flags);
  return flags;
}

async function run(flags: Flags, log: Logger): Promise<void> {
  const signal = shutdownSignal();
  if (flags.config !== undefined) log.warn({ config: flags.config }, "--config is not read by this release, the default profile runs");
  await runAll(wire(flags, log), signal);
}

/** Everything the daemon runs, in the order it starts. */
function wire(flags: Flags, log: Logger): Runnable[] {
  const clock = systemClock, metrics = new RuntimeMetrics();
  const client = createClient(clientConfigOf(COMPONENT, flags.kubeconfig, flags.master), { clock, onRequest: metrics.onRequest });
  const informers = new SharedInformers({ client, clock, log }), broadcaster = new EventBroadcaster({ client, clock, log });
  const deps: ComponentDeps = { component: COMPONENT, client, clock, log, metrics }, health = healthServer(deps, flags);
  const scheduler = new Scheduler({ client, clock, log, informers, events: broadcaster.recorder({ component: "default-scheduler", api: "events.k8s.io" }), registry: metrics.registry });
  const leading: Runnable = {
    name: "scheduler",
    run: (signal) => runAsLeader({ ...deps, events: broadcaster.recorder({ component: "default-scheduler" }) }, flags, () => `${hostname()}_${randomUUID()}`, signal, (inner) => runAll([informers, scheduler], inner)),
  };
  return [...(health === undefined ? [] : [health]), broadcaster, leading];
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
