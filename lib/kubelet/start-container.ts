/**
 * Starts one run of a container: image, environment, mounts, create, start, log link, postStart hook.
 * What goes wrong is a StartError with the reason the API shows. Counterpart: kubelet `kuberuntime_container.go` startContainer.
 */
import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Container, Pod, VolumeMount } from "../api/schema/generated/models.ts";
import type { CriInput } from "../cri/messages.ts";
import { CriCode, CriError, isCriCode } from "../cri/error.ts";
import { isAbort } from "../util/abort.ts";
import { containerConfig, containerLogPath, volumeMount } from "./container-config.ts";
import { buildEnvironment, ContainerConfigError } from "./environment.ts";
import { expand } from "./expand.ts";
import { hostNetworkHosts, podHosts } from "./hosts-file.ts";
import { StartError } from "./image-manager.ts";
import { runHook } from "./lifecycle-hook.ts";
import type { NodeContext } from "./node-context.ts";
import { findContainer, uidOf } from "./pod-facts.ts";
import type { PodRuntimeStatus } from "./runtime-status.ts";
import { containerLogLink, podHostname, podLogDirectory } from "./sandbox-config.ts";
import { checkRunAsNonRoot } from "./security-context.ts";
import { stopContainer } from "./stop-pod.ts";
import { isOfFiles, VolumeError } from "./volumes/volume-manager.ts";

/** How long a container whose start failed is left alone. */
const RETRY_MS = 10_000;

export interface StartRequest { readonly pod: Pod; readonly name: string; readonly attempt: number; readonly sandboxId: string; readonly sandbox: CriInput<"PodSandboxConfig">; readonly podIPs: readonly string[]; readonly runtime: PodRuntimeStatus }

async function etcHosts(node: NodeContext, pod: Pod, podIPs: readonly string[]): Promise<CriInput<"Mount">> {
  const file = path.join(node.volumes.podDirectory(uidOf(pod)), "etc-hosts"), aliases = pod.spec.hostAliases ?? [];
  const { hostname, fqdn } = podHostname(pod, node.settings.dns.clusterDomain);
  await writeFile(file, pod.spec.hostNetwork === true ? hostNetworkHosts(await readFile("/etc/hosts", "utf8").catch(() => ""), aliases) : podHosts(podIPs, hostname, fqdn, aliases), { mode: 0o644 });
  return { containerPath: "/etc/hosts", hostPath: file, readonly: false };
}

async function terminationLog(node: NodeContext, pod: Pod, container: Container): Promise<CriInput<"Mount">> {
  const directory = node.volumes.containerDirectory(uidOf(pod), container.name), file = path.join(directory, randomBytes(4).toString("hex"));
  await mkdir(directory, { recursive: true, mode: 0o755 });
  await writeFile(file, "");
  await chmod(file, 0o666); // Whoever the container runs as may write it.
  return { containerPath: container.terminationMessagePath ?? "/dev/termination-log", hostPath: file, readonly: false };
}

/** The subPath of a mount, "" for none. Throws ContainerConfigError with upstream's words. */
export function subPathOf({ subPath = "", subPathExpr = "" }: VolumeMount, environment: ReadonlyMap<string, string>): string {
  const missing = new Set<string>(), wanted = subPathExpr === "" ? subPath : expand(subPathExpr, environment, (name) => missing.add(name));
  if (missing.size > 0) throw new ContainerConfigError(`missing value for ${[...missing].toSorted().join(", ")}`);
  if (wanted.startsWith("/")) throw new ContainerConfigError(`error SubPath \`${wanted}\` must not be an absolute path`);
  if (wanted.split("/").includes("..")) throw new ContainerConfigError(`unable to provision SubPath \`${wanted}\`: must not contain '..'`);
  return wanted;
}

async function prepareMounts(node: NodeContext, request: StartRequest, container: Container, environment: ReadonlyMap<string, string>): Promise<CriInput<"Mount">[]> {
  const { pod, podIPs } = request, mounts: CriInput<"Mount">[] = [];
  const bound = await node.volumes.bindSubPaths(pod, container, (index) => subPathOf(container.volumeMounts![index]!, environment));
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const volume = pod.spec.volumes?.find((v) => v.name === mount.name);
    if (volume === undefined) throw new ContainerConfigError(`cannot find volume ${JSON.stringify(mount.name)} to mount into container ${JSON.stringify(container.name)}`);
    // What the kubelet writes is not for containers to change.
    mounts.push(volumeMount(mount, bound.get(index) ?? node.volumes.hostPathOf(pod, volume), isOfFiles(volume)));
  }
  const mountsAt = (target: string): boolean => mounts.some((mount) => mount.containerPath === target);
  if (!mountsAt("/etc/hosts")) mounts.push(await etcHosts(node, pod, podIPs));
  mounts.push(await terminationLog(node, pod, container));
  return mounts;
}

