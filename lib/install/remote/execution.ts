/**
 * Commands on a connection, as the user or as root: the sudo talk, input, limits, and every way a command can fail to run.
 *
 * Promises: the sudo password is asked for at most once a connection and goes over stdin only; a wrong one is not tried again, for
 * accounts get locked; input is sent only when the command itself reads. A command that is timed out or aborted is told to end.
 */
import { randomBytes } from "node:crypto";
import type { Clock } from "../../util/clock.ts";
import { type ChannelEnd, type RunningCommand, startCommand } from "./channel.ts";
import type { Connection } from "./connection.ts";
import { plainCommand, rootCommand, SudoDialogue } from "./remote-command.ts";
import { RemoteError, type RunOptions, type Secrets } from "./remote-host.ts";
import { howToGive } from "./secrets-environment.ts";

export interface ExecutionDeps { readonly connection: Connection; readonly secrets: Secrets; readonly clock: Clock }

/** What the command reads from stdin, piece by piece. */
export type Input = Iterable<Buffer> | AsyncIterable<Buffer>;

export interface ExecuteOptions extends Pick<RunOptions, "sudo" | "timeoutMs" | "env" | "signal"> {
  readonly input?: Input;
  /** Called with what stdin has taken so far, in bytes. */
  readonly onSent?: (bytes: number) => void;
  readonly onOutput?: (chunk: Buffer, stream: "stdout" | "stderr") => void;
  /** For messages: `run "ls" on`. */
  readonly action: string;
}

export interface Executed { readonly code: number; readonly stdout: Buffer; readonly stderr: Buffer }

/** More than that on stdout or stderr is a mistake, not a result. */
const OUTPUT_MAX_BYTES = 64 * 1024 * 1024;
/** sudo asks at once or not at all; one that asks in words of its own (PAM modules do) would wait for ever. */
const SUDO_BEGIN_MAX_MS = 60_000;
const STOP_MAX_MS = 10_000;
/** How long a stopped command may take to say who it is: what it printed can come before that. */
const STOP_PID_MAX_MS = 2_000;
const SIGNALS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGPIPE: 13, SIGTERM: 15 };

export class Execution {
  readonly #deps: ExecutionDeps;
  #sudoPassword: Promise<string | undefined> | undefined;
  /** The first command as root: the others wait until it began, so that a wrong password is tried once. */
  #firstSudo: Promise<void> | undefined;
  #sudoFailure: RemoteError | undefined;

  constructor(deps: ExecutionDeps) { this.#deps = deps; }

  /** Runs argv. Rejects with RemoteError, or the signal's reason. */
  async execute(argv: readonly string[], options: ExecuteOptions): Promise<Executed> {
    options.signal?.throwIfAborted();
    return this.#deps.connection.slot(async () => {
      const word = `kaji${randomBytes(12).toString("hex")}`, dialogue = new SudoDialogue(word);
      if (options.sudo !== true) return this.#run(plainCommand(argv, options.env ?? {}, word), options, { dialogue });
      let begun = (): void => undefined;
      if (this.#firstSudo === undefined) this.#firstSudo = new Promise((resolve) => { begun = resolve; });
      else await this.#firstSudo;
      if (this.#sudoFailure !== undefined) throw this.#sudoFailure;
      try { return await this.#run(rootCommand(argv, options.env ?? {}, word), options, { dialogue, begun }); }
      finally { begun(); }
    });
  }

  async #run(command: string, options: ExecuteOptions, start: Start): Promise<Executed> {
    const talk = new Talk(this.#deps, options, start, () => this.#password());
    try { return await talk.run(command); }
    catch (error) {
      if (error instanceof RemoteError && error.reason === "sudo-password") this.#sudoFailure ??= error;
      throw error;
    }
  }

  #password(): Promise<string | undefined> {
    this.#sudoPassword ??= this.#deps.secrets.password(this.#deps.connection.target, "sudo");
    return this.#sudoPassword;
  }
}

/** How a command begins: what reads its marks and, as root, what is told that sudo let it through. */
interface Start { readonly dialogue: SudoDialogue; readonly begun?: () => void }

/** One command from its start to its end. */
class Talk {
  readonly #deps: ExecutionDeps;
  readonly #options: ExecuteOptions;
  readonly #dialogue: SudoDialogue;
  /** Only as root, behind sudo: told once the command itself begins. */
  readonly #throughSudo: (() => void) | undefined;
  readonly #password: () => Promise<string | undefined>;
  readonly #out: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
  readonly #bytes = { stdout: 0, stderr: 0 };
  #running: RunningCommand | undefined;
  #pid: number | undefined;
  #asking = false;
  #stopping = false;
  #fail: (error: unknown) => void = () => undefined;
  #limit: () => void = () => undefined;

