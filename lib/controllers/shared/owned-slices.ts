/**
 * The EndpointSlices one controller keeps, by the key of what they belong to: read from the informer, written by plan.
 *
 * Promises: `isBehind` tells when the informer has not seen our own writes yet, and the key is asked for again as soon as it has; our own
 * writes coming back wake nobody else.
 */
import { endpointslices } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import { joinKey, splitKey } from "../../runtime/object-key.ts";
import { SliceTracker } from "./slice-tracker.ts";
import type { ControllerContext } from "./context.ts";
import type { EndpointSlice } from "../../api/schema/generated/models.ts";
import type { Informer } from "../../runtime/informer.ts";

export interface SliceWrites { readonly create: readonly EndpointSlice[]; readonly update: readonly EndpointSlice[]; readonly delete: readonly EndpointSlice[] }

/** After so long a key that was behind is looked at anyway; the event it waits for looks sooner. */
export const BEHIND_MS = 5_000;

export interface OwnedSlicesOptions {
  /** Of the informer's index; one a controller. */
  readonly index: string;
  /** Key of what a slice belongs to; undefined for slices of others. */
  readonly ownerOf: (slice: EndpointSlice) => string | undefined;
  /** Called with a key whose slices were changed by somebody else, or caught up with. */
  readonly wake: (key: string) => void;
}

export class OwnedSlices {
  readonly informer: Informer<EndpointSlice>;
  readonly #client: ControllerContext["client"];
  readonly #index: string;
  readonly #tracker = new SliceTracker();
  /** Keys that wait for the informer to catch up. */
  readonly #waiting = new Set<string>();

  constructor({ informers, client }: Pick<ControllerContext, "informers" | "client">, { index, ownerOf, wake }: OwnedSlicesOptions) {
    this.#client = client;
    this.#index = index;
    this.informer = informers.get(endpointslices, { indexes: { [index]: (slice: EndpointSlice) => { const key = ownerOf(slice); return key === undefined ? [] : [key]; } } });
    this.informer.onChange(({ type, object }) => {
      const key = ownerOf(object);
      if (key !== undefined && (this.#waiting.has(key) || type === "deleted" || !this.#tracker.isOurs(key, object))) wake(key);
    });
  }

  /** Those that are not on their way out. */
  existing(key: string): EndpointSlice[] { return this.informer.byIndex(this.#index, key).filter((slice) => slice.metadata.deletionTimestamp === undefined); }

  /** Whether to wait, because the informer is behind our own writes. */
  isBehind(key: string): boolean {
    const { namespace } = splitKey(key), behind = this.#tracker.isStale(key, (name) => this.informer.get(joinKey(namespace, name)));
    if (behind) this.#waiting.add(key);
    else this.#waiting.delete(key);
    return behind;
  }

  forget(key: string): void {
    this.#tracker.forget(key);
    this.#waiting.delete(key);
  }

  /** Throws StatusError. */
  async write(key: string, writes: SliceWrites, signal: AbortSignal): Promise<void> {
    for (const slice of writes.create) this.#tracker.wrote(key, await this.#client.create(endpointslices, slice, {}, signal));
    for (const slice of writes.update) this.#tracker.wrote(key, await this.#client.update(endpointslices, slice, {}, signal));
    for (const slice of writes.delete) if (await this.delete(slice, signal)) this.#tracker.deleted(key, slice);
  }

  /** Deletes a slice; false when it was gone. Throws StatusError. */
  async delete(slice: EndpointSlice, signal: AbortSignal): Promise<boolean> {
    try { await this.#client.delete(endpointslices, slice.metadata, {}, signal); return true; }
    catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
      return false;
    }
  }
}
