/**
 * A worker thread with an API server of its own whose loop is metered: the processor time this thread spent in its longest turn.
 * Time of the thread, not of the clock: what other programs take from it does not count.
 */
import { parentPort } from "node:worker_threads";
import { startEphemeralApiServer } from "../../../lib/apiserver/ephemeral.ts";

export type ToServer = "begin" | "end" | "close" | { readonly holdMs: number };
export type FromServer = { readonly ready: { readonly url: string; readonly caPem: string; readonly certificatePem: string; readonly keyPem: string } } | { readonly begun: true } | { readonly longestMs: number };

const port = parentPort!;
const spentMs = (): number => { const { user, system } = process.threadCpuUsage(); return (user + system) / 1_000; };
let metering = false, last = 0, longestMs = 0;

/** Runs once a turn, after everything else of it. */
function turn(): void {
  if (!metering) return;
  const now = spentMs();
  longestMs = Math.max(longestMs, now - last);
  last = now;
  setImmediate(turn);
}

const server = await startEphemeralApiServer();
/** Holds the loop, to show that the meter sees it. */
function hold(ms: number): void { for (const end = spentMs() + ms; spentMs() < end;); }

port.on("message", (message: ToServer) => {
  if (typeof message === "object") { hold(message.holdMs); return; }
  switch (message) {
    case "begin": metering = true; longestMs = 0; last = spentMs(); setImmediate(turn); port.postMessage({ begun: true } satisfies FromServer); break;
    case "end": metering = false; port.postMessage({ longestMs } satisfies FromServer); break;
    case "close": void server.close().then(() => process.exit(0)); break;
  }
});
port.postMessage({ ready: { url: server.url, caPem: server.caPem, ...server.admin } } satisfies FromServer);
