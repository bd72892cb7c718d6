/** One line a step, with how long it took; on a terminal the line of the running step shows too. */
export interface Progress {
  /** Runs a step and prints its line; what the step returns (if anything) is shown as detail. */
  step<T extends string | void>(title: string, work: () => Promise<T>): Promise<void>;
  note(text: string): void;
  readonly timings: readonly { title: string; ms: number }[];
}

export function createProgress(output: { write(text: string): unknown; isTTY?: boolean }, monotonicMs: () => number): Progress {
  const timings: { title: string; ms: number }[] = [];
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1).padStart(5)} s`;
  return {
    timings,
    note(text) { output.write(`${text}\n`); },
    async step(title, work) {
      if (output.isTTY === true) output.write(`  …      ${title}\r`);
      const startMs = monotonicMs();
      try {
        const detail = await work();
        const ms = monotonicMs() - startMs;
        timings.push({ title, ms });
        output.write(`${seconds(ms)}  ${title}${typeof detail === "string" && detail !== "" ? `: ${detail}` : ""}\n`);
      } catch (error) {
        output.write(`${seconds(monotonicMs() - startMs)}  ${title}: failed\n`);
        throw error;
      }
    },
  };
}
