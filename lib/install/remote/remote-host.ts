/**
 * A host reached over SSH: the words between the transport and those who use it (`kaji apply`, `plan`, `exec`, `delete`).
 *
 * Promises of a RemoteHost: nothing secret in argv, logs or messages; a file that arrives is whole or not there; whatever failed
 * is one RemoteError with the host's name, what was found and the next step. An abort is no error of the host: it rejects with the
 * signal's reason. Runs on the operator's laptop, Linux or macOS.
 */

/** How to reach a host, resolved from cluster.yaml or `user@address[:port]`. */
export interface HostTarget {
  /** As the operator calls it; every message names it. */
  readonly name: string;
  /** An address or a name that resolves. */
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Private key files, tried in order, after the agent. Those who build a target fill in `defaultIdentityFiles()`. */
  readonly identityFiles: readonly string[];
  /** Through that host; nested where it has one itself. */
  readonly jump?: HostTarget | undefined;
}

/** What a secret is asked for. */
export type SecretKind = "login" | "sudo" | "passphrase";

/** Where secrets come from: asked once, kept in memory only. */
export interface Secrets {
  /** The password to log in, the one sudo asks for, or the passphrase of the key in `file`. Undefined: there is none to be had. */
  password(target: HostTarget, what: SecretKind, file?: string): Promise<string | undefined>;
}

export interface RunOptions {
  /** As root: as it is when the user is root, through sudo otherwise. */
  readonly sudo?: boolean;
  /** What the command reads from stdin; nothing when left out. */
  readonly input?: string | Buffer;
  readonly timeoutMs?: number;
  /** Lines of stdout and stderr as they come, without the line end. */
  readonly onLine?: (line: string) => void;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface RunResult { readonly code: number; readonly stdout: string; readonly stderr: string }

export interface UploadOptions {
  /** The permission bits the file arrives with. */
  readonly mode: number;
  /** Into a place only root may write: the file then belongs to root. */
  readonly sudo?: boolean;
  readonly onProgress?: (sentBytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignal;
}

export interface RemoteHost {
  readonly target: HostTarget;
  /**
   * Runs argv (quoted word by word for the remote shell). Rejects (RemoteError) only when the command could not be run, took longer
   * than `timeoutMs`, or the connection went; an exit code is a result.
   */
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /**
   * Content-addressed: sends only when size or sha256 differ; resumes a partial upload; arrives under a temporary name in the same
   * folder and is renamed; mode set before. The folder must exist.
   */
  upload(localFile: string, remoteFile: string, options: UploadOptions): Promise<"sent" | "same">;
  /** The same for a text or bytes in memory (config files, secrets; never through argv). */
  write(content: string | Buffer, remoteFile: string, options: Pick<UploadOptions, "mode" | "sudo" | "signal">): Promise<"sent" | "same">;
  /** The file's bytes; undefined when there is no such file. */
  readFile(remoteFile: string, options?: Pick<RunOptions, "sudo" | "signal">): Promise<Buffer | undefined>;
  close(): void;
}

/** What went wrong, for callers that act on it; people read the message. */
export type RemoteReason =
  | "refused" | "unreachable" | "unresolved" | "not-ssh" | "no-common-algorithm" // on the way there
  | "unknown-host-key" | "changed-host-key" | "revoked-host-key" // who answers
  | "login-refused" | "bad-key-file" | "no-secret" // who asks
  | "no-sudo" | "not-a-sudoer" | "sudo-password" | "sudo-needs-terminal" // becoming root
  | "lost" | "timeout" | "no-space" | "no-permission" | "command"; // on the way

/** Message: `Cannot reach host "vm1" (root@10.0.0.1:22): connection refused: check that sshd runs there`. */
export class RemoteError extends Error {
  override readonly name = "RemoteError";
  readonly reason: RemoteReason;
  /** The host's name as the operator calls it. */
  readonly host: string;
  readonly found: string;
  readonly nextStep: string;
  constructor(reason: RemoteReason, target: HostTarget, detail: { action?: string; found: string; nextStep: string }, options?: ErrorOptions) {
    super(`Cannot ${detail.action ?? "reach"} host ${describeTarget(target)}: ${detail.found}: ${detail.nextStep}`, options);
    this.reason = reason;
    this.host = target.name;
    this.found = detail.found;
    this.nextStep = detail.nextStep;
  }
}

/** `"vm1" (root@10.0.0.1:22)`, and the hosts it is reached through. */
export function describeTarget(target: HostTarget): string {
  const address = target.address.includes(":") ? `[${target.address}]` : target.address;
  const via = target.jump === undefined ? "" : ` through ${describeTarget(target.jump)}`;
  return `"${target.name}" (${target.user}@${address}:${target.port})${via}`;
}

/** Opens a connection; `connect.ts` makes one. Rejects with RemoteError, or the signal's reason. */
export type Connect = (target: HostTarget, signal: AbortSignal) => Promise<RemoteHost>;
