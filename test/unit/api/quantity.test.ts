import test from "ava";
import fc from "fast-check";
import { addQuantity, canonicalQuantity, compareQuantity, formatQuantity, milliValue, parseQuantity, quantityValue, subtractQuantity } from "../../../lib/api/quantity.ts";

const REGEX_MESSAGE = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

test("canonicalQuantity() prints upstream's canonical form", (t) => {
  const cases: Record<string, string> = {
    "0": "0", "0.5": "500m", "1.5": "1500m", "1000m": "1", "100m": "100m", "2000": "2k", "1024Mi": "1Gi", "1.5Gi": "1536Mi", "1000Ki": "1000Ki",
    "1e3": "1e3", "12e6": "12e6", "1e4": "10e3", "0.1n": "1n", "0.5Ki": "512", "1.1Ki": "1126400m", "9999999999Gi": "9223372036854775807",
    "-1500m": "-1500m", " 1Gi ": "1Gi", "0.001": "1m", "64Mi": "64Mi", "0Gi": "0", ".5": "500m", "1.": "1.", "1.500": "1.500", "+1": "+1",
  };
  for (const [text, canonical] of Object.entries(cases)) t.is(canonicalQuantity(text), canonical, text);
});

test("parseQuantity() refuses what is no quantity with upstream's words", (t) => {
  for (const text of ["", "abc", "1Kb", "1.2.3", "1e1.5", "1 Gi", "１"]) t.throws(() => parseQuantity(text), { name: "QuantityError", message: REGEX_MESSAGE }, text);
  for (const text of ["1KK", "1e", "1mi", "1K", "1Kim", "--1"]) t.throws(() => parseQuantity(text), { message: "unable to parse quantity's suffix" }, text);
});

test("quantityValue() and milliValue() round away from zero", (t) => {
  t.is(quantityValue("100m"), 1);
  t.is(quantityValue("1.5Gi"), 1_610_612_736);
  t.is(quantityValue("-100m"), -1);
  t.is(milliValue("0.1"), 100);
  t.is(milliValue("1u"), 1);
  t.is(milliValue("2"), 2000);
});

test("addQuantity() keeps the first format unless it is zero", (t) => {
  t.is(formatQuantity(addQuantity("1Gi", "512Mi")), "1536Mi");
  t.is(formatQuantity(addQuantity("0", "512Mi")), "512Mi");
  t.is(formatQuantity(subtractQuantity("1", "100m")), "900m");
});

test("canonicalQuantity() keeps the amount and is stable", (t) => {
  const suffix = fc.constantFrom("", "m", "u", "n", "k", "M", "G", "Ki", "Mi", "Gi", "e3", "E-2");
  const number = fc.tuple(fc.constantFrom("", "-"), fc.nat({ max: 999_999 }), fc.option(fc.nat({ max: 999 }))).map(([sign, whole, part]) => `${sign}${whole}${part === null ? "" : `.${part}`}`);
  fc.assert(fc.property(number, suffix, (digits, end) => {
    const text = digits + end, canonical = canonicalQuantity(text);
    if (end !== "n") t.is(compareQuantity(canonical, text), 0, text);
    t.is(canonicalQuantity(canonical), canonical, text);
  }));
});
