/** Creates a pod's sandbox, with its control group and log directory before it. Counterpart: kubelet `kuberuntime_sandbox.go` createPodSandbox. */
import { mkdir } from "node:fs/promises";
import type { Pod } from "../api/schema/generated/models.ts";
import type { CriInput } from "../cri/messages.ts";
import { cgroupParent } from "../host/cgroup-name.ts";
import { podCgroup, podCgroupResources } from "./container-resources.ts";
import type { NodeContext } from "./node-context.ts";
import { podLogDirectory, sandboxConfig } from "./sandbox-config.ts";

/** The sandbox's configuration, which creating its containers needs again. */
export function sandboxConfigOf(node: NodeContext, pod: Pod, attempt: number): CriInput<"PodSandboxConfig"> {
  const { settings, cgroups } = node;
  return sandboxConfig(pod, attempt, { nodeName: settings.nodeName, dns: settings.dns, logRoot: settings.logRoot, cgroupParent: cgroupParent(podCgroup(settings.cgroupRoot, pod), cgroups.driver) });
}

/** Resolves when the sandbox runs and has its network. Tells people when it cannot be made, and throws. */
export async function createSandbox(node: NodeContext, pod: Pod, attempt: number): Promise<string> {
  try {
    const runtimeClass = pod.spec.runtimeClassName, [runtimeHandler] = await Promise.all([
      runtimeClass === undefined || runtimeClass === "" ? "" : node.runtimeHandler(runtimeClass),
      node.cgroups.ensure(podCgroup(node.settings.cgroupRoot, pod), podCgroupResources(pod)),
      mkdir(podLogDirectory(node.settings.logRoot, pod), { recursive: true, mode: 0o755 }),
      mkdir(node.volumes.podDirectory(pod.metadata.uid ?? ""), { recursive: true, mode: 0o750 }),
    ]);
    const { podSandboxId } = await node.cri.call("RunPodSandbox", { config: sandboxConfigOf(node, pod, attempt), runtimeHandler });
    return podSandboxId;
  } catch (error) {
    node.events.pod(pod, "Warning", "FailedCreatePodSandBox", `Failed to create pod sandbox: ${(error as Error).message}`);
    throw error;
  }
}
