/** How far the master's clock is ahead of ours: by the Date header of its API server, before anybody is trusted. To a second or so. */
import { request } from "node:https";
import type { Clock } from "../../util/clock.ts";

const TIMEOUT_MS = 10_000, ROUNDING_MS = 500; // The header has whole seconds.

/** Milliseconds; negative when it is behind. Undefined when no date came. Rejects when the server cannot be reached. */
export function masterAheadMs(server: string, clock: Pick<Clock, "now">): Promise<number | undefined> {
  const sentMs = clock.now().getTime();
  return new Promise((resolve, reject) => {
    // Nothing is sent and only the time is read: a liar gains a message on a terminal.
    const asked = request(new URL("/livez", server), { method: "GET", rejectUnauthorized: false, agent: false, timeout: TIMEOUT_MS }, (response) => {
      const date = Date.parse(response.headers.date ?? "");
      response.resume();
      resolve(Number.isNaN(date) ? undefined : date + ROUNDING_MS - (sentMs + clock.now().getTime()) / 2);
    });
    asked.once("timeout", () => asked.destroy(Object.assign(new Error(`no answer within ${TIMEOUT_MS / 1_000} s`), { code: "ETIMEDOUT" })));
    asked.once("error", reject);
    asked.end();
  });
}