/** Starts the container; resolves when it runs and its postStart hook is done. Throws StartError. */
export async function startContainer(node: NodeContext, request: StartRequest, onRunning: () => void, signal: AbortSignal): Promise<void> {
  const { pod, name, attempt, sandboxId } = request, container = findContainer(pod, name)!;
  const image = await failAs(node, request, "ImageInspectError", () => node.images.ensure(pod, container, signal), signal);
  const config = await failAs(node, request, "CreateContainerConfigError", async () => {
    checkRunAsNonRoot(pod, container, { ...(image.uid === null ? {} : { uid: image.uid.value }), username: image.username });
    const environment = await buildEnvironment(pod, container, node.sources, node.downwardContext(request.podIPs));
    const mounts = await prepareMounts(node, request, container, environment);
    await mkdir(path.join(podLogDirectory(node.settings.logRoot, pod), name), { recursive: true, mode: 0o755 });
    const target = pod.spec.ephemeralContainers?.find((c) => c.name === name)?.targetContainerName;
    return containerConfig({
      pod, container, attempt, imageRef: image.id, environment, mounts, nodeName: node.settings.nodeName, memoryCapacityBytes: node.settings.memoryCapacityBytes,
      seccompRoot: node.settings.seccompRoot, targetId: target === undefined ? undefined : request.runtime.containers.find((run) => run.name === target && run.state === "running")?.id,
    });
  }, signal);
  const containerId = await failAs(node, request, "CreateContainerError", async () => (await node.cri.call("CreateContainer", { podSandboxId: sandboxId, config, sandboxConfig: request.sandbox })).containerId, signal);
  node.events.container(pod, name, "Normal", "Created", "Container created");
  await failAs(node, request, "RunContainerError", () => node.cri.call("StartContainer", { containerId }), signal);
  node.events.container(pod, name, "Normal", "Started", "Container started");
  if (container.lifecycle?.postStart !== undefined) onRunning(); // The hook may take long; else the caller looks again at once.
  await linkLog(node, pod, name, attempt, containerId);
  await postStart(node, request, container, containerId, signal);
}

async function postStart(node: NodeContext, request: StartRequest, container: Container, containerId: string, signal: AbortSignal): Promise<void> {
  const hook = container.lifecycle?.postStart, { pod, name } = request, podIP = request.podIPs[0] ?? "";
  if (hook === undefined) return;
  try { await runHook(node, hook, { containerId, container, podIP }, signal); }
  catch (error) {
    if (isAbort(error, signal)) throw error;
    node.events.container(pod, name, "Warning", "FailedPostStartHook", "PostStartHook failed");
    await stopContainer(node, pod, { id: containerId, name }, pod.spec.terminationGracePeriodSeconds ?? 30, "FailedPostStartHook", podIP, signal);
    throw new StartError("PostStartHookError", (error as Error).message, 0, { cause: error });
  }
}

/** Turns what `work` throws into a StartError with `reason`, and tells people. */
async function failAs<T>(node: NodeContext, { pod, name }: StartRequest, reason: string, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  try { return await work(); }
  catch (error) {
    if (isAbort(error, signal)) throw error;
    if (isCriCode(error, CriCode.UNAVAILABLE)) throw error; // The runtime is away, which says nothing of the container: tried again soon.
    if (error instanceof StartError) { node.events.container(pod, name, "Warning", "Failed", `Error: ${error.reason}`); throw error; }
    if (!(error instanceof ContainerConfigError || error instanceof VolumeError || error instanceof CriError || (error as NodeJS.ErrnoException).code !== undefined)) throw error;
    if (error instanceof VolumeError) node.log.warn({ pod: pod.metadata.name, container: name, error }, "cannot prepare volumes of container"); // Users are not told why.
    const message = error instanceof CriError ? error.details : (error as Error).message;
    node.events.container(pod, name, "Warning", "Failed", `Error: ${message}`);
    throw new StartError(reason, message, RETRY_MS, { cause: error });
  }
}

async function linkLog(node: NodeContext, pod: Pod, name: string, attempt: number, containerId: string): Promise<void> {
  const link = containerLogLink(node.settings.containerLogRoot, pod, name, containerId);
  try {
    await rm(link, { force: true });
    await symlink(path.join(podLogDirectory(node.settings.logRoot, pod), containerLogPath(name, attempt)), link);
  } catch (error) { node.log.warn({ pod: pod.metadata.name, container: name, error }, "cannot link container log"); }
}
