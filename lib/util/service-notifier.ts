/**
 * Telling systemd how this daemon is: READY=1 once it does its work, WATCHDOG=1 while its event loop turns, STOPPING=1 when it is told to end.
 *
 * Promises: outside a unit of type "notify" it does nothing; a loop that hangs sends nothing, and systemd starts the daemon anew after its
 * WatchdogSec. Node has no unix datagrams, so `systemd-notify` is run for each message (docs/decisions says why). Counterpart: sd_notify(3).
 */
import { aborted, isAbort } from "./abort.ts";
import type { Clock } from "./clock.ts";
import { exec } from "./exec.ts";
import type { Logger } from "./logger.ts";
import type { Runnable } from "./runnable.ts";

/** How a daemon says that it does its work. */
export interface Readiness { ready(): void }

const READY_CHECK_MS = 500;
/** Asks `check` until it no longer throws, then says that the daemon does its work. */
export function readyOnce(check: () => Promise<unknown>, readiness: Readiness, clock: Clock): Runnable {
  return {
    name: "readiness",
    async run(signal) {
      while (!signal.aborted && !(await check().then(() => true, () => false))) await clock.sleep(READY_CHECK_MS, signal);
      if (!signal.aborted) readiness.ready();
      await aborted(signal);
    },
  };
}

export interface NotifierDeps {
  readonly env: NodeJS.ProcessEnv;
  readonly pid: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Sends one message to the socket. */
  readonly send: (message: string, socket: string) => Promise<unknown>;
}

/** On a host that is short of processor time running a program takes its time; to end it early would lose the word. Later than the units' WatchdogSec it is of no use. */
const SEND_TIMEOUT_MS = 30_000;
/** Words in each period of the watchdog: some may be late, all of them only when the loop hangs. */
const WORDS_PER_PERIOD = 6;
/** Sends through systemd's own program. */
export const sendToSystemd: NotifierDeps["send"] = (message, socket) => exec("systemd-notify", [message], { env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", NOTIFY_SOCKET: socket }, timeoutMs: SEND_TIMEOUT_MS });

export class ServiceNotifier implements Readiness {
  readonly #deps: NotifierDeps;
  readonly #socket: string | undefined;
  readonly #intervalMs: number | undefined;
  readonly #stop = new AbortController();
  readonly #sending = new Set<Promise<void>>();
  #watching: Promise<void> | undefined;
  #failed = false;

  /** Takes what systemd said out of the environment, so that children do not speak for us. */
  constructor(deps: NotifierDeps) {
    const { env, pid } = deps, watchdogUs = Number(env["WATCHDOG_USEC"]), watched = env["WATCHDOG_PID"] === undefined || env["WATCHDOG_PID"] === String(pid);
    this.#deps = deps;
    this.#socket = env["NOTIFY_SOCKET"];
    this.#intervalMs = watchdogUs > 0 && watched ? watchdogUs / 1_000 / WORDS_PER_PERIOD : undefined;
    for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) delete env[name];
  }

  /** Whether anybody listens. */
  get active(): boolean { return this.#socket !== undefined; }

  /** The work is done from now on; the watchdog begins. Only the first call counts. */
  ready(): void { if (this.active) this.#watching ??= this.#watch(); }

  /** The end has begun. */
  stopping(): void { if (this.active) this.#begin("STOPPING=1"); }

  /** Settles when nothing is sent any more. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
    await Promise.all(this.#sending);
  }

  /** Words go out as time passes, whether or not the one before has arrived. */
  async #watch(): Promise<void> {
    this.#begin("READY=1");
    try {
      while (this.#intervalMs !== undefined) {
        await this.#deps.clock.sleep(this.#intervalMs, this.#stop.signal);
        this.#begin("WATCHDOG=1");
      }
    } catch (error) { if (!isAbort(error)) throw error; }
  }

  #begin(message: string): void {
    const sending = this.#send(message).finally(() => { this.#sending.delete(sending); });
    this.#sending.add(sending);
  }

  async #send(message: string): Promise<void> {
    try { await this.#deps.send(message, this.#socket!); }
    catch (error) {
      if (!this.#failed) this.#deps.log.error({ error, notification: message }, "cannot tell systemd; it will take this daemon for hung");
      this.#failed = true;
    }
  }
}
