/**
 * Notices what changes in the container runtime: by its events where it has some, and by listing everything once a second (every five with events).
 *
 * CRI's own events come first; containerd before 1.7 has none, but its native event stream tells the same sooner than any listing would.
 * Guarantees: a change is reported within a second even when events are lost; `healthy` is false once the runtime has not answered for 3 minutes.
 * Counterpart: kubelet `pleg`.
 */
import type { Cri } from "../cri/client.ts";
import { CriCode, isCriCode } from "../cri/error.ts";
import { isAbort } from "../util/abort.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import type { Runnable } from "../util/runnable.ts";
import { Wakeup } from "../util/wakeup.ts";
import type { PodGlance, RuntimeReader } from "./runtime-reader.ts";

const RELIST_MS = 1_000, RELIST_WITH_EVENTS_MS = 5_000, RELIST_MIN_GAP_MS = 30, STREAM_RETRY_MS = 1_000, UNHEALTHY_AFTER_MS = 180_000;
/** The runtime's listings trail its events: after one, look again this often for a while. */
const LOOK_AGAIN_MS = 100, LOOK_AGAIN_FOR_MS = 800;

export class RuntimeWatch implements Runnable {
  readonly name = "runtime watch";
  readonly #deps: { cri: Cri; reader: RuntimeReader; clock: Clock; log: Logger; onChange: (uid: string) => void };
  readonly #wakeup: Wakeup;
  #pods = new Map<string, PodGlance>();
  #lastOkMs: number | undefined;
  #error: Error | undefined;
  #streaming = false;
  #eventAtMs = -Infinity;

  constructor(deps: { cri: Cri; reader: RuntimeReader; clock: Clock; log: Logger; onChange: (uid: string) => void }) {
    this.#deps = deps;
    this.#wakeup = new Wakeup(deps.clock);
  }

  /** All pods the runtime knew at the last look. */
  get pods(): ReadonlyMap<string, PodGlance> { return this.#pods; }
  /** Why the last look failed; undefined when it did not. */
  get error(): Error | undefined { return this.#error; }
  get healthy(): boolean { return this.#lastOkMs !== undefined && this.#deps.clock.monotonicMs() - this.#lastOkMs < UNHEALTHY_AFTER_MS; }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#relistLoop(signal), this.#eventLoop(signal)]);
  }

  async #relistLoop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.relist();
      const sinceEventMs = this.#deps.clock.monotonicMs() - this.#eventAtMs;
      this.#wakeup.ringIn(sinceEventMs < LOOK_AGAIN_FOR_MS ? LOOK_AGAIN_MS : this.#streaming ? RELIST_WITH_EVENTS_MS : RELIST_MS);
      await this.#deps.clock.sleep(RELIST_MIN_GAP_MS, signal).catch(() => undefined);
      await this.#wakeup.wait(signal);
    }
  }

  /** Looks at all pods now and reports those that changed. */
  async relist(): Promise<void> {
    let now: Map<string, PodGlance>;
    try { now = await this.#deps.reader.glance(); }
    catch (error) {
      if (this.#error === undefined) this.#deps.log.warn({ error }, "container runtime does not answer");
      this.#error = error as Error;
      return;
    }
    if (this.#error !== undefined) this.#deps.log.info({}, "container runtime answers again");
    this.#error = undefined;
    this.#lastOkMs = this.#deps.clock.monotonicMs();
    const before = this.#pods;
    this.#pods = now;
    for (const [uid, pod] of now) if (before.get(uid)?.fingerprint !== pod.fingerprint) this.#deps.onChange(uid);
    for (const uid of before.keys()) if (!now.has(uid)) this.#deps.onChange(uid);
  }

  async #eventLoop(signal: AbortSignal): Promise<void> {
    let native = false;
    while (!signal.aborted) {
      try {
        const events = native ? this.#deps.cri.containerdEvents(['namespace=="k8s.io",topic~="^/tasks/(exit|oom)$"'], signal) : this.#deps.cri.containerEvents(signal);
        this.#streaming = true;
        this.#eventAtMs = this.#deps.clock.monotonicMs(); // What happened before the stream was open is looked for, too.
        this.#wakeup.ring();
        for await (const _ of events) {
          this.#eventAtMs = this.#deps.clock.monotonicMs();
          this.#wakeup.ring();
        }
      } catch (error) {
        if (isAbort(error, signal)) return;
        if (isCriCode(error, CriCode.UNIMPLEMENTED)) {
          if (native) { this.#streaming = false; this.#deps.log.info({}, "the runtime has no events, listing once a second"); return; }
          native = true;
          continue;
        }
        this.#deps.log.debug({ error }, "runtime event stream ended");
      }
      this.#streaming = false;
      this.#wakeup.ring();
      await this.#deps.clock.sleep(STREAM_RETRY_MS, signal).catch(() => undefined);
    }
  }
}
