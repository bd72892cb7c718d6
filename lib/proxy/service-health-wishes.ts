/** Which health check node ports there should be, kept as Services and endpoints change. */
import { endpointsByPort } from "./endpoints.ts";
import type { ServiceHealthWish } from "./service-health.ts";
import type { ServiceSource } from "./service-source.ts";
import { servicePorts, type Family } from "./service-port.ts";

export class ServiceHealthWishes {
  readonly #source: Pick<ServiceSource, "service" | "slices">;
  readonly #nodeName: string;
  readonly #wishes = new Map<string, ServiceHealthWish>();

  constructor(source: Pick<ServiceSource, "service" | "slices">, nodeName: string) {
    this.#source = source;
    this.#nodeName = nodeName;
  }

  /** Looks at one Service again. Returns whether its wish changed. */
  update(key: string): boolean {
    const old = this.#wishes.get(key), now = this.#wish(key);
    if (now === undefined) return this.#wishes.delete(key);
    this.#wishes.set(key, now);
    return old === undefined || old.port !== now.port || old.localEndpoints !== now.localEndpoints;
  }

  all(): ServiceHealthWish[] { return [...this.#wishes.values()]; }

  #wish(service: string): ServiceHealthWish | undefined {
    const object = this.#source.service(service);
    if (object === undefined || (object.spec.healthCheckNodePort ?? 0) === 0) return undefined;
    const local = new Set<string>();
    let port = 0;
    for (const family of [4, 6] as Family[]) {
      for (const info of servicePorts(object, family)) port = info.healthCheckNodePort;
      for (const endpoints of endpointsByPort(this.#source.slices(service), family, this.#nodeName).values()) for (const endpoint of endpoints) if (endpoint.local && endpoint.ready) local.add(endpoint.ip);
    }
    return port === 0 ? undefined : { service, port, localEndpoints: local.size };
  }
}
