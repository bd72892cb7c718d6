import test from "ava";
import fc from "fast-check";
import { Heap } from "../../../../lib/scheduler/queue/heap.ts";

interface Item { key: string; value: number }

test("Heap gives back the least first, whatever was added, replaced and deleted before", (t) => {
  const step = fc.record({ key: fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h"), value: fc.integer({ min: 0, max: 20 }), remove: fc.boolean() });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const heap = new Heap<Item>((item) => item.key, (a, b) => a.value - b.value), model = new Map<string, number>();
    for (const { key, value, remove } of steps) {
      if (remove) { if (heap.delete(key)?.value !== model.get(key)) return false; model.delete(key); }
      else { heap.set({ key, value }); model.set(key, value); }
    }
    const values: number[] = [];
    for (let item = heap.pop(); item !== undefined; item = heap.pop()) values.push(item.value);
    return JSON.stringify(values) === JSON.stringify([...model.values()].sort((a, b) => a - b));
  }));
  t.pass();
});
