import test from "ava";
import { Expectations, EXPECTATION_TIMEOUT_MS } from "../../../../lib/controllers/shared/expectations.ts";
import { slowStart } from "../../../../lib/controllers/shared/slow-start.ts";
import { canonicalJson, fnv1a32, podTemplateHash, safeEncode } from "../../../../lib/controllers/shared/pod-template-hash.ts";
import { changeTaints } from "../../../../lib/controllers/shared/node-taints.ts";
import { ManualClock } from "../../../../lib/util/clock.ts";
import { NOW, at, makeNode } from "../build.ts";

test("Expectations.satisfied() is false until every creation was seen or given up", (t) => {
  const expectations = new Expectations(new ManualClock());
  t.true(expectations.satisfied("x/rs"));
  expectations.expectCreations("x/rs", 2);
  expectations.creationObserved("x/rs");
  t.false(expectations.satisfied("x/rs"));
  expectations.creationObserved("x/rs");
  t.true(expectations.satisfied("x/rs"));
});

test("Expectations.deletionObserved() counts one pod once", (t) => {
  const expectations = new Expectations(new ManualClock());
  expectations.expectDeletions("x/rs", ["x/a", "x/b"]);
  expectations.deletionObserved("x/rs", "x/a");
  expectations.deletionObserved("x/rs", "x/a");
  t.false(expectations.satisfied("x/rs"));
  expectations.deletionObserved("x/rs", "x/b");
  t.true(expectations.satisfied("x/rs"));
});

test("Expectations.satisfied() is true again when an event was lost for long", async (t) => {
  const clock = new ManualClock(), expectations = new Expectations(clock);
  expectations.expectCreations("x/rs", 1);
  await clock.advance(EXPECTATION_TIMEOUT_MS + 1);
  t.true(expectations.satisfied("x/rs"));
});

test("slowStart() doubles batches and stops at the first that fails", async (t) => {
  const batches: number[] = [];
  let inBatch = 0, calls = 0;
  const result = await slowStart(100, async (i) => {
    calls++;
    inBatch++;
    await new Promise((resolve) => setImmediate(resolve));
    if (inBatch > 0) { batches.push(inBatch); inBatch = 0; }
    if (i === 4) throw new Error("quota");
  });
  t.deepEqual(batches, [1, 2, 4]);
  t.is(calls, 7);
  t.is(result.succeeded, 6);
  t.is((result.error as Error).message, "quota");
});

test("fnv1a32() gives the published values, and safeEncode() upstream's letters", (t) => {
  t.is(fnv1a32(Buffer.from("")), 0x811c9dc5);
  t.is(fnv1a32(Buffer.from("foobar")), 0xbf9cf968);
  t.is(safeEncode("0123456789"), "456789bcdf");
});

test("podTemplateHash() depends on content, not on order, and on the collision count", (t) => {
  const a = { spec: { containers: [{ name: "a", image: "b" }] }, metadata: { labels: { x: "1", y: "2" } } }, b = { metadata: { labels: { y: "2", x: "1" } }, spec: { containers: [{ image: "b", name: "a" }] } };
  t.is(podTemplateHash(a), podTemplateHash(b));
  t.not(podTemplateHash(a), podTemplateHash({ ...a, spec: { containers: [{ name: "a", image: "c" }] } }));
  t.not(podTemplateHash(a, 1), podTemplateHash(a));
  t.not(podTemplateHash(a, 1), podTemplateHash(a, 2));
  t.is(canonicalJson({ b: undefined, a: [1, { d: 2, c: 3 }] }), '{"a":[1,{"c":3,"d":2}]}');
});

test("changeTaints() says nothing when nothing changes, and lets a replacing taint keep its time", (t) => {
  const node = makeNode({ taints: [{ key: "a", effect: "NoExecute", timeAdded: at(5) }, { key: "mine", effect: "NoSchedule" }] });
  t.is(changeTaints(node, [{ key: "a", effect: "NoExecute" }], [{ key: "b", effect: "NoExecute" }], NOW), undefined);
  t.deepEqual(changeTaints(node, [{ key: "b", effect: "NoExecute" }], [{ key: "a", effect: "NoExecute" }], NOW), [{ key: "mine", effect: "NoSchedule" }, { key: "b", effect: "NoExecute", timeAdded: at(5) }]);
  t.deepEqual(changeTaints(makeNode(), [{ key: "b", effect: "NoExecute" }], [], NOW), [{ key: "b", effect: "NoExecute", timeAdded: at(3_600) }]);
});
