/**
 * Exponential backoff with optional jitter: `delayMs(attempt)` for attempt 0, 1, 2 …
 * Counterpart: apimachinery `wait.Backoff`.
 */
export interface BackoffOptions {
  baseMs?: number;
  maxMs?: number;
  factor?: number;
  /** 0.1 adds up to 10 % at random. */
  jitter?: number;
  random?: () => number;
}

/** Fills defaults and rejects nonsense once, at the edge. Throws RangeError. */
export function resolveBackoff({ baseMs = 5, maxMs = 1_000_000, factor = 2, jitter = 0, random = Math.random }: BackoffOptions = {}): Required<BackoffOptions> {
  if (!(baseMs > 0)) throw new RangeError(`Cannot build backoff: baseMs must be > 0, got ${baseMs}`);
  if (!(maxMs >= baseMs)) throw new RangeError(`Cannot build backoff: maxMs must be >= baseMs, got ${maxMs}`);
  if (!(factor >= 1)) throw new RangeError(`Cannot build backoff: factor must be >= 1, got ${factor}`);
  if (!(jitter >= 0)) throw new RangeError(`Cannot build backoff: jitter must be >= 0, got ${jitter}`);
  return { baseMs, maxMs, factor, jitter, random };
}

/** Milliseconds to wait before try number `attempt` (0 is the first retry). */
export function backoffMs(options: Required<BackoffOptions>, attempt: number): number {
  const delay = Math.min(options.maxMs, options.baseMs * options.factor ** Math.min(attempt, 64));
  return delay * (1 + options.jitter * options.random());
}
