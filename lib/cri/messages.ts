/**
 * Every CRI message and enum we speak, and their TypeScript types.
 *
 * Facts (names, numbers) are those of cri-api `pkg/apis/runtime/v1/api.proto`. Left out: Windows, checkpoint and restore of
 * whole pods, and the streaming forms of the list calls, which no released runtime needs.
 */
import { containerMessages } from "./messages-container.ts";
import { sandboxMessages } from "./messages-sandbox.ts";
import { statsMessages } from "./messages-stats.ts";
import type { EnumDescriptors, Received, Sent } from "./notation.ts";

export const messages = {
  ...sandboxMessages, ...containerMessages, ...statsMessages,
  // containerd's own event stream (containerd.services.events.v1), used where CRI has none.
  SubscribeRequest: { filters: [1, "string[]"] },
  Timestamp: { seconds: [1, "int64"], nanos: [2, "int32"] },
  Any: { typeUrl: [1, "string"], value: [2, "bytes"] },
  Envelope: { timestamp: [1, "Timestamp"], namespace: [2, "string"], topic: [3, "string"], event: [4, "Any"] },
} as const;

export const enums = {
  Protocol: ["TCP", "UDP", "SCTP"],
  MountPropagation: ["PROPAGATION_PRIVATE", "PROPAGATION_HOST_TO_CONTAINER", "PROPAGATION_BIDIRECTIONAL"],
  NamespaceMode: ["POD", "CONTAINER", "NODE", "TARGET"],
  SupplementalGroupsPolicy: ["Merge", "Strict"],
  ProfileType: ["RuntimeDefault", "Unconfined", "Localhost"],
  PodSandboxState: ["SANDBOX_READY", "SANDBOX_NOTREADY"],
  ContainerState: ["CONTAINER_CREATED", "CONTAINER_RUNNING", "CONTAINER_EXITED", "CONTAINER_UNKNOWN"],
  ContainerEventType: ["CONTAINER_CREATED_EVENT", "CONTAINER_STARTED_EVENT", "CONTAINER_STOPPED_EVENT", "CONTAINER_DELETED_EVENT"],
  CgroupDriver: ["SYSTEMD", "CGROUPFS"],
  Signal: [
    "SIGNAL_RUNTIME_DEFAULT",
    ...(["ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL", "PIPE", "POLL", "PROF", "PWR", "QUIT", "SEGV",
      "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN"].map((name) => `SIGNAL_SIG${name}`)),
    ...Array.from({ length: 15 }, (_, index) => `SIGNAL_SIGRTMINPLUS${index + 1}`),
    ...Array.from({ length: 14 }, (_, index) => `SIGNAL_SIGRTMAXMINUS${14 - index}`),
    "SIGNAL_SIGRTMAX",
  ],
} as const satisfies EnumDescriptors;

export type MessageName = keyof typeof messages;
/** A message received from the runtime. */
export type CriMessage<N extends MessageName> = Received<typeof messages, typeof enums, N>;
/** A message to send: every field may be left out. */
export type CriInput<N extends MessageName> = Sent<typeof messages, typeof enums, N>;
