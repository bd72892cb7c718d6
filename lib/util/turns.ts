/**
 * Long work in turns: once a piece has held the event loop for TURN_MS, the rest waits until everybody else had theirs.
 * What the pieces share must still be true after a pause; in between others run.
 */
import { performance } from "node:perf_hooks";

const TURN_MS = 10;

export class Turns {
  #since = performance.now();

  /** Whether it is time for a pause: cheap enough to ask after every piece. */
  get isLong(): boolean { return performance.now() - this.#since >= TURN_MS; }

  /** Resolves in a later turn of the loop. */
  async pause(): Promise<void> {
    await new Promise((resolve) => { setImmediate(resolve); });
    this.#since = performance.now();
  }
}

/** Runs a generator to its end with a pause wherever it has yielded and held the loop for long. Throws what it throws. */
export async function inTurns<T>(steps: Generator<void, T>, turns = new Turns()): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (turns.isLong) await turns.pause();
  }
}

/** Runs a generator to its end at once. */
export function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
