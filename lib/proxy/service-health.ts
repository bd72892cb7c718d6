/**
 * Health check node ports: for each Service with external policy Local a port on which a load balancer asks whether this node
 * has ready endpoints of it. Promises: a port taken by someone else is told, and tried again at the next sync; nothing else fails
 * for it. Counterpart: kube-proxy `healthcheck/service_health.go`.
 */
import type { Logger } from "../util/logger.ts";
import { JSON_HEADERS, serveHttp, type HttpAnswer, type ListenAddress } from "./http-server.ts";

export interface ServiceHealthWish { /** `namespace/name`. */ readonly service: string; readonly port: number; /** Ready endpoints on this node. */ readonly localEndpoints: number }

interface Running { readonly port: number; readonly stop: AbortController; readonly done: Promise<void>; localEndpoints: number }

export class ServiceHealthServers {
  readonly #log: Logger;
  readonly #host: string;
  readonly #proxyHealthy: () => boolean;
  readonly #running = new Map<string, Running>();

  constructor(log: Logger, { host = "::", proxyHealthy }: { host?: string; proxyHealthy: () => boolean }) {
    this.#log = log;
    this.#host = host;
    this.#proxyHealthy = proxyHealthy;
  }

  /** Opens, closes and updates ports so that they are as wished. */
  async sync(wishes: readonly ServiceHealthWish[]): Promise<void> {
    const wanted = new Map(wishes.map((wish) => [wish.service, wish]));
    const closing: Promise<void>[] = [];
    for (const [service, running] of this.#running) {
      if (wanted.get(service)?.port === running.port) continue;
      running.stop.abort();
      closing.push(running.done);
      this.#running.delete(service);
    }
    await Promise.all(closing);
    for (const { service, port, localEndpoints } of wanted.values()) {
      const running = this.#running.get(service);
      if (running === undefined) this.#open(service, { host: this.#host, port }, localEndpoints);
      else running.localEndpoints = localEndpoints;
    }
  }

  async close(): Promise<void> { await this.sync([]); }

  #open(service: string, address: ListenAddress, localEndpoints: number): void {
    const stop = new AbortController(), running: Running = {
      port: address.port, stop, localEndpoints,
      done: serveHttp(address, () => this.#answer(service), stop.signal).catch((error: unknown) => {
        this.#log.warn({ service, port: address.port, error }, "cannot serve a health check node port");
        if (this.#running.get(service) === running) this.#running.delete(service); // The next sync tries again.
      }),
    };
    this.#running.set(service, running);
  }

  #answer(key: string): HttpAnswer {
    const [namespace, name] = key.split("/"), count = this.#running.get(key)?.localEndpoints ?? 0, healthy = this.#proxyHealthy();
    const body = JSON.stringify({ service: { namespace, name }, localEndpoints: count, serviceProxyHealthy: healthy }, undefined, "\t");
    return { code: count > 0 && healthy ? 200 : 503, body, headers: { ...JSON_HEADERS, "X-Load-Balancing-Endpoint-Weight": String(count) } };
  }
}
