/** Services and slices in memory, in place of informers. */
import type { EndpointSlice, Service } from "../../../lib/api/schema/generated/models.ts";
import { serviceOfSlice } from "../../../lib/proxy/endpoints.ts";
import type { ServiceSource } from "../../../lib/proxy/service-source.ts";

export class MemorySource implements ServiceSource {
  readonly ready = Promise.resolve();
  readonly #services = new Map<string, Service>();
  readonly #slices = new Map<string, EndpointSlice[]>();
  readonly #callbacks = new Set<(key: string) => void>();

  keys(): string[] { return [...this.#services.keys()]; }
  service(key: string): Service | undefined { return this.#services.get(key); }
  slices(key: string): EndpointSlice[] { return this.#slices.get(key) ?? []; }
  onChange(callback: (key: string) => void): () => void {
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }

  set(service: Service, ...slices: EndpointSlice[]): void {
    const key = `${service.metadata.namespace}/${service.metadata.name}`;
    this.#services.set(key, service);
    this.#slices.set(key, slices.filter((slice) => serviceOfSlice(slice) === key));
    for (const callback of this.#callbacks) callback(key);
  }

  delete(key: string): void {
    this.#services.delete(key);
    this.#slices.delete(key);
    for (const callback of this.#callbacks) callback(key);
  }
}
