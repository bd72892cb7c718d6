/**
 * PodSecurity: namespaces say by label how much their pods may dare. `enforce` refuses pods, `warn` tells the author,
 * for workloads too. Counterpart: pod-security-admission. Differs: every version label is read as the newest standards,
 * and `audit` has no effect while there is no audit log.
 */
import type { ResourceDefinition } from "../../../api/resource-definition.ts";
import { namespaces } from "../../../api/schema/generated/references.ts";
import type { CronJob, Pod, PodTemplateSpec } from "../../../api/schema/generated/models.ts";
import type { AdmissionAttributes, AdmissionOperation, AdmissionPlugin, CacheReader } from "../../contracts.ts";
import { admissionForbidden } from "../admission-error.ts";
import { appArmorAnnotations, BASELINE_CHECKS, capabilitiesBaseline, seccompBaseline } from "./baseline.ts";
import type { Violation } from "./containers.ts";
import { RESTRICTED_CHECKS } from "./restricted.ts";

export type SecurityLevel = "privileged" | "baseline" | "restricted";
const LABEL = "pod-security.kubernetes.io/";
const WORKLOADS = new Set(["deployments.apps", "daemonsets.apps", "statefulsets.apps", "replicasets.apps", "jobs.batch", "cronjobs.batch", "replicationcontrollers.", "podtemplates."]);

/** Everything of a pod that `level` forbids, in upstream's order. Pure. */
export function podViolations(pod: Pick<PodTemplateSpec, "metadata" | "spec">, level: SecurityLevel): Violation[] {
  const spec = pod.spec;
  if (level === "privileged" || spec === undefined) return [];
  const annotated = appArmorAnnotations(pod.metadata?.annotations);
  const [first, ...others] = BASELINE_CHECKS;
  const baseline = [annotated ?? first!(spec), ...(level === "baseline" ? [capabilitiesBaseline(spec)] : []), ...others.map((check) => check(spec)), ...(level === "baseline" ? [seccompBaseline(spec)] : [])];
  return [...baseline, ...(level === "restricted" ? RESTRICTED_CHECKS.map((check) => check(spec)) : [])].filter((violation) => violation !== undefined);
}

export const violationsText = (violations: readonly Violation[]): string => violations.map(({ reason, detail }) => `${reason} (${detail})`).join(", ");

/** The level a namespace names; a word that is none counts as the strictest, as upstream. */
function levelOf(labels: Readonly<Record<string, string>> | undefined, mode: "enforce" | "warn"): { level: SecurityLevel; version: string } {
  const text = labels?.[`${LABEL}${mode}`] ?? "privileged", version = labels?.[`${LABEL}${mode}-version`] ?? "latest";
  return { level: text === "privileged" || text === "baseline" ? text : "restricted", version };
}

export class PodSecurity implements AdmissionPlugin {
  readonly name = "PodSecurity";
  readonly #cache: CacheReader;
  constructor(cache: CacheReader) { this.#cache = cache; }

  handles(operation: AdmissionOperation, definition: ResourceDefinition, subresource: string): boolean {
    const resource = `${definition.plural}.${definition.group}`;
    // Nothing an ordinary update of a pod may change is looked at here.
    if (resource === "pods.") return (operation === "CREATE" && subresource === "") || (operation === "UPDATE" && subresource === "ephemeralcontainers");
    return WORKLOADS.has(resource) && subresource === "" && (operation === "CREATE" || operation === "UPDATE");
  }

  validate(attributes: AdmissionAttributes): void {
    const labels = this.#cache.get(namespaces, "", attributes.namespace)?.metadata.labels, isPod = attributes.definition.plural === "pods";
    const warn = levelOf(labels, "warn"), enforce = levelOf(labels, "enforce");
    if (warn.level === "privileged" && (enforce.level === "privileged" || !isPod)) return;
    const pod = templateOf(attributes);
    if (pod === undefined) return;
    if (isPod) {
      const violations = podViolations(pod, enforce.level);
      if (violations.length > 0) throw admissionForbidden(attributes, `violates PodSecurity ${JSON.stringify(`${enforce.level}:${enforce.version}`)}: ${violationsText(violations)}`);
    }
    const doubtful = podViolations(pod, warn.level);
    if (doubtful.length > 0) attributes.addWarning(`would violate PodSecurity ${JSON.stringify(`${warn.level}:${warn.version}`)}: ${violationsText(doubtful)}`);
  }
}

function templateOf(attributes: AdmissionAttributes): Pick<PodTemplateSpec, "metadata" | "spec"> | undefined {
  switch (attributes.definition.plural) {
    case "pods": return attributes.object as Pod;
    case "cronjobs": return (attributes.object as CronJob).spec?.jobTemplate?.spec?.template;
    case "podtemplates": return (attributes.object as { template?: PodTemplateSpec }).template;
    default: return (attributes.object as { spec?: { template?: PodTemplateSpec } }).spec?.template;
  }
}