  constructor(deps: ExecutionDeps, options: ExecuteOptions, start: Start, password: () => Promise<string | undefined>) {
    this.#deps = deps;
    this.#options = options;
    this.#dialogue = start.dialogue;
    this.#throughSudo = start.begun;
    this.#password = password;
  }

  async run(command: string): Promise<Executed> {
    const { clock, connection } = this.#deps, { signal, timeoutMs } = this.#options, cancels: (() => void)[] = [];
    const failed = new Promise<never>((_resolve, reject) => { this.#fail = reject; });
    failed.catch(() => undefined); // Also when nobody waits any more.
    const onAbort = (): void => this.#fail(signal!.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#limit = () => {
      if (timeoutMs !== undefined) cancels.push(clock.after(timeoutMs, () => this.#fail(this.#error("timeout", `it did not end within ${timeoutMs / 1000} s`, "look at what it waits for there, or give it more time"))));
    };
    if (this.#throughSudo === undefined) this.#limit();
    else cancels.push(this.#watchSudo()); // The command's own time begins with the command: a person may have to be asked first.
    try {
      const starting = startCommand(connection.client, command).catch((error: Error) => { throw this.#notStarted(error); });
      // Where the command starts after all when nobody waits for it any more, it is told to end.
      this.#running = await Promise.race([starting, failed]).catch((error: unknown) => { starting.then((late) => late.stop(), () => undefined); throw error; });
      this.#running.listen({
        onStdout: (chunk) => this.#take("stdout", chunk),
        onStderr: (chunk) => (this.#dialogue.begun ? this.#take("stderr", chunk) : this.#hear(chunk)),
      });
      if (this.#throughSudo === undefined) void this.#send();
      return this.#result(await Promise.race([this.#running.ended, failed]));
    } catch (error) {
      this.#stop();
      throw error;
    } finally {
      for (const cancel of cancels) cancel();
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Waits for sudo to begin; not while a person is asked. */
  #watchSudo(): () => void {
    let cancel: () => void;
    const watch = (): void => {
      cancel = this.#deps.clock.after(SUDO_BEGIN_MAX_MS, () => {
        if (this.#asking) return watch();
        if (!this.#dialogue.begun) this.#fail(this.#error("timeout", `sudo did not begin within ${SUDO_BEGIN_MAX_MS / 1000} s${this.#dialogue.said === "" ? "" : ` and says: ${this.#dialogue.said}`}`, "see that sudo there asks for nothing but a password, or log in as root"));
      });
    };
    watch();
    return () => cancel();
  }

  #take(stream: "stdout" | "stderr", chunk: Buffer): void {
    this.#bytes[stream] += chunk.length;
    if (this.#bytes[stream] > OUTPUT_MAX_BYTES) return this.#fail(this.#error("command", `it prints more than ${OUTPUT_MAX_BYTES / 1024 / 1024} MiB`, "send its output into a file there"));
    this.#out[stream].push(chunk);
    this.#options.onOutput?.(chunk, stream);
  }

  /** stderr until the command begins: sudo's, or what the user's shell says before it. */
  #hear(chunk: Buffer): void {
    for (const event of this.#dialogue.feed(chunk)) {
      if (event.kind === "password") { if (!this.#stopping) void this.#givePassword(); }
      else {
        this.#pid = event.pid;
        if (this.#stopping) return this.#end();
        if (event.rest.length > 0) this.#take("stderr", event.rest);
        if (this.#throughSudo === undefined) continue;
        this.#limit();
        this.#throughSudo();
        void this.#send();
      }
    }
  }

  async #givePassword(): Promise<void> {
    const { user } = this.#deps.connection.target;
    if (this.#dialogue.questions > 1) return this.#fail(this.#sudoError(1)); // Asked again: it was wrong.
    this.#asking = true;
    try {
      const password = await this.#password();
      if (password === undefined) return this.#fail(this.#error("no-secret", `sudo asks for the password of user "${user}" and there is none to be had`, `${howToGive("sudo")}, or allow the user sudo without password (NOPASSWD)`, "become root on"));
      await this.#running!.write(Buffer.from(`${password}\n`));
    } catch (error) { this.#fail(this.#error("no-secret", `the sudo password cannot be had: ${(error as Error).message}`, howToGive("sudo"), "become root on")); }
    finally { this.#asking = false; }
  }

  async #send(): Promise<void> {
    const running = this.#running!;
    let bytes = 0;
    try {
      for await (const piece of this.#options.input ?? []) {
        if (!(await running.write(piece))) return; // It reads no more; how it ended tells why.
        bytes += piece.length;
        this.#options.onSent?.(bytes - running.waitingBytes);
      }
      running.endInput();
    } catch (error) { this.#fail(error); } // The source of the input failed.
  }

  #result(end: ChannelEnd): Executed {
    if (end.kind === "gone") throw this.#lost();
    const code = end.kind === "exit" ? end.code : 128 + (SIGNALS[end.signal] ?? 0);
    if (!this.#dialogue.begun) {
      if (this.#throughSudo !== undefined) throw this.#sudoError(code);
      this.#out.stderr.push(Buffer.from(this.#dialogue.said)); // Something there took the command's place (ForceCommand).
    }
    return { code, stdout: Buffer.concat(this.#out.stdout), stderr: Buffer.concat(this.#out.stderr) };
  }

  /** Tells the command to end; where it is about to begin, as soon as it says who it is. */
  #stop(): void {
    // Where sudo waits for a password it gets none, and ends with the channel.
    if (this.#stopping || this.#running === undefined || this.#pid !== undefined || (this.#dialogue.questions > 0 && this.#bytes.stdout === 0)) return this.#end();
    this.#stopping = true;
    const cancel = this.#deps.clock.after(STOP_PID_MAX_MS, () => this.#running?.stop());
    void this.#running.ended.then(cancel);
  }

  /** By a command of its own: sshd signals no process of root's, and ssh2 sends no signal once the input has ended. */
  #end(): void {
    this.#running?.stop();
    if (this.#pid === undefined || this.#deps.connection.lost !== undefined) return;
    const { sudo: asRoot, signal: _signal, input: _input, onOutput: _onOutput, onSent: _onSent, env: _env, ...rest } = this.#options;
    const word = `kaji${randomBytes(12).toString("hex")}`, dialogue = new SudoDialogue(word), argv = ["sh", "-c", 'kill -TERM -- "-$1" 2>/dev/null || kill -TERM "$1"', "kaji", String(this.#pid)];
    const end = new Talk(this.#deps, { ...rest, timeoutMs: STOP_MAX_MS }, asRoot === true ? { dialogue, begun: () => undefined } : { dialogue }, this.#password);
    end.run(asRoot === true ? rootCommand(argv, {}, word) : plainCommand(argv, {}, word)).catch(() => undefined); // It may have ended by itself.
  }

  #error(reason: RemoteError["reason"], found: string, nextStep: string, action = this.#options.action): RemoteError {
    return new RemoteError(reason, this.#deps.connection.target, { action, found, nextStep });
  }
  #sudoError(exitCode: number): RemoteError {
    const { target } = this.#deps.connection, { reason, ...detail } = this.#dialogue.explain(target.user, exitCode);
    return new RemoteError(reason, target, { action: "become root on", ...detail });
  }
  #lost(cause: Error | undefined = this.#deps.connection.lost): RemoteError {
    const why = cause === undefined ? "" : ` (${cause.message})`;
    return new RemoteError("lost", this.#deps.connection.target, { action: this.#options.action, found: `the connection was lost in the middle${why}`, nextStep: "check the network and that the host is up, then run again: it goes on where it stopped" }, { cause });
  }
  #notStarted(error: Error): RemoteError {
    if (this.#deps.connection.lost !== undefined || /not connected|no response/i.test(error.message)) return this.#lost(this.#deps.connection.lost ?? error);
    return this.#error("command", `sshd opened no session (${error.message})`, "check MaxSessions and ForceCommand in its sshd_config");
  }
}
