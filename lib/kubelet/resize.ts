/**
 * In-place resize: containers whose resources in the spec differ from what they were given. Pure.
 * Counterpart: kubelet `kuberuntime_manager.go` computePodResizeAction (KEP-1287).
 */
import type { Container, Pod, ResourceRequirements } from "../api/schema/generated/models.ts";
import { isSidecar } from "./pod-facts.ts";
import type { PodRuntimeStatus } from "./runtime-status.ts";

export interface ResizeStep { readonly id: string; readonly container: Container; /** The container's policy asks for a new run. */ readonly restart: boolean }

const COUNTED = ["cpu", "memory"];
const amount = (resources: ResourceRequirements | undefined, list: "requests" | "limits", name: string): string => resources?.[list]?.[name] ?? "";

export const sameResources = (a: ResourceRequirements | undefined, b: ResourceRequirements | undefined): boolean =>
  COUNTED.every((name) => amount(a, "requests", name) === amount(b, "requests", name) && amount(a, "limits", name) === amount(b, "limits", name));

/** What to resize; `given` tells by container id what each was started with or last resized to. */
export function planResize(pod: Pod, runtime: PodRuntimeStatus, given: ReadonlyMap<string, ResourceRequirements>): ResizeStep[] {
  const resizable = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)];
  return resizable.flatMap((container) => {
    const run = runtime.containers.find((one) => one.name === container.name), held = run === undefined ? undefined : given.get(run.id);
    if (run === undefined || run.state !== "running" || held === undefined || sameResources(held, container.resources)) return [];
    const changed = COUNTED.filter((name) => amount(held, "requests", name) !== amount(container.resources, "requests", name) || amount(held, "limits", name) !== amount(container.resources, "limits", name));
    return [{ id: run.id, container, restart: changed.some((name) => container.resizePolicy?.find((policy) => policy.resourceName === name)?.restartPolicy === "RestartContainer") }];
  });
}
