/**
 * Bounds the dear calls (making sandboxes, making and starting containers) that run at once; the rest pass straight through.
 *
 * Guarantees: at most `limit` dear calls at a time, not counting those that hang; a place is kept for the next dear call about the same sandbox
 * or container, for a moment; of those that wait, the ones that bring a pod nearest to running go first, then the oldest.
 * So when many pods come at once each is finished before the next is begun, rather than all becoming ready together at the very end.
 */
import type { Clock } from "../util/clock.ts";
import type { CallOptions, Cri } from "./client.ts";
import type { CriInput, CriMessage } from "./messages.ts";
import type { methods, MethodName } from "./methods.ts";

const RANK: Partial<Record<MethodName, number>> = { StartContainer: 0, CreateContainer: 1, RunPodSandbox: 2 };
/** Longer than looking at a new sandbox and preparing its first container takes; an image that must be pulled takes longer, and others go on. */
export const KEEP_MS = 300;
/** A call that takes longer waits for something other than this machine's processors, and holds nobody up. */
export const HANGS_AFTER_MS = 5_000;

type Parts = Partial<Record<"podSandboxId" | "containerId", string>>;

export class BoundedCri implements Cri {
  readonly #cri: Cri;
  readonly #clock: Clock;
  #free: number;
  readonly #waiting: { rank: number; go: () => void }[] = [];
  /** Places kept, by the id of the sandbox or container the next call is about; called when that call comes. */
  readonly #kept = new Map<string, () => void>();

  constructor(cri: Cri, limit: number, clock: Clock) {
    if (!(limit >= 1)) throw new RangeError(`Cannot bound calls: limit must be >= 1, got ${limit}`);
    this.#cri = cri;
    this.#free = limit;
    this.#clock = clock;
  }

  async call<N extends MethodName>(method: N, request: CriInput<(typeof methods)[N]["request"]>, options?: CallOptions): Promise<CriMessage<(typeof methods)[N]["response"]>> {
    const rank = RANK[method];
    if (rank === undefined) return this.#cri.call(method, request, options);
    const about = request as Parts, claim = this.#kept.get(about.containerId ?? about.podSandboxId ?? "");
    if (claim !== undefined) claim();
    else await this.#enter(rank);
    let next: string | undefined, holds = true;
    const cancel = this.#clock.after(HANGS_AFTER_MS, () => { holds = false; this.#leave(); });
    try {
      const response = await this.#cri.call(method, request, options), made = response as Parts;
      next = made.containerId ?? made.podSandboxId; // Nothing for StartContainer: the way is done.
      return response;
    } finally {
      cancel();
      if (holds && next !== undefined) this.#keep(next);
      else if (holds) this.#leave();
    }
  }

  #keep(id: string): void {
    const cancel = this.#clock.after(KEEP_MS, () => { this.#kept.delete(id); this.#leave(); });
    this.#kept.set(id, () => { cancel(); this.#kept.delete(id); });
  }

  async #enter(rank: number): Promise<void> {
    if (this.#free > 0) { this.#free--; return; }
    await new Promise<void>((go) => {
      const at = this.#waiting.findIndex((other) => other.rank > rank);
      this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, { rank, go });
    });
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next.go();
  }

  containerEvents(signal: AbortSignal): AsyncIterable<CriMessage<"ContainerEventResponse">> { return this.#cri.containerEvents(signal); }
  containerdEvents(filters: readonly string[], signal: AbortSignal): AsyncIterable<CriMessage<"Envelope">> { return this.#cri.containerdEvents(filters, signal); }
  close(): void { this.#cri.close(); }
}
