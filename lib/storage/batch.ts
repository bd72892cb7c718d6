/**
 * How writes cross from the thread that serves requests to the one that writes: a whole batch is one message each way.
 * Values travel end to end in one buffer whose ownership moves (one copy in all); results are one array of numbers.
 */

/** One accepted write. `value` undefined deletes; `expected` is the key's wanted revision, or ANY. */
export interface WriteRequest { readonly key: string; readonly value: Buffer | undefined; readonly expected: number }

/** No compare-and-swap: write whatever is there. */
export const ANY = -1;
const DELETE = -1;

export interface PackedBatch {
  readonly keys: string[];
  readonly expected: number[];
  /** Bytes of each value; DELETE for a deletion. */
  readonly lengths: number[];
  readonly data: ArrayBuffer;
}

/** Copies the values into one fresh buffer that can be transferred. */
export function packBatch(requests: readonly WriteRequest[]): PackedBatch {
  let size = 0;
  for (const { value } of requests) size += value?.length ?? 0;
  const data = new ArrayBuffer(size), bytes = new Uint8Array(data);
  const keys: string[] = [], expected: number[] = [], lengths: number[] = [];
  let offset = 0;
  for (const request of requests) {
    keys.push(request.key);
    expected.push(request.expected);
    lengths.push(request.value?.length ?? DELETE);
    if (request.value !== undefined) { bytes.set(request.value, offset); offset += request.value.length; }
  }
  return { keys, expected, lengths, data };
}

/** The other side of `packBatch`; values are views, not copies. */
export function* unpackBatch(batch: PackedBatch): Generator<WriteRequest> {
  let offset = 0;
  for (const [i, key] of batch.keys.entries()) {
    const length = batch.lengths[i]!;
    const value = length === DELETE ? undefined : Buffer.from(batch.data, offset, length);
    offset += value?.length ?? 0;
    yield { key, value, expected: batch.expected[i]! };
  }
}

/** Numbers a result takes in a `results` array: revision written (0: nothing was), revision found before (0: none), its createRevision. */
export const RESULT_STRIDE = 3;
