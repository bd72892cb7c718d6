/** Small builders for pods and for what the runtime says of them. */
import type { Container, Pod, PodSpec, PodStatus } from "../../../lib/api/schema/generated/models.ts";
import { containerHash } from "../../../lib/kubelet/labels.ts";
import type { PodRuntimeStatus, RuntimeContainer, RuntimeSandbox } from "../../../lib/kubelet/runtime-status.ts";

export const NOW_MS = Date.parse("2026-01-01T00:00:00Z");

export const makeContainer = (name = "main", over: Partial<Container> = {}): Container => ({ name, image: "img:1", ...over });

export function makePod(over: { spec?: Partial<PodSpec>; status?: PodStatus; metadata?: Partial<Pod["metadata"]> } = {}): Pod {
  return {
    metadata: { name: "web", namespace: "default", uid: "u1", ...over.metadata },
    spec: { containers: [makeContainer()], restartPolicy: "Always", terminationGracePeriodSeconds: 30, ...over.spec }, ...(over.status === undefined ? {} : { status: over.status }),
  };
}

export const makeSandbox = (over: Partial<RuntimeSandbox> = {}): RuntimeSandbox => ({ id: "s0", attempt: 0, ready: true, createdAtMs: NOW_MS - 60_000, ips: ["10.0.0.2"], hostNetwork: false, ...over });

export function makeRun(name = "main", over: Partial<RuntimeContainer> = {}): RuntimeContainer {
  const attempt = over.attempt ?? 0, state = over.state ?? "running";
  return {
    id: `${name}-${attempt}`, sandboxId: "s0", name, attempt, state, createdAtMs: NOW_MS - 50_000 + attempt, startedAtMs: state === "created" ? 0 : NOW_MS - 50_000, finishedAtMs: state === "exited" ? NOW_MS - 1_000 : 0,
    exitCode: 0, reason: "", message: "", image: "img:1", imageId: "sha256:1", hash: containerHash({ name, image: "img:1" }), logPath: "", ...over,
  };
}
export const exited = (name: string, exitCode: number, over: Partial<RuntimeContainer> = {}): RuntimeContainer => makeRun(name, { state: "exited", exitCode, ...over });

export const makeRuntime = (containers: RuntimeContainer[] = [], sandboxes: RuntimeSandbox[] = [makeSandbox()]): PodRuntimeStatus => ({ uid: "u1", name: "web", namespace: "default", sandboxes, containers });
