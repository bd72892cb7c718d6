/**
 * KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1): the way to the API server, leader election, and the name pods choose this
 * scheduler by. What would place pods otherwise than here is refused by name; what only tunes is named as unused.
 * Counterpart: scheduler `apis/config/v1`.
 */
import type { ConfigDocument, ConfigSection } from "../util/config-file.ts";
import type { ConfigKind } from "../util/config-flags.ts";

export const SCHEDULER_CONFIGURATION: ConfigKind = { apiVersion: "kubescheduler.config.k8s.io/v1", kind: "KubeSchedulerConfiguration" };

export interface SchedulerConfiguration {
  readonly kubeconfig: string | undefined;
  readonly schedulerName: string | undefined;
  /** What the file says of leader election; the flags fill the rest. */
  readonly leaderElection: {
    readonly leaderElect: boolean | undefined; readonly leaseDurationMs: number | undefined; readonly renewDeadlineMs: number | undefined; readonly retryPeriodMs: number | undefined;
    readonly resourceName: string | undefined; readonly resourceNamespace: string | undefined;
  };
}

const WARNED = ["parallelism", "percentageOfNodesToScore", "podInitialBackoffSeconds", "podMaxBackoffSeconds", "enableProfiling", "enableContentionProfiling", "delayCacheUntilActive"];
const CLIENT_WARNED = ["acceptContentTypes", "contentType", "qps", "burst"];

function nameOfProfile(document: ConfigDocument, profiles: readonly unknown[]): string | undefined {
  if (profiles.length > 1) throw document.error(["profiles", 1], "a second profile is not supported by this release; expected one");
  const [profile] = profiles;
  if (profile === undefined) return undefined;
  const fields = typeof profile === "object" && profile !== null ? Object.entries(profile) : [];
  for (const [name, value] of fields) {
    if (name !== "schedulerName") throw document.error(["profiles", 0, name], `field "profiles[0].${name}" is not supported by this release, which runs the default plugins`);
    if (typeof value !== "string" || value === "") throw document.wrong(["profiles", 0, name], "a name", value);
  }
  return (profile as { schedulerName?: string }).schedulerName;
}

function leaderElection(section: ConfigSection): SchedulerConfiguration["leaderElection"] {
  section.choice("resourceLock", ["leases"], "leases");
  return {
    leaderElect: section.get("leaderElect", "boolean"), leaseDurationMs: section.durationMs("leaseDuration", undefined), renewDeadlineMs: section.durationMs("renewDeadline", undefined),
    retryPeriodMs: section.durationMs("retryPeriod", undefined), resourceName: section.get("resourceName", "string"), resourceNamespace: section.get("resourceNamespace", "string"),
  };
}

/** Reads a document. Throws ConfigError, which names line and field. */
export function readSchedulerConfiguration(document: ConfigDocument): { configuration: SchedulerConfiguration; unused: string[] } {
  const top = document.section(), client = top.section("clientConnection");
  for (const field of ["kind", "apiVersion"] as const) if (top.get(field, "string") !== SCHEDULER_CONFIGURATION[field]) throw top.fail(field, SCHEDULER_CONFIGURATION[field]);
  const configuration: SchedulerConfiguration = {
    kubeconfig: client.get("kubeconfig", "string"), schedulerName: nameOfProfile(document, top.get("profiles", "list", [])), leaderElection: leaderElection(top.section("leaderElection")),
  };
  if (top.get("extenders", "list", []).length > 0) throw document.error(["extenders"], 'field "extenders" is not supported by this release: pods would be placed without what they say');
  return { configuration, unused: [...client.finish(CLIENT_WARNED), ...top.finish(WARNED)] };
}
