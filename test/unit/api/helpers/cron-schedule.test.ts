/** Cases re-told from robfig/cron v3 `spec_test.go` and `constantdelay_test.go`. */
import test from "ava";
import { formatInZone, nextDueMs } from "../../../../lib/api/helpers/cron-schedule.ts";
import { parseCron } from "../../../../lib/api/helpers/cron-syntax.ts";

const next = (schedule: string, after: string, zone = "UTC"): string | undefined => { const ms = nextDueMs(parseCron(schedule), Date.parse(after), zone); return ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 19); };

test("nextDueMs() is the first minute after the given one that fits every field", (t) => {
  for (const [schedule, after, due] of [
    ["0/15 * * * *", "2012-07-09T14:45:00Z", "2012-07-09T15:00:00"],
    ["0/15 * * * *", "2012-07-09T14:59:59Z", "2012-07-09T15:00:00"],
    ["20-35/15 * * * *", "2012-07-09T15:45:00Z", "2012-07-09T16:20:00"],
    ["20-35/15 */2 * * *", "2012-07-09T23:35:51Z", "2012-07-10T00:20:00"],
    ["20-35/15 10-12 * * *", "2012-07-09T23:35:51Z", "2012-07-10T10:20:00"],
    ["0 0 1 * *", "2012-12-31T23:59:45Z", "2013-01-01T00:00:00"],
    ["0 0 29 Feb ?", "2012-07-09T23:35:00Z", "2016-02-29T00:00:00"],
    ["0 0 * Feb Mon", "2012-07-09T23:35:00Z", "2013-02-04T00:00:00"],
    ["0 0 */5 Apr,Aug,Oct Mon", "2012-07-20T23:35:00Z", "2012-08-01T00:00:00"],
    ["@hourly", "2012-07-09T14:45:00Z", "2012-07-09T15:00:00"], ["@weekly", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00"], ["@yearly", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00"],
  ] as const) t.is(next(schedule, after), due, `${schedule} after ${after}`);
});

test("nextDueMs() takes either day when both are named, and both when one is open", (t) => {
  t.is(next("0 0 1,15 * Sun", "2012-07-09T00:00:00Z"), "2012-07-15T00:00:00");
  t.is(next("0 0 13 * Fri", "2026-02-01T00:00:00Z"), "2026-02-06T00:00:00");
  t.is(next("0 0 * * Fri", "2026-02-01T00:00:00Z"), "2026-02-06T00:00:00");
  t.is(next("0 0 13 * *", "2026-02-01T00:00:00Z"), "2026-02-13T00:00:00");
});

test("nextDueMs() is undefined for a day that never comes", (t) => {
  t.is(next("0 0 30 Feb ?", "2012-07-09T23:35:00Z"), undefined);
  t.is(next("0 0 31 Apr ?", "2012-07-09T23:35:00Z"), undefined);
});

test("nextDueMs() reads the zone, and what a shift skips or repeats", (t) => {
  t.is(next("0 9 * * *", "2026-01-01T00:00:00Z", "Asia/Tokyo"), "2026-01-02T00:00:00");
  t.is(next("TZ=Asia/Tokyo 0 9 * * *", "2026-01-01T01:00:00Z"), "2026-01-02T00:00:00");
  // New York springs forward on 2012-03-11 and falls back on 2012-11-04.
  t.is(next("0 2 11 Mar ?", "2012-03-11T05:00:00Z", "America/New_York"), "2013-03-11T06:00:00");
  t.is(next("0 3 * * *", "2012-03-11T05:00:00Z", "America/New_York"), "2012-03-11T07:00:00");
  t.is(next("0 1 4 Nov ?", "2012-11-04T04:00:00Z", "America/New_York"), "2012-11-04T05:00:00");
  t.is(next("0 1 4 Nov ?", "2012-11-04T05:00:00Z", "America/New_York"), "2012-11-04T06:00:00");
  t.is(next("0 0 * * *", "2012-11-04T04:00:00Z", "America/New_York"), "2012-11-05T05:00:00");
  // São Paulo had no midnight on 2018-11-04.
  t.is(next("0 0 * * *", "2018-11-03T12:00:00Z", "America/Sao_Paulo"), "2018-11-05T02:00:00");
  t.is(next("30 1 * * *", "2018-11-03T12:00:00Z", "America/Sao_Paulo"), "2018-11-04T03:30:00");
});

test("@every counts whole seconds, at least one", (t) => {
  t.is(next("@every 15m10s", "2012-07-09T14:45:00.500Z"), "2012-07-09T15:00:10");
  t.is(next("@every 1h30m", "2012-07-09T14:45:00Z"), "2012-07-09T16:15:00");
  t.is(next("@every 10ms", "2012-07-09T14:45:00Z"), "2012-07-09T14:45:01");
});

test("formatInZone() writes the zone's own reading with its offset", (t) => {
  const at = Date.parse("2026-01-01T00:00:05Z");
  t.deepEqual([formatInZone(at, "UTC"), formatInZone(at, "Asia/Tokyo"), formatInZone(at, "America/St_Johns")], ["2026-01-01T00:00:05Z", "2026-01-01T09:00:05+09:00", "2025-12-31T20:30:05-03:30"]);
});
