/**
 * Keeps a cluster's daemons alive on this machine.
 *
 * Promises: a daemon that ends, for whatever reason, is started again (after 0.2 s, doubling to 10 s while it keeps
 * ending young); daemons outlive the supervisor, and a new supervisor adopts those that still run, by id and start time;
 * a guardian process starts the supervisor again when it dies, and is started again itself when that dies.
 * SIGTERM stops every daemon, in order; SIGHUP reads the configuration again and starts what is new.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile, rename, stat, truncate, unlink, writeFile, copyFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import path from "node:path";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import type { Runnable } from "../util/runnable.ts";
import { aborted } from "../util/abort.ts";
import { selfCommand } from "../util/self.ts";
import { backoffMs, resolveBackoff } from "../util/backoff.ts";
import { loadClusterConfig } from "./cluster-config.ts";
import { daemonSpecs, type DaemonSpec } from "./daemons.ts";
import { ensureHost, ensureSwitch } from "./hosts.ts";
import { LOG_DIR, PIDS_DIR } from "./paths.ts";
import { isAlive, type ProcessIdentity, signalProcess, startTicks } from "./processes.ts";

const BACKOFF = resolveBackoff({ baseMs: 200, maxMs: 10_000 });
/** A daemon that ran this long has not failed to start. */
const STABLE_MS = 10_000;
const ADOPTED_POLL_MS = 500;
const STOP_GRACE_MS = 10_000;
const LOG_SIZE_MAX_BYTES = 20 * 1024 * 1024;
const LOG_CHECK_MS = 30_000, RECONCILE_RETRY_MS = 2_000;

export interface DaemonState extends ProcessIdentity { readonly name: string; readonly startedAt: string; readonly restarts: number; readonly command: readonly string[] }
export const pidFile = (name: string): string => path.join(PIDS_DIR, `${name}.json`);
export const logFile = (name: string): string => path.join(LOG_DIR, `${name}.log`);

/** What is known of a daemon, or undefined when it never ran or the file is damaged. */
export async function readDaemonState(name: string): Promise<DaemonState | undefined> {
  try { return JSON.parse(await readFile(pidFile(name), "utf8")) as DaemonState; }
  catch { return undefined; }
}

async function writeDaemonState(state: DaemonState): Promise<void> {
  const file = pidFile(state.name);
  await writeFile(`${file}.new`, JSON.stringify(state));
  await rename(`${file}.new`, file);
}

export class Supervisor implements Runnable {
  readonly name = "supervisor";
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #watched = new Map<string, Promise<void>>();
  readonly #stopWatching = new AbortController();
  #settling: Promise<void> = Promise.resolve();
  constructor(deps: { log: Logger; clock: Clock }) {
    this.#log = deps.log;
    this.#clock = deps.clock;
  }

  /** Starts or adopts everything, then keeps it so until `signal`; then stops all daemons. */
  async run(signal: AbortSignal): Promise<void> {
    const lock = await takeLock();
    await mkdir(PIDS_DIR, { recursive: true });
    await mkdir(LOG_DIR, { recursive: true, mode: 0o700 });
    await writeDaemonState({ name: this.name, pid: process.pid, startTicks: (await startTicks(process.pid))!, startedAt: this.#clock.now().toISOString(), restarts: 0, command: ["supervise"] });
    const reload = (): void => { void this.#settle(signal); };
    process.on("SIGHUP", reload);
    const guardian = this.#keepGuardian(signal).catch((error: unknown) => this.#log.error({ error }, "guardian lost"));
    const logs = this.#rotateLogs(signal).catch(() => undefined);
    try {
      await this.#settle(signal);
      await aborted(signal);
    } finally {
      process.off("SIGHUP", reload);
      this.#stopWatching.abort();
      await Promise.all([...this.#watched.values(), guardian, logs]);
      await this.#stopAll();
      await unlink(pidFile(this.name)).catch(() => undefined);
      lock.close();
    }
  }

  /** Makes hosts and daemons what the configuration says, one call after another. */
  #settle(signal: AbortSignal): Promise<void> { return this.#settling = this.#settling.then(() => this.#untilSettled(signal)); }

  /** What cannot be made is logged and tried again. */
  async #untilSettled(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try { return await this.#reconcile(); }
      catch (error) {
        this.#log.error({ error }, "cannot make the hosts as they should be, will retry");
        await this.#clock.sleep(RECONCILE_RETRY_MS, signal).catch(() => undefined); // Ended: the loop is over.
      }
    }
  }

  async #reconcile(): Promise<void> {
    const config = await loadClusterConfig();
    if (config === undefined) throw new Error("Cannot supervise: there is no cluster configuration");
    await ensureSwitch(config);
    for (const spec of daemonSpecs(config).filter((s) => s.host === undefined)) this.#watch(spec);
    for (const host of config.workers) {
      await ensureHost(config, host);
      for (const spec of daemonSpecs(config).filter((s) => s.host === host.name)) this.#watch(spec);
    }
  }

  #watch(spec: DaemonSpec): void {
    if (this.#watched.has(spec.name)) return;
    this.#watched.set(spec.name, this.#keep(spec, this.#stopWatching.signal).catch((error: unknown) => {
      if (!this.#stopWatching.signal.aborted) this.#log.error({ daemon: spec.name, error }, "no longer watching a daemon");
    }));
  }

