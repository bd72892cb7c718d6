/** kube-scheduler: finds a node for each pod. Flags as upstream's. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { inClusterConfig, loadKubeconfig } from "../../lib/client/kubeconfig.ts";
import { createClient } from "../../lib/client/http-client.ts";
import { delegatedAuth } from "../../lib/runtime/delegated-auth.ts";
import { EventBroadcaster } from "../../lib/runtime/event-recorder.ts";
import { HealthServer } from "../../lib/runtime/health-server.ts";
import { LeaderElector, SMALL_LEADER_ELECTION, UPSTREAM_LEADER_ELECTION } from "../../lib/runtime/leader-election.ts";
import { RuntimeMetrics } from "../../lib/runtime/metrics.ts";
import { SharedInformers } from "../../lib/runtime/shared-informers.ts";
import { Scheduler } from "../../lib/scheduler/scheduler.ts";
import { shutdownSignal } from "../../lib/util/abort.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { FlagError, flagsHelp, parseFlags, type FlagValues } from "../../lib/util/flags.ts";
import { LOG_LEVELS, createLogger, type LogLevel, type Logger } from "../../lib/util/logger.ts";
import { runAll, type Runnable } from "../../lib/util/runnable.ts";

const FLAGS = {
  kubeconfig: { type: "string", help: "kubeconfig with the address and credentials of the API server" },
  master: { type: "string", help: "address of the API server; overrides the kubeconfig's" },
  config: { type: "string", help: "a KubeSchedulerConfiguration; not read by this release, which runs the default profile" },
  "bind-address": { type: "string", default: "0.0.0.0", help: "address to serve health and metrics on" },
  "secure-port": { type: "int", default: 10259, help: "port to serve HTTPS on; 0 serves none" },
  "tls-cert-file": { type: "string", help: "certificate of the HTTPS port; without it, a self-signed one is made" },
  "tls-private-key-file": { type: "string", help: "key of --tls-cert-file" },
  "client-ca-file": { type: "string", help: "authorities whose client certificates are accepted on the HTTPS port" },
  "authentication-kubeconfig": { type: "string", help: "kubeconfig to check tokens with; --kubeconfig when absent" },
  "authorization-kubeconfig": { type: "string", help: "kubeconfig to ask for permissions with; --kubeconfig when absent" },
  "authorization-always-allow-paths": { type: "list", default: ["/healthz", "/readyz", "/livez"], help: "paths anybody may read" },
  "leader-elect": { type: "bool", default: true, help: "schedule only while holding the lease" },
  "leader-elect-lease-duration": { type: "duration", help: "how long a leader that is silent is left alone" },
  "leader-elect-renew-deadline": { type: "duration", help: "how long a leader tries to renew before it gives up" },
  "leader-elect-retry-period": { type: "duration", help: "time between tries" },
  "leader-elect-resource-lock": { type: "string", default: "leases", help: "only leases" },
  "leader-elect-resource-name": { type: "string", default: "kube-scheduler", help: "name of the lease" },
  "leader-elect-resource-namespace": { type: "string", default: "kube-system", help: "namespace of the lease" },
  profile: { type: "string", default: "small", help: "small or upstream: defaults of the leader election (ours alone)" },
  "log-level": { type: "string", default: "info", help: `one of ${LOG_LEVELS.join(", ")} (ours alone)` },
  v: { type: "int", help: "log verbosity; 4 and more means --log-level=debug" },
  help: { type: "bool", help: "this text" },
} as const;
type Flags = FlagValues<typeof FLAGS>;

/** Runs until SIGTERM. Returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let flags: Flags;
  try {
    flags = parse(argv);
    if (flags.help) { process.stdout.write(flagsHelp("kube-scheduler [flags]", FLAGS)); return 0; }
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    process.stderr.write(`Error: ${error.message}\n`);
    return 1;
  }
  const log = createLogger("kube-scheduler", logLevel(flags)), signal = shutdownSignal();
  try {
    if (flags.config !== undefined) log.warn({ config: flags.config }, "--config is not read by this release, the default profile runs");
    await runAll(wire(flags, log), signal);
    return 0;
  } catch (error) {
    log.error({ error }, "exiting");
    return 1;
  }
}

function parse(argv: readonly string[]): Flags {
  const { flags, args } = parseFlags(argv, FLAGS);
  if (args.length > 0) throw new FlagError(`unknown command ${JSON.stringify(args[0])} for "kube-scheduler"`);
  if (flags["leader-elect-resource-lock"] !== "leases") throw new FlagError(`invalid --leader-elect-resource-lock ${JSON.stringify(flags["leader-elect-resource-lock"])}: only "leases" is supported`);
  if (flags.profile !== "small" && flags.profile !== "upstream") throw new FlagError(`invalid --profile ${JSON.stringify(flags.profile)}: must be small or upstream`);
  if (!(LOG_LEVELS as readonly string[]).includes(flags["log-level"])) throw new FlagError(`invalid --log-level ${JSON.stringify(flags["log-level"])}: must be one of ${LOG_LEVELS.join(", ")}`);
  return flags;
}

const logLevel = (flags: Flags): LogLevel => ((flags.v ?? 0) >= 4 ? "debug" : flags["log-level"] as LogLevel);

/** Everything the daemon runs, in the order it starts. */
function wire(flags: Flags, log: Logger): Runnable[] {
  const clock = systemClock, metrics = new RuntimeMetrics(), component = "kube-scheduler";
  const configOf = (file: string | undefined): ReturnType<typeof loadKubeconfig> => {
    const config = file === undefined ? inClusterConfig(component) : loadKubeconfig(file, { component });
    if (config === undefined) throw new Error("Cannot find the API server: give --kubeconfig (this is not a pod)");
    return { ...config, ...(flags.master === undefined ? {} : { server: flags.master }) };
  };
  const client = createClient(configOf(flags.kubeconfig), { clock, onRequest: metrics.onRequest });
  const reviewer = flags["authorization-kubeconfig"] ?? flags["authentication-kubeconfig"];
  const reviews = reviewer === undefined ? client : createClient(configOf(reviewer), { clock });
  const informers = new SharedInformers({ client, clock, log });
  const broadcaster = new EventBroadcaster({ client, clock, log });
  const scheduler = new Scheduler({ client, clock, log, informers, events: broadcaster.recorder({ component: "default-scheduler", api: "events.k8s.io" }), registry: metrics.registry });

  const work = (signal: AbortSignal): Promise<void> => runAll([informers, scheduler], signal);
  const times = flags.profile === "upstream" ? UPSTREAM_LEADER_ELECTION : SMALL_LEADER_ELECTION;
  const elector = new LeaderElector({ client, clock, log, metrics, events: broadcaster.recorder({ component: "default-scheduler" }) }, {
    namespace: flags["leader-elect-resource-namespace"], name: flags["leader-elect-resource-name"], identity: `${hostname()}_${randomUUID()}`,
    leaseDurationMs: flags["leader-elect-lease-duration"] ?? times.leaseDurationMs, renewDeadlineMs: flags["leader-elect-renew-deadline"] ?? times.renewDeadlineMs, retryPeriodMs: flags["leader-elect-retry-period"] ?? times.retryPeriodMs,
  });
  const leading: Runnable = { name: "scheduler", run: (signal) => (flags["leader-elect"] ? elector.run(signal, work) : work(signal)) };
  return [...serve(flags, log, metrics, delegatedAuth({ client: reviews, clock }, { clientCaFile: flags["client-ca-file"] })), broadcaster, leading];
}

function serve(flags: Flags, log: Logger, metrics: RuntimeMetrics, authorize: ReturnType<typeof delegatedAuth>): Runnable[] {
  if (flags["secure-port"] === 0) return [];
  const open = new Set(flags["authorization-always-allow-paths"]);
  return [new HealthServer({ clock: systemClock, log }, {
    address: flags["bind-address"], port: flags["secure-port"], registry: metrics.registry,
    tls: { certificateFile: flags["tls-cert-file"], keyFile: flags["tls-private-key-file"] },
    authorize: (request, path) => (open.has(path) ? Promise.resolve("allowed") : authorize(request, path)),
  })];
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
