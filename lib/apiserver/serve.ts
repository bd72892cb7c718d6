/**
 * One request from arrival to answer: filters, handler, errors, deadline, metrics.
 *
 * Never rejects: an exception becomes a Status 500 and a log line. A request that is not a watch or stream is answered
 * within REQUEST_TIMEOUT_MS, if only with 504.
 */
import { performance } from "node:perf_hooks";
import { StatusError } from "../api/status-error.ts";
import type { Logger } from "../util/logger.ts";
import type { ServerMetrics } from "./endpoints/metrics.ts";
import { TAKEN, type ApiRequest, type ApiResponse, type Handler } from "./http/exchange.ts";
import { send, type ResponseSink } from "./http/respond.ts";
import { isLongRunning } from "./request-info.ts";
import { errorResponse, toStatusError } from "./rest/errors.ts";

export const REQUEST_TIMEOUT_MS = 60_000;

export interface ServeDeps { readonly handler: Handler; readonly metrics: ServerMetrics; readonly log: Logger }

const timedOut = (): StatusError => new StatusError("Timeout", "Timeout: request did not complete within the allotted timeout", { details: {} });

/** Makes the function the listener calls for each request. */
export function server(deps: ServeDeps): (request: ApiRequest, sink: ResponseSink) => void {
  const { handler, metrics, log } = deps;
  return (request, sink) => {
    let answered = false;
    const answer = (response: ApiResponse): void => {
      if (answered) return;
      answered = true;
      clearTimeout(deadline);
      const observe = (): void => metrics.observe(request, response === TAKEN ? 200 : response.status, (performance.now() - request.receivedMs) / 1000, isLong());
      if (response === TAKEN) return observe();
      void send(request, response, sink)
        .catch((error: unknown) => log.error({ error, method: request.method, path: request.path }, "answer failed"))
        .finally(observe);
    };
    const fail = (error: unknown): void => answer(errorResponse(request, toStatusError(error, request, log)));
    const isLong = (): boolean => (request.info as ApiRequest["info"] | undefined) !== undefined && isLongRunning(request.info);
    const deadline = setTimeout(() => { if (!isLong()) fail(timedOut()); }, REQUEST_TIMEOUT_MS);
    try {
      const response = handler(request);
      // Watches and streams answer at once, with a body that is written over time: the deadline is for the answer's start.
      if (response instanceof Promise) response.then(answer, fail);
      else answer(response);
    } catch (error) { fail(error); }
  };
}
