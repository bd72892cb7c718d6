/**
 * Bounds the dear calls (making sandboxes, making and starting containers) that run at once; the rest pass straight through.
 *
 * Guarantees: at most `limit` dear calls at a time; of those that wait, the ones that bring a pod nearest to running go first, then the oldest.
 * So when many pods come at once each is finished before the next is begun, rather than all becoming ready together at the very end.
 */
import type { CallOptions, Cri } from "./client.ts";
import type { CriInput, CriMessage } from "./messages.ts";
import type { methods, MethodName } from "./methods.ts";

const RANK: Partial<Record<MethodName, number>> = { StartContainer: 0, CreateContainer: 1, RunPodSandbox: 2 };

export class BoundedCri implements Cri {
  readonly #cri: Cri;
  #free: number;
  readonly #waiting: { rank: number; go: () => void }[] = [];

  constructor(cri: Cri, limit: number) {
    if (!(limit >= 1)) throw new RangeError(`Cannot bound calls: limit must be >= 1, got ${limit}`);
    this.#cri = cri;
    this.#free = limit;
  }

  async call<N extends MethodName>(method: N, request: CriInput<(typeof methods)[N]["request"]>, options?: CallOptions): Promise<CriMessage<(typeof methods)[N]["response"]>> {
    const rank = RANK[method];
    if (rank === undefined) return this.#cri.call(method, request, options);
    await this.#enter(rank);
    try { return await this.#cri.call(method, request, options); }
    finally { this.#leave(); }
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
