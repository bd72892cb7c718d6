/**
 * The time a probe gives its container to answer.
 *
 * Promises: what has arrived when the time is over still counts. Node fires timers before it reads sockets, so a kubelet that was
 * busy for a moment would otherwise hold its own lateness against the container, and restart it.
 */

/** Calls `late` when nothing came within `timeoutMs`; call what it returns when something did. */
export function probeDeadline(timeoutMs: number, late: () => void): () => void {
  let isAnswered = false;
  const timer = setTimeout(() => setImmediate(() => { if (!isAnswered) late(); }), timeoutMs);
  return () => { isAnswered = true; clearTimeout(timer); };
}
