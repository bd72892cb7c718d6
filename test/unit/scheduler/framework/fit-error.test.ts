import test from "ava";
import { NOTE_BYTES_MAX, fitErrorMessage, truncateNote } from "../../../../lib/scheduler/framework/fit-error.ts";
import { reject, rejectForGood } from "../../../../lib/scheduler/framework/plugin.ts";

const plugins = new Set<string>();

test("fitErrorMessage() counts a node under each of its reasons and adds what comes after", (t) => {
  const rejections = new Map([["a", reject("Insufficient cpu", "Insufficient memory")], ["b", reject("Insufficient cpu")]]);
  t.is(fitErrorMessage({ nodesTotal: 2, rejections, plugins }), "0/2 nodes are available: 1 Insufficient memory, 2 Insufficient cpu.");
  t.is(fitErrorMessage({ nodesTotal: 2, rejections, plugins }, "preemption: no."), "0/2 nodes are available: 1 Insufficient memory, 2 Insufficient cpu. preemption: no.");
});

test("fitErrorMessage() tells a rejection of the pod itself once", (t) => {
  t.is(fitErrorMessage({ nodesTotal: 3, rejections: new Map(), podRejection: rejectForGood("pod affinity terms conflict"), plugins }), "0/3 nodes are available: pod affinity terms conflict.");
});

test("truncateNote() keeps what an event may hold, and no half of a character", (t) => {
  t.is(truncateNote("short"), "short");
  const cut = truncateNote("é".repeat(1_000));
  t.true(Buffer.byteLength(cut) <= NOTE_BYTES_MAX);
  t.regex(cut, /^é+ \.\.\.$/);
});
