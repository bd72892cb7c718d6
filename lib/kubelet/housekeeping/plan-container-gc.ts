/** Which dead containers and sandboxes to remove. Pure. Counterpart: kubelet `kuberuntime_gc.go`. */
import type { CriMessage } from "../../cri/messages.ts";
import { LABEL } from "../labels.ts";

/** Ended runs kept of each container, for `logs --previous` and the last state. */
export const ENDED_RUNS_KEPT = 1;

/** Of this node's pods in `live` only; pods nobody knows are swept whole elsewhere. */
export function planContainerGc(containers: readonly CriMessage<"Container">[], sandboxes: readonly CriMessage<"PodSandbox">[], live: ReadonlySet<string>, nodeName: string): { containers: string[]; sandboxes: string[] } {
  const ours = (labels: Record<string, string>): boolean => labels[LABEL.node] === nodeName && live.has(labels[LABEL.podUid] ?? "");
  const runs = new Map<string, CriMessage<"Container">[]>();
  for (const container of containers) {
    if (container.state !== "CONTAINER_EXITED" || !ours(container.labels)) continue;
    const key = `${container.labels[LABEL.podUid]} ${container.labels[LABEL.containerName]}`;
    runs.set(key, [...(runs.get(key) ?? []), container]);
  }
  const surplus = new Set([...runs.values()].flatMap((list) => list.sort((a, b) => b.createdAt - a.createdAt).slice(ENDED_RUNS_KEPT)).map((container) => container.id));
  const occupied = new Set(containers.filter((container) => !surplus.has(container.id)).map((container) => container.podSandboxId)), newest = new Map<string, number>();
  for (const { labels, createdAt } of sandboxes) { const uid = labels[LABEL.podUid] ?? ""; newest.set(uid, Math.max(newest.get(uid) ?? 0, createdAt)); }
  const dead = sandboxes.filter((sandbox) => sandbox.state === "SANDBOX_NOTREADY" && ours(sandbox.labels) && !occupied.has(sandbox.id) && sandbox.createdAt < newest.get(sandbox.labels[LABEL.podUid] ?? "")!);
  return { containers: [...surplus], sandboxes: dead.map((sandbox) => sandbox.id) };
}
