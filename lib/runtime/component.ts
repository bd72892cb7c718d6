/**
 * What kube-scheduler and kube-controller-manager have in common: the way to the API server, the HTTPS port for health and metrics,
 * leader election; and their flags. Counterpart: component-base `config/options` and apiserver `server/options`.
 */
import { inClusterConfig, loadKubeconfig } from "../client/kubeconfig.ts";
import { createClient } from "../client/http-client.ts";
import { FlagError, type FlagValues } from "../util/flags.ts";
import type { Runnable } from "../util/runnable.ts";
import { readyOnce, type Readiness } from "../util/service-notifier.ts";
import { delegatedAuth } from "./delegated-auth.ts";
import { HealthServer } from "./health-server.ts";
import { LeaderElector, SMALL_LEADER_ELECTION, UPSTREAM_LEADER_ELECTION } from "./leader-election.ts";
import type { Client } from "../client/client.ts";
import type { ClientConfig } from "../client/client-config.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import type { EventSink } from "./event-recorder.ts";
import type { RuntimeMetrics } from "./metrics.ts";

export const CONNECTION_FLAGS = {
  kubeconfig: { type: "string", help: "kubeconfig with the address and credentials of the API server" },
  master: { type: "string", help: "address of the API server; overrides the kubeconfig's" },
} as const;

export const servingFlags = (port: number) => ({
  "bind-address": { type: "string", default: "0.0.0.0", help: "address to serve health and metrics on" },
  "secure-port": { type: "int", default: port, help: "port to serve HTTPS on; 0 serves none" },
  "tls-cert-file": { type: "string", help: "certificate of the HTTPS port; without it, a self-signed one is made" },
  "tls-private-key-file": { type: "string", help: "key of --tls-cert-file" },
  "client-ca-file": { type: "string", help: "authorities whose client certificates are accepted on the HTTPS port" },
  "authentication-kubeconfig": { type: "string", help: "kubeconfig to check tokens with; --kubeconfig when absent" },
  "authorization-kubeconfig": { type: "string", help: "kubeconfig to ask for permissions with; --kubeconfig when absent" },
  "authorization-always-allow-paths": { type: "list", default: ["/healthz", "/readyz", "/livez"], help: "paths anybody may read" },
} as const);

export const leaderFlags = (name: string) => ({
  "leader-elect": { type: "bool", default: true, help: "work only while holding the lease" },
  "leader-elect-lease-duration": { type: "duration", help: "how long a leader that is silent is left alone (profile: 8s, upstream 15s)" },
  "leader-elect-renew-deadline": { type: "duration", help: "how long a leader tries to renew before it gives up (profile: 5s, upstream 10s)" },
  "leader-elect-retry-period": { type: "duration", help: "time between tries (profile: 1s, upstream 2s)" },
  "leader-elect-resource-lock": { type: "string", default: "leases", help: "only leases" },
  "leader-elect-resource-name": { type: "string", default: name, help: "name of the lease" },
  "leader-elect-resource-namespace": { type: "string", default: "kube-system", help: "namespace of the lease" },
  profile: { type: "string", default: "small", help: "small or upstream: defaults of leader election and node failure (ours alone)" },
} as const);

export type ConnectionFlags = FlagValues<typeof CONNECTION_FLAGS>;
export type ServingFlags = FlagValues<ReturnType<typeof servingFlags>>;
export type LeaderFlags = FlagValues<ReturnType<typeof leaderFlags>>;

/** Throws FlagError. */
export function checkLeaderFlags(flags: LeaderFlags): void {
  if (flags["leader-elect-resource-lock"] !== "leases") throw new FlagError(`invalid --leader-elect-resource-lock ${JSON.stringify(flags["leader-elect-resource-lock"])}: only "leases" is supported`);
  if (flags.profile !== "small" && flags.profile !== "upstream") throw new FlagError(`invalid --profile ${JSON.stringify(flags.profile)}: must be small or upstream`);
}

/** Where the API server is and who we are there: a kubeconfig, or a pod's own account. Throws when there is neither. */
export function clientConfigOf(component: string, file: string | undefined, master: string | undefined): ClientConfig {
  const config = file === undefined ? inClusterConfig(component) : loadKubeconfig(file, { component });
  if (config === undefined) throw new Error("Cannot find the API server: give --kubeconfig (this is not a pod)");
  return { ...config, ...(master === undefined ? {} : { server: master }) };
}

export interface ComponentDeps { readonly component: string; readonly client: Client; readonly clock: Clock; readonly log: Logger; readonly metrics: RuntimeMetrics }

/** The HTTPS port; undefined when the flags want none. */
export function healthServer({ component, client, clock, log, metrics }: ComponentDeps, flags: ServingFlags & ConnectionFlags): HealthServer | undefined {
  if (flags["secure-port"] === 0) return undefined;
  const reviewer = flags["authorization-kubeconfig"] ?? flags["authentication-kubeconfig"], open = new Set(flags["authorization-always-allow-paths"]);
  const authorize = delegatedAuth({ client: reviewer === undefined ? client : createClient(clientConfigOf(component, reviewer, flags.master), { clock }), clock }, { clientCaFile: flags["client-ca-file"] });
  return new HealthServer({ clock, log }, {
    address: flags["bind-address"], port: flags["secure-port"], registry: metrics.registry,
    tls: { certificateFile: flags["tls-cert-file"], keyFile: flags["tls-private-key-file"] },
    authorize: (request, path) => (open.has(path) ? Promise.resolve("allowed") : authorize(request, path)),
  });
}

/** Says that the component does its work once it serves its own port and the API server answers; leading or standing by is the same. */
export const announceReady = ({ client, clock }: ComponentDeps, health: HealthServer | undefined, readiness: Readiness): Runnable => readyOnce(async () => {
  await health?.listening;
  const { status } = await client.raw("GET", "/readyz");
  if (status !== 200) throw new Error(`Cannot be ready: the API server says ${status}`);
}, readiness, clock);

/** Runs `work`, while holding the lease if the flags want that. `identity` is asked for only then. */
export async function runAsLeader(deps: ComponentDeps & { readonly events: EventSink }, flags: LeaderFlags, identity: () => string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  if (!flags["leader-elect"]) return work(signal);
  const times = flags.profile === "upstream" ? UPSTREAM_LEADER_ELECTION : SMALL_LEADER_ELECTION;
  await new LeaderElector(deps, {
    namespace: flags["leader-elect-resource-namespace"], name: flags["leader-elect-resource-name"], identity: identity(),
    leaseDurationMs: flags["leader-elect-lease-duration"] ?? times.leaseDurationMs, renewDeadlineMs: flags["leader-elect-renew-deadline"] ?? times.renewDeadlineMs, retryPeriodMs: flags["leader-elect-retry-period"] ?? times.retryPeriodMs,
  }).run(signal, work);
}
