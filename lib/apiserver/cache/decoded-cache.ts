/**
 * Decoded objects of entries, so that what is asked for again need not be parsed again. Two shelves, each bounded by the size of the JSON:
 *
 * - what was just written, small: in-process listeners read it at once, and most of it nobody asks for again. Were it kept longer, each
 *   object written would outlive two collections of the young generation, be copied by both, and be garbage of the old one;
 * - what was read, larger: asked for once, it is mostly asked for again. Large objects are put here at once: decoding one anew takes a while.
 *
 * What came first goes first: good enough, and a read costs nothing.
 */
import type { KubeObject } from "../../api/resource-definition.ts";
import { Fifo } from "../../util/fifo.ts";
import type { Entry } from "./entry.ts";

const WRITTEN_BYTES_MAX = 128 * 1024, READ_BYTES_MAX = 3 * 1024 * 1024;
/** An object that would fill an eighth of the small shelf is large. */
const LARGE_PART = 8;

export class DecodedCache {
  readonly #objects = new Map<Entry, KubeObject>();
  readonly #written: Shelf;
  readonly #read: Shelf;
  readonly #largeBytes: number;

  constructor({ writtenBytesMax = WRITTEN_BYTES_MAX, readBytesMax = READ_BYTES_MAX } = {}) {
    this.#written = new Shelf(writtenBytesMax);
    this.#read = new Shelf(readBytesMax);
    this.#largeBytes = writtenBytesMax / LARGE_PART;
  }

  get(entry: Entry): KubeObject | undefined { return this.#objects.get(entry); }
  /** Of a write just made. */
  addWritten(entry: Entry, object: KubeObject): void { this.#add(entry.value.length > this.#largeBytes ? this.#read : this.#written, entry, object); }
  /** Decoded because somebody asked. */
  addRead(entry: Entry, object: KubeObject): void { this.#add(this.#read, entry, object); }

  #add(shelf: Shelf, entry: Entry, object: KubeObject): void {
    if (this.#objects.has(entry)) return;
    this.#objects.set(entry, object);
    shelf.push(entry, this.#objects);
  }
}

class Shelf {
  readonly #bytesMax: number;
  /** In order of coming. Not asked of the map, which would look through the places of all that are gone. */
  readonly #order = new Fifo<Entry>();
  #bytes = 0;
  constructor(bytesMax: number) { this.#bytesMax = bytesMax; }

  /** Puts an entry on the shelf and takes from `objects` what has no place there any more; the newest always has. */
  push(entry: Entry, objects: Map<Entry, KubeObject>): void {
    this.#order.push(entry);
    this.#bytes += entry.value.length;
    while (this.#bytes > this.#bytesMax && this.#order.length > 1) {
      const oldest = this.#order.shift()!;
      objects.delete(oldest);
      this.#bytes -= oldest.value.length;
    }
  }
}
