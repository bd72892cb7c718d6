/**
 * Services and their EndpointSlices by Service, as the proxy reads them, with a note of which Services changed.
 * Counterpart: kube-proxy's change trackers; differs: nothing is copied, the informers' stores are read when a sync runs.
 */
import type { EndpointSlice, Service } from "../api/schema/generated/models.ts";
import type { Informer } from "../runtime/informer.ts";
import { serviceOfSlice } from "./endpoints.ts";

export interface ServiceSource {
  /** Resolves when everything is known for the first time. */
  readonly ready: Promise<unknown>;
  /** `namespace/name` of every Service. */
  keys(): string[];
  service(key: string): Service | undefined;
  slices(key: string): EndpointSlice[];
  /** Calls back with `namespace/name` of each Service that may have changed. */
  onChange(callback: (key: string) => void): () => void;
}

const BY_SERVICE = "proxy-service";

/** Reads the shared informers of a process. Adds one index. */
export function informerSource(services: Informer<Service>, slices: Informer<EndpointSlice>): ServiceSource {
  slices.addIndex(BY_SERVICE, (slice) => { const key = serviceOfSlice(slice); return key === undefined ? [] : [key]; });
  return {
    ready: Promise.all([services.synced, slices.synced]),
    keys: () => services.list().map((service) => `${service.metadata.namespace}/${service.metadata.name}`),
    service: (key) => services.get(key),
    slices: (key) => slices.byIndex(BY_SERVICE, key),
    onChange(callback) {
      const stops = [
        services.onChange(({ object }) => callback(`${object.metadata.namespace}/${object.metadata.name}`)),
        slices.onChange((change) => {
          const key = serviceOfSlice(change.object), old = change.type === "updated" ? serviceOfSlice(change.old) : undefined;
          if (key !== undefined) callback(key);
          if (old !== undefined && old !== key) callback(old);
        }),
      ];
      return () => { for (const stop of stops) stop(); };
    },
  };
}
