import test from "ava";
import fc from "fast-check";
import { SortedKeys } from "../../../../lib/apiserver/cache/sorted-keys.ts";

test("SortedKeys agrees with a plain set under any changes", (t) => {
  const key = fc.stringMatching(/^[ab]\/[a-c]{1,2}$/);
  fc.assert(fc.property(fc.array(fc.record({ key, read: fc.boolean() }), { maxLength: 60 }), (steps) => {
    const keys = new SortedKeys(), model = new Set<string>();
    for (const step of steps) {
      if (model.delete(step.key)) keys.remove(step.key);
      else { model.add(step.key); keys.add(step.key); }
      if (step.read) t.deepEqual(keys.under("a/"), [...model].filter((each) => each.startsWith("a/")).sort());
    }
    t.deepEqual(keys.under(""), [...model].sort());
    t.is(keys.size, model.size);
  }));
});

test("SortedKeys.under() takes whole prefixes only", (t) => {
  const keys = new SortedKeys();
  for (const key of ["/r/ns/a", "/r/ns-2/a", "/r/n/a", "/r/ns/b"]) keys.add(key);
  t.deepEqual(keys.under("/r/ns/"), ["/r/ns/a", "/r/ns/b"]);
});
