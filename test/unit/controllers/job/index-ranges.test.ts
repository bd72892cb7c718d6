import test from "ava";
import { IndexRanges } from "../../../../lib/controllers/job/index-ranges.ts";

const parse = (text: string, completions = 100): IndexRanges => IndexRanges.parse(text, completions);

test("IndexRanges reads and writes what a status says, neighbours by comma and longer runs by hyphen", (t) => {
  for (const text of ["", "0", "0,1", "0-2", "0,2-5,7", "1,3,5"]) t.is(parse(text).toString(), text);
  t.is(parse("0-1").toString(), "0,1");
  t.is(parse("0,1,2,3").toString(), "0-3");
});

test("IndexRanges.parse() passes over what cannot be read and cuts at completions", (t) => {
  t.is(parse("0,x,2--3,4").toString(), "0,4");
  t.is(parse("0-9,12", 5).toString(), "0-4");
});

test("IndexRanges.with() and union() merge what touches or overlaps", (t) => {
  t.is(parse("0,2,8-10").with([1, 9, 11]).toString(), "0-2,8-11");
  t.is(parse("0-5").union(parse("3-8,20")).toString(), "0-8,20");
  t.deepEqual([parse("0-5,9").count, parse("0-5,9").has(5), parse("0-5,9").has(6), parse("0-5").overlap(parse("4-9"))], [7, true, false, 2]);
});

test("IndexRanges.missing() gives the first holes below the end", (t) => {
  t.deepEqual(parse("1,3-4").missing(3, 10), [0, 2, 5]);
  t.deepEqual(parse("0-9").missing(3, 10), []);
  t.deepEqual(IndexRanges.NONE.missing(2, 1), [0]);
});
