/**
 * `pods/portforward`: SPDY, plain or inside a WebSocket, joined to the kubelet byte for byte.
 * Counterpart: `pkg/registry/core/pod/rest/subresources.go` and apimachinery `portforward` tunneling.
 */
import { pods } from "../../api/schema/generated/references.ts";
import { badRequest, notFound } from "../../api/status-error.ts";
import { requestUpgrade, SPDY_UPGRADE } from "../../streams/spdy/upgrade.ts";
import { acceptWebSocket, asksWebSocket, offeredWebSocketProtocols } from "../../streams/websocket/accept.ts";
import { joinStreams, TUNNEL_PROTOCOL_PREFIX, tunnelStream } from "../../streams/websocket/tunnel.ts";
import type { CacheReader, StreamCall, StreamHandler } from "../contracts.ts";
import { nodeOfPod } from "./choose-container.ts";
import type { KubeletConnection } from "./kubelet-connection.ts";
import { reachError } from "./remote-command.ts";
import { tunnelUpgrade } from "./tunnel-upgrade.ts";

export function portForwardHandler(deps: { cache: CacheReader; kubelets: KubeletConnection }): StreamHandler {
  return {
    resource: pods, subresource: "portforward",
    async serve(call: StreamCall): Promise<void> {
      const pod = deps.cache.get(pods, call.namespace, call.name);
      if (pod === undefined) throw notFound(pods, call.name);
      const query = new URLSearchParams(), ports = call.query.getAll("ports");
      if (ports.length > 0) query.set("port", ports.join(","));
      const url = deps.kubelets.url(nodeOfPod(pod), `/portForward/${encodeURIComponent(call.namespace)}/${encodeURIComponent(call.name)}`, query);
      if (call.upgrade === undefined) throw badRequest("Upgrade request required");
      const tunnel = asksWebSocket(call.headers) ? offeredWebSocketProtocols(call.headers).find((protocol) => protocol.startsWith(TUNNEL_PROTOCOL_PREFIX)) : undefined;
      const serving = tunnel === undefined ? tunnelUpgrade(call, { url, tls: deps.kubelets.tls() }) : serveTunnel(call, tunnel, url, deps.kubelets);
      await serving.catch((error: unknown) => { throw reachError(error, url); });
    },
  };
}

/** The kubelet is asked first: what it refuses is still an HTTP answer then. */
async function serveTunnel(call: StreamCall, protocol: string, url: URL, kubelets: KubeletConnection): Promise<void> {
  const headers = { "X-Stream-Protocol-Version": protocol.slice(TUNNEL_PROTOCOL_PREFIX.length) };
  const backend = await requestUpgrade({ url, method: "POST", headers, tls: kubelets.tls(), signal: call.signal }, SPDY_UPGRADE);
  const { socket, head } = call.upgrade!, client = tunnelStream(await acceptWebSocket(call.headers, socket, head, protocol));
  if (backend.head.length > 0) client.write(backend.head);
  await joinStreams(client, backend.socket);
}
