import test from "ava";
import type { Task } from "../../../../lib/apiserver/long-work/tasks.ts";
import { LongWorkThread } from "../../../../lib/apiserver/long-work/thread.ts";
import { StatusError } from "../../../../lib/api/status-error.ts";
import { ManualClock, systemClock } from "../../../../lib/util/clock.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const yaml = (text: string): Task => ({ task: "decode", model: "ConfigMap", body: bytes(text), mode: "Strict", options: { mediaType: "yaml" } });
const SMALL = yaml("data: {a: b}\n");
/** Some seconds of work. */
const LARGE = yaml(`data:\n${Array.from({ length: 100_000 }, (_, i) => `  key-${i}: value ${i}\n`).join("")}`);
const text = (value: Uint8Array): string => new TextDecoder().decode(value);

test("a task is done, and what it refuses is thrown with its code", async (t) => {
  const thread = new LongWorkThread(systemClock);
  t.is(text((await thread.run(SMALL)).value), '{"data":{"a":"b"}}');
  const error = await t.throwsAsync(thread.run(yaml("data: [")), { instanceOf: StatusError });
  t.is(error.code, 400);
  t.deepEqual((await Promise.all([thread.run(SMALL), thread.run({ task: "write", json: bytes('{"b":1,"a":2}'), form: "yaml" })])).map(({ value }) => text(value)), ['{"data":{"a":"b"}}', "a: 2\nb: 1\n"]);
});

test("a task that takes too long is given up, and those behind it are done", async (t) => {
  const clock = new ManualClock(), thread = new LongWorkThread(clock), late = thread.run(LARGE), next = thread.run(SMALL);
  await clock.advance(30_000);
  t.is((await t.throwsAsync(late, { instanceOf: StatusError })).reason, "Timeout");
  t.is(text((await next).value), '{"data":{"a":"b"}}');
});

test("a task that takes too much memory ends itself alone", async (t) => {
  const thread = new LongWorkThread(systemClock, 24), bomb = thread.run(LARGE), next = thread.run(SMALL);
  t.is((await t.throwsAsync(bomb, { instanceOf: StatusError })).code, 413);
  t.is(text((await next).value), '{"data":{"a":"b"}}');
});
