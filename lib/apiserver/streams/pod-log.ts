/** `pods/log`: the kubelet's log stream, passed on as it comes. Counterpart: `pkg/registry/core/pod/rest/log.go`. */
import { pipeline } from "node:stream/promises";
import { pods } from "../../api/schema/generated/references.ts";
import { notFound, StatusError } from "../../api/status-error.ts";
import type { CacheReader, StreamCall, StreamHandler } from "../contracts.ts";
import { backendError, dialError, readText, requestBackend } from "./backend-request.ts";
import { chooseContainer } from "./choose-container.ts";
import type { KubeletConnection } from "./kubelet-connection.ts";
import { readLogOptions } from "./log-options.ts";

const HEADERS = { "content-type": "text/plain", "cache-control": "no-cache, private" };

export function podLogHandler(deps: { cache: CacheReader; kubelets: KubeletConnection }): StreamHandler {
  return {
    resource: pods, subresource: "log",
    async serve(call: StreamCall): Promise<void> {
      const options = readLogOptions(call.query, call.name), pod = deps.cache.get(pods, call.namespace, call.name);
      if (pod === undefined) throw notFound(pods, call.name);
      const container = chooseContainer(pod, options.container), node = pod.spec?.nodeName ?? "";
      // Nothing has run yet, so nothing has been said.
      if (node === "") { call.respond(200, HEADERS).end(); return; }
      const path = `/containerLogs/${encodeURIComponent(call.namespace)}/${encodeURIComponent(call.name)}/${encodeURIComponent(container)}`;
      const url = deps.kubelets.url(node, path, options.kubeletQuery);
      const answer = await requestBackend({ url, method: "GET", headers: {}, tls: deps.kubelets.tls({ insecure: options.insecureSkipTlsVerify }), signal: call.signal })
        .catch((error: unknown) => {
          const why = `Get ${JSON.stringify(url.href)}: ${dialError(error, url)}`;
          throw new StatusError("InternalError", `Internal error occurred: ${why}`, { details: { causes: [{ message: why }] }, cause: error });
        });
      const status = answer.statusCode ?? 500;
      if (status < 200 || status > 206) throw backendError(status, await readText(answer), "pods", call.name);
      // A follower waits for lines that may come late: no buffering on the way but the sockets' own.
      await pipeline(answer, call.respond(200, HEADERS)).catch((error: unknown) => { if (!call.signal.aborted) throw error; });
    },
  };
}