  async #keep(spec: DaemonSpec, signal: AbortSignal): Promise<void> {
    const known = await readDaemonState(spec.name);
    let restarts = known?.restarts ?? -1, young = 0;
    if (known !== undefined && (await isAlive(known))) {
      this.#log.info({ daemon: spec.name, pid: known.pid }, "adopted a running daemon");
      while (await isAlive(known)) await this.#clock.sleep(ADOPTED_POLL_MS, signal);
    }
    while (!signal.aborted) {
      const startedMs = this.#clock.monotonicMs();
      restarts += 1;
      const { ended } = await this.#start(spec, restarts);
      await Promise.race([ended, aborted(signal)]);
      if (signal.aborted) return;
      young = this.#clock.monotonicMs() - startedMs > STABLE_MS ? 0 : young + 1;
      const waitMs = backoffMs(BACKOFF, young);
      this.#log.warn({ daemon: spec.name, result: await ended, restartInMs: waitMs }, "daemon ended");
      await this.#clock.sleep(waitMs, signal);
    }
  }

  /** Starts the daemon in a session of its own. Resolves, once it is recorded, with a promise of its end. */
  async #start(spec: DaemonSpec, restarts: number): Promise<{ ended: Promise<string> }> {
    const log = openSync(logFile(spec.name), "a", 0o600);
    let child: ChildProcess;
    try { child = spawn(spec.command[0]!, spec.command.slice(1), { detached: true, stdio: ["ignore", log, log], cwd: "/" }); }
    finally { closeSync(log); }
    const ended = new Promise<string>((resolve) => {
      child.once("exit", (code, killedBy) => resolve(killedBy ?? `exit code ${code}`));
      child.once("error", (error) => resolve(error.message));
    });
    child.unref();
    const ticks = child.pid === undefined ? undefined : await startTicks(child.pid);
    if (child.pid !== undefined && ticks !== undefined) {
      await writeDaemonState({ name: spec.name, pid: child.pid, startTicks: ticks, startedAt: this.#clock.now().toISOString(), restarts, command: spec.command });
      this.#log.info({ daemon: spec.name, pid: child.pid, restarts }, "started");
    }
    return { ended };
  }

  async #stopAll(): Promise<void> {
    const config = await loadClusterConfig();
    if (config === undefined) return;
    const specs = daemonSpecs(config);
    for (const order of [...new Set(specs.map((s) => s.stopOrder))].sort((a, b) => a - b)) {
      await Promise.all(specs.filter((s) => s.stopOrder === order).map(async (spec) => {
        const state = await readDaemonState(spec.name);
        if (state === undefined) return;
        await stopProcess(state, this.#clock);
        await unlink(pidFile(spec.name)).catch(() => undefined);
      }));
    }
  }

  /** Keeps a guardian: a shell that waits for this process to end and then starts it again. */
  async #keepGuardian(signal: AbortSignal): Promise<void> {
    const known = await readDaemonState("guardian");
    // A guardian becomes the supervisor it starts, under its own id; any other guards a supervisor before this one.
    if (known !== undefined && known.pid !== process.pid) await signalProcess(known, "SIGKILL");
    while (!signal.aborted) {
      const self = selfCommand(["supervise"]);
      const child = spawn("sh", ["-c", GUARDIAN, "kaji-guardian", String(process.pid), logFile("supervisor"), self.command, ...self.args], { detached: true, stdio: "ignore", cwd: "/" });
      const ended = new Promise<void>((resolve) => { child.once("exit", () => resolve()); child.once("error", () => resolve()); });
      child.unref();
      const ticks = child.pid === undefined ? undefined : await startTicks(child.pid);
      if (child.pid !== undefined && ticks !== undefined) await writeDaemonState({ name: "guardian", pid: child.pid, startTicks: ticks, startedAt: this.#clock.now().toISOString(), restarts: 0, command: ["guardian"] });
      await Promise.race([ended, aborted(signal)]);
      if (signal.aborted) { child.kill("SIGKILL"); await unlink(pidFile("guardian")).catch(() => undefined); return; }
      await this.#clock.sleep(ADOPTED_POLL_MS, signal);
    }
  }

  /** Logs are copied aside and cut when they grow large; daemons append, so none has to open its log again. */
  async #rotateLogs(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(LOG_CHECK_MS, signal);
      for (const name of [...this.#watched.keys(), "supervisor"]) {
        const file = logFile(name);
        if (((await stat(file).catch(() => undefined))?.size ?? 0) < LOG_SIZE_MAX_BYTES) continue;
        await copyFile(file, `${file}.1`);
        await truncate(file);
      }
    }
  }
}

/** One supervisor a machine: an abstract socket, which the kernel frees with the process. Throws when another holds it. */
function takeLock(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error) => reject(new Error("Cannot supervise: another supervisor runs on this machine", { cause: error })));
    server.listen("\0kaji-supervisor", () => resolve(server));
  });
}

/** Arguments: the supervisor's process id, its log, then its command line. */
const GUARDIAN = 'tail --pid="$1" -f /dev/null; log=$2; shift 2; exec "$@" >>"$log" 2>&1';

/** Ends a process: asks, waits, then kills. Resolves when it is gone. */
export async function stopProcess(target: ProcessIdentity, clock: Clock, graceMs = STOP_GRACE_MS): Promise<void> {
  const deadline = clock.monotonicMs() + graceMs;
  await signalProcess(target, "SIGTERM");
  let killed = false;
  while (await isAlive(target)) {
    if (!killed && clock.monotonicMs() > deadline) { await signalProcess(target, "SIGKILL"); killed = true; }
    await clock.sleep(20);
  }
}
