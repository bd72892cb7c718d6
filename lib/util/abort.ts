/** Abort signals: how everything here is told to stop. */

/** Whether `error` is the way `signal` (or any signal) says stop, rather than a failure. */
export function isAbort(error: unknown, signal?: AbortSignal): boolean {
  if (signal !== undefined && !signal.aborted) return false;
  return error instanceof Error && (error.name === "AbortError" || error === signal?.reason);
}

/** Aborts on the first SIGTERM or SIGINT; a second one exits with 1 at once. Counterpart: controller-runtime `signals`. */
export function shutdownSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(1);
    controller.abort();
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  return controller.signal;
}

/** Resolves when `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
