import test from "ava";
import { timeLeftMs } from "../../../../lib/controllers/ttl-after-finished/ttl-after-finished-controller.ts";
import { NOW, at } from "../build.ts";
import { makeJob } from "../job/build.ts";

const ended = (type: string, ttl: number | undefined, status = "True") => makeJob({ ttlSecondsAfterFinished: ttl }, { conditions: [{ type, status, lastTransitionTime: at(3_590) }] });

test("timeLeftMs() counts from the end of the Job, however it ended", (t) => {
  t.is(timeLeftMs(ended("Complete", 30), NOW), 20_000);
  t.is(timeLeftMs(ended("Failed", 10), NOW), 0);
  t.is(timeLeftMs(ended("Failed", 0), NOW), 0);
});

test("timeLeftMs() is undefined without a TTL, before the end and while the Job is being deleted", (t) => {
  t.is(timeLeftMs(ended("Complete", undefined), NOW), undefined);
  t.is(timeLeftMs(ended("Suspended", 1), NOW), undefined);
  t.is(timeLeftMs(ended("Complete", 1, "False"), NOW), undefined);
  const leaving = ended("Complete", 1);
  leaving.metadata.deletionTimestamp = at(1);
  t.is(timeLeftMs(leaving, NOW), undefined);
});
