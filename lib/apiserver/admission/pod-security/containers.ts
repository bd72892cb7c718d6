/** Small words of the pod security checks: every container of a pod, and upstream's way to list names. Pure. */
import type { Container, EphemeralContainer, PodSpec } from "../../../api/schema/generated/models.ts";

export type AnyContainer = Container | EphemeralContainer;
export const allContainers = (spec: PodSpec): AnyContainer[] => [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])];

export const quoted = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(", ");
export const sortedUnique = (values: readonly string[]): string[] => [...new Set(values)].sort();
/** `container "a"`, `containers "a", "b"`. */
export const containersText = (containers: readonly AnyContainer[]): string => `${containers.length === 1 ? "container" : "containers"} ${quoted(containers.map((container) => container.name))}`;

/** What a pod does that its level forbids. */
export interface Violation { readonly reason: string; readonly detail: string }
/** A check: nothing when the pod is fine. */
export type Check = (spec: PodSpec) => Violation | undefined;

/** For checks that look at each container alone. */
export function perContainer(reason: string, isBad: (container: AnyContainer) => boolean, detail: (containers: string, bad: readonly AnyContainer[]) => string): Check {
  return (spec) => {
    const bad = allContainers(spec).filter(isBad);
    return bad.length === 0 ? undefined : { reason, detail: detail(containersText(bad), bad) };
  };
}
