import test from "ava";
import { nearest } from "../../../lib/util/nearest.ts";

test("nearest() finds what was mistyped: a letter more, less, other, swapped, or of another case", (t) => {
  for (const typed of ["secure-prt", "secure-portt", "secure-pert", "secure-prot", "Secure-Port"]) t.is(nearest(typed, ["bind-address", "secure-port"]), "secure-port", typed);
});
test("nearest() guesses nothing when everything is far", (t) => {
  t.is(nearest("nonsense", ["secure-port", "bind-address"]), undefined);
  t.is(nearest("x", []), undefined);
  t.is(nearest("a".repeat(1_000_000), ["a".repeat(99)]), undefined);
});
