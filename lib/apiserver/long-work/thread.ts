/**
 * One thread for what would hold the event loop: started when first needed, ended when it has had nothing to do for a while, and given up
 * with the task at hand when that takes too much time or memory. The next task finds a new one.
 */
import { Worker } from "node:worker_threads";
import { StatusError } from "../../api/status-error.ts";
import { systemClock, type Clock } from "../../util/clock.ts";
import { startWorker } from "../../util/self.ts";
import type { Answer } from "./long-work-thread.ts";
import type { Outcome, Task } from "./tasks.ts";

/** What a body of 3 MiB has been seen to need, many times over. */
const HEAP_MAX_MB = 768;
const TASK_MAX_MS = 30_000, IDLE_MAX_MS = 10_000;

interface Waiting { readonly task: Task; readonly resolve: (outcome: Outcome) => void; readonly reject: (error: Error) => void }

export class LongWorkThread {
  readonly #clock: Clock;
  readonly #waiting: Waiting[] = [];
  #worker: Worker | undefined;
  #current: Waiting | undefined;
  #cancelTimer: (() => void) | undefined;
  readonly #heapMaxMb: number;
  constructor(clock: Clock, heapMaxMb = HEAP_MAX_MB) { this.#clock = clock; this.#heapMaxMb = heapMaxMb; }

  /** Does the task after those before it. Throws StatusError: what the task refuses, or that it took too much. */
  run(task: Task): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ task, resolve, reject });
      this.#next();
    });
  }

  #next(): void {
    if (this.#current !== undefined) return;
    this.#current = this.#waiting.shift();
    this.#cancelTimer?.();
    if (this.#current === undefined) {
      this.#worker?.unref(); // Work keeps the process; waiting for some does not.
      this.#cancelTimer = this.#clock.after(IDLE_MAX_MS, () => this.#end());
      return;
    }
    this.#worker ??= this.#start();
    this.#worker.ref();
    this.#cancelTimer = this.#clock.after(TASK_MAX_MS, () => this.#lose(new StatusError("Timeout", "the request was not read in time", { details: { retryAfterSeconds: 0 } })));
    this.#worker.postMessage(this.#current.task);
  }

  #start(): Worker {
    const worker = startWorker({ name: "long-work-thread", source: new URL("./long-work-thread.ts", import.meta.url) }, { resourceLimits: { maxOldGenerationSizeMb: this.#heapMaxMb } });
    worker.on("message", (answer: Answer) => this.#settle(answer));
    worker.on("error", (error: NodeJS.ErrnoException) => {
      if (worker !== this.#worker) return;
      this.#lose(error.code === "ERR_WORKER_OUT_OF_MEMORY" ? new StatusError("RequestEntityTooLarge", `Request entity is too large: reading it takes more than ${this.#heapMaxMb} MiB`) : error);
    });
    return worker;
  }

  #settle(answer: Answer): void {
    const done = this.#current!;
    this.#current = undefined;
    if ("outcome" in answer) done.resolve(answer.outcome);
    else done.reject(StatusError.fromStatus(answer.refused, answer.refused.code!));
    this.#next();
  }

  /** Gives the task at hand up, and the thread with it. */
  #lose(error: Error): void {
    const lost = this.#current;
    this.#end();
    this.#current = undefined;
    lost?.reject(error);
    this.#next();
  }

  #end(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    worker?.removeAllListeners("message");
    void worker?.terminate();
  }
}

/** The process's. */
export const longWorkThread = new LongWorkThread(systemClock);
