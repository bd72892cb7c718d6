/** Every subresource that is a stream of bytes. */
import type { CacheReader, StreamHandler } from "../contracts.ts";
import { KubeletConnection, type KubeletClientOptions } from "./kubelet-connection.ts";
import { podLogHandler } from "./pod-log.ts";
import { portForwardHandler } from "./port-forward.ts";
import { proxyHandlers } from "./proxy.ts";
import { remoteCommandHandler } from "./remote-command.ts";

export function streamHandlers(deps: { cache: CacheReader; random?: () => number }, options: KubeletClientOptions): StreamHandler[] {
  const all = { ...deps, kubelets: new KubeletConnection(deps, options) };
  return [podLogHandler(all), remoteCommandHandler(all, "exec"), remoteCommandHandler(all, "attach"), portForwardHandler(all), ...proxyHandlers(all)];
}
