/**
 * The calls of CRI: path, request, response, deadline.
 * Counterpart: cri-api's services; deadlines as kubelet's `remote_runtime.go` (2 minutes, doubled for sandboxes, none for pulls).
 */
import type { MessageName } from "./messages.ts";

export interface Method { readonly service: "RuntimeService" | "ImageService"; readonly request: MessageName; readonly response: MessageName; readonly deadlineMs: number }

const MINUTE_MS = 60_000;
const runtime = <Q extends MessageName, R extends MessageName>(request: Q, response: R, deadlineMs = 2 * MINUTE_MS) => ({ service: "RuntimeService" as const, request, response, deadlineMs });
const image = <Q extends MessageName, R extends MessageName>(request: Q, response: R, deadlineMs = 2 * MINUTE_MS) => ({ service: "ImageService" as const, request, response, deadlineMs });

export const methods = {
  Version: runtime("VersionRequest", "VersionResponse"),
  Status: runtime("StatusRequest", "StatusResponse"),
  UpdateRuntimeConfig: runtime("UpdateRuntimeConfigRequest", "UpdateRuntimeConfigResponse"),
  RuntimeConfig: runtime("RuntimeConfigRequest", "RuntimeConfigResponse"),
  RunPodSandbox: runtime("RunPodSandboxRequest", "RunPodSandboxResponse", 4 * MINUTE_MS),
  StopPodSandbox: runtime("StopPodSandboxRequest", "StopPodSandboxResponse"),
  RemovePodSandbox: runtime("RemovePodSandboxRequest", "RemovePodSandboxResponse"),
  PodSandboxStatus: runtime("PodSandboxStatusRequest", "PodSandboxStatusResponse"),
  ListPodSandbox: runtime("ListPodSandboxRequest", "ListPodSandboxResponse"),
  UpdatePodSandboxResources: runtime("UpdatePodSandboxResourcesRequest", "UpdatePodSandboxResourcesResponse"),
  PodSandboxStats: runtime("PodSandboxStatsRequest", "PodSandboxStatsResponse"),
  ListPodSandboxStats: runtime("ListPodSandboxStatsRequest", "ListPodSandboxStatsResponse"),
  PortForward: runtime("PortForwardRequest", "PortForwardResponse"),
  CreateContainer: runtime("CreateContainerRequest", "CreateContainerResponse"),
  StartContainer: runtime("StartContainerRequest", "StartContainerResponse"),
  StopContainer: runtime("StopContainerRequest", "StopContainerResponse"),
  RemoveContainer: runtime("RemoveContainerRequest", "RemoveContainerResponse"),
  ListContainers: runtime("ListContainersRequest", "ListContainersResponse"),
  ContainerStatus: runtime("ContainerStatusRequest", "ContainerStatusResponse"),
  UpdateContainerResources: runtime("UpdateContainerResourcesRequest", "UpdateContainerResourcesResponse"),
  ReopenContainerLog: runtime("ReopenContainerLogRequest", "ReopenContainerLogResponse"),
  ExecSync: runtime("ExecSyncRequest", "ExecSyncResponse"),
  Exec: runtime("ExecRequest", "ExecResponse"),
  Attach: runtime("AttachRequest", "AttachResponse"),
  ContainerStats: runtime("ContainerStatsRequest", "ContainerStatsResponse"),
  ListContainerStats: runtime("ListContainerStatsRequest", "ListContainerStatsResponse"),
  CheckpointContainer: runtime("CheckpointContainerRequest", "CheckpointContainerResponse"),
  ListImages: image("ListImagesRequest", "ListImagesResponse"),
  ImageStatus: image("ImageStatusRequest", "ImageStatusResponse"),
  PullImage: image("PullImageRequest", "PullImageResponse", Infinity),
  RemoveImage: image("RemoveImageRequest", "RemoveImageResponse"),
  ImageFsInfo: image("ImageFsInfoRequest", "ImageFsInfoResponse"),
} as const satisfies Record<string, Method>;

export type MethodName = keyof typeof methods;
