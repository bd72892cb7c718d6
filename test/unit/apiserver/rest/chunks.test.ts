import test from "ava";
import { CHUNK_BYTES, ChunkBuffers } from "../../../../lib/apiserver/rest/chunks.ts";

test("a buffer given back is taken again, whole, also when a part of it was written", (t) => {
  const buffers = new ChunkBuffers(), first = buffers.take();
  t.is(first.length, CHUNK_BYTES);
  buffers.giveBack(first.subarray(0, 10));
  const again = buffers.take();
  t.deepEqual([again.length, again.buffer === first.buffer], [CHUNK_BYTES, true]);
  t.not(buffers.take().buffer, first.buffer);
});

test("what is larger than a chunk, or no chunk at all, is not kept", (t) => {
  const buffers = new ChunkBuffers(), large = buffers.take(CHUNK_BYTES + 1);
  t.is(large.length, CHUNK_BYTES + 1);
  buffers.giveBack(large);
  buffers.giveBack(Buffer.from("]}"));
  buffers.giveBack(Buffer.alloc(2 * CHUNK_BYTES).subarray(CHUNK_BYTES));
  t.is(buffers.take().length, CHUNK_BYTES);
  t.not(buffers.take().buffer, large.buffer);
});

test("no more than a few are kept", (t) => {
  const buffers = new ChunkBuffers(), taken = Array.from({ length: 20 }, () => buffers.take()), known = new Set(taken.map(({ buffer }) => buffer));
  for (const each of taken) buffers.giveBack(each);
  t.is(taken.filter(() => known.has(buffers.take().buffer)).length, 4);
});
