/**
 * What the controller wrote and has not seen in its informer yet. Deciding on an older state would make slices twice.
 * Counterpart: kubernetes `staging/src/k8s.io/endpointslice/util/endpointslice_tracker.go`. Differs: by resource version, which
 * Kubernetes 1.35 made comparable, instead of generation.
 */
import type { EndpointSlice } from "../../api/schema/generated/models.ts";

type Written = { readonly uid: string | undefined; readonly version: bigint } | { readonly uid: string | undefined; readonly version: "deleted" };
const versionOf = (slice: EndpointSlice): bigint => (/^\d+$/.test(slice.metadata.resourceVersion ?? "") ? BigInt(slice.metadata.resourceVersion!) : 0n);

export class SliceTracker {
  readonly #services = new Map<string, Map<string, Written>>();

  wrote(service: string, slice: EndpointSlice): void { this.#of(service).set(slice.metadata.name, { uid: slice.metadata.uid, version: versionOf(slice) }); }
  deleted(service: string, slice: EndpointSlice): void { this.#of(service).set(slice.metadata.name, { uid: slice.metadata.uid, version: "deleted" }); }
  forget(service: string): void { this.#services.delete(service); }

  /** Whether the cache is behind our own writes. Forgets what it has caught up with. */
  isStale(service: string, cached: (name: string) => EndpointSlice | undefined): boolean {
    const written = this.#services.get(service);
    for (const [name, { uid, version }] of written ?? []) {
      const slice = cached(name);
      const behind = version === "deleted" ? slice !== undefined && slice.metadata.uid === uid : slice === undefined || versionOf(slice) < version;
      if (behind) return true;
      written!.delete(name);
    }
    return false;
  }

  /** Whether a change seen now is one of our own writes or older. */
  isOurs(service: string, slice: EndpointSlice): boolean {
    const written = this.#services.get(service)?.get(slice.metadata.name);
    return written !== undefined && written.version !== "deleted" && written.uid === slice.metadata.uid && versionOf(slice) <= written.version;
  }

  #of(service: string): Map<string, Written> {
    if (!this.#services.has(service)) this.#services.set(service, new Map());
    return this.#services.get(service)!;
  }
}
