/**
 * `pods/exec` and `pods/attach`: SPDY clients are joined to the kubelet byte for byte, WebSocket clients are translated.
 * Counterpart: `pkg/registry/core/pod/rest/subresources.go`.
 */
import { pods } from "../../api/schema/generated/references.ts";
import { badRequest, notFound, StatusError } from "../../api/status-error.ts";
import { connectSpdy, UpgradeRefusedError } from "../../streams/spdy/upgrade.ts";
import { asksWebSocket, offeredWebSocketProtocols } from "../../streams/websocket/accept.ts";
import { CHANNEL_PROTOCOLS } from "../../streams/websocket/channel-socket.ts";
import type { CacheReader, StreamCall, StreamHandler } from "../contracts.ts";
import { dialError } from "./backend-request.ts";
import { chooseContainer, nodeOfPod } from "./choose-container.ts";
import type { KubeletConnection } from "./kubelet-connection.ts";
import { tunnelUpgrade } from "./tunnel-upgrade.ts";
import { type RemoteCommandStreams, translateWebSocket } from "./websocket-translator.ts";

/** What the kubelet is asked to speak, best first: those whose error stream carries a Status. */
const KUBELET_PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
const isTrue = (query: URLSearchParams, name: string): boolean => !["false", "0"].includes((query.get(name) ?? "false").toLowerCase());

export interface RemoteCommand { readonly streams: RemoteCommandStreams; readonly container: string; readonly kubeletQuery: URLSearchParams }

/** From the client's query to the kubelet's. Pure. */
export function readRemoteCommand(query: URLSearchParams): RemoteCommand {
  const streams = { stdin: isTrue(query, "stdin"), stdout: isTrue(query, "stdout"), stderr: isTrue(query, "stderr"), tty: isTrue(query, "tty") };
  const kubeletQuery = new URLSearchParams();
  for (const [asked, parameter] of [[streams.stdin, "input"], [streams.stdout, "output"], [streams.stderr, "error"], [streams.tty, "tty"]] as const) if (asked) kubeletQuery.set(parameter, "1");
  for (const word of query.getAll("command")) kubeletQuery.append("command", word);
  return { streams, container: query.get("container") ?? "", kubeletQuery };
}

export function remoteCommandHandler(deps: { cache: CacheReader; kubelets: KubeletConnection }, subresource: "exec" | "attach"): StreamHandler {
  return {
    resource: pods, subresource,
    async serve(call: StreamCall): Promise<void> {
      const command = readRemoteCommand(call.query), pod = deps.cache.get(pods, call.namespace, call.name);
      if (pod === undefined) throw notFound(pods, call.name);
      const container = chooseContainer(pod, command.container);
      const url = deps.kubelets.url(nodeOfPod(pod), `/${subresource}/${encodeURIComponent(call.namespace)}/${encodeURIComponent(call.name)}/${encodeURIComponent(container)}`, command.kubeletQuery);
      if (call.upgrade === undefined) throw badRequest("Upgrade request required");
      const protocol = asksWebSocket(call.headers) ? webSocketProtocol(call) : undefined;
      if (protocol === undefined) {
        await tunnelUpgrade(call, { url, tls: deps.kubelets.tls() }).catch((error: unknown) => { throw reachError(error, url); });
        return;
      }
      const connect = async () => (await connectSpdy({ url, tls: deps.kubelets.tls(), signal: call.signal }, KUBELET_PROTOCOLS)).connection;
      await translateWebSocket(call, protocol, command.streams, connect, (error) => reachError(error, url));
    },
  };
}

/** The first channel protocol the client offers; "" when it offers none at all, which is the oldest. Throws BadRequest when we know none of them. */
function webSocketProtocol(call: StreamCall): string {
  const offered = offeredWebSocketProtocols(call.headers).filter((protocol) => !protocol.startsWith("base64url.bearer.authorization.k8s.io."));
  const known = offered.find((protocol) => (CHANNEL_PROTOCOLS as readonly string[]).includes(protocol));
  if (known === undefined && offered.length > 0) throw badRequest(`unable to upgrade: none of the sub-protocols ${JSON.stringify(offered)} is known, known are ${CHANNEL_PROTOCOLS.join(", ")}`);
  return known ?? "";
}

/** Why the kubelet could not be asked. */
export function reachError(error: unknown, url: URL): StatusError {
  if (error instanceof StatusError) return error;
  const why = error instanceof UpgradeRefusedError ? `unable to upgrade connection: ${error.body.trim()}` : `error dialing backend: ${dialError(error, url)}`;
  return new StatusError("InternalError", `Internal error occurred: ${why}`, { details: { causes: [{ message: why }] }, cause: error });
}
