import test from "ava";
import fc from "fast-check";
import { EVERYTHING, NOTHING, formatLabelSelector, formatSelector, matchesLabels, parseLabelSelector, parseLabelSelectorQuery, selectorFromObject } from "../../../../lib/api/helpers/label-selector.ts";

const matches = (text: string, labels: Record<string, string>): boolean => matchesLabels(parseLabelSelector(text), labels);

test("matchesLabels() follows every operator", (t) => {
  const labels = { app: "web", tier: "front", size: "10", in: "in" };
  for (const text of ["", "app=web", "app==web", "app!=db", "gone!=x", "tier in (front,back)", "tier notin (x)", "gone notin (x)", "app", "!gone", "size>9", "size<11", "app=web,tier=front", "in in (in)", " app = web , tier "]) t.true(matches(text, labels), text);
  for (const text of ["app=db", "app!=web", "tier in (back)", "tier notin (front)", "!app", "gone", "size>10", "app>1", "gone<1", "app="]) t.false(matches(text, labels), text);
});

test("matchesLabels() does not find inherited names", (t) => {
  t.false(matches("constructor", {}));
  t.true(matches("!toString", {}));
});

test("parseLabelSelector() refuses with upstream's words", (t) => {
  const cases: Record<string, string> = {
    "a in": "unable to parse requirement: found '' expected: '('",
    "a b": "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
    "a=b,": "found '', expected: identifier after ','",
    "=": "found '=', expected: !, identifier, or 'end of string'",
    "a=b c": "found 'c', expected: ',' or 'end of string'",
    "a=!": "unable to parse requirement: found '!', expected: identifier",
    "!": "unable to parse requirement: found '', expected: identifier",
    "a in (b": "unable to parse requirement: found '', expected: ',' or ')'",
    "a>b": 'unable to parse requirement: values[0]: Invalid value: "b": for \'Gt\', \'Lt\' operators, the value must be an integer',
  };
  for (const [text, message] of Object.entries(cases)) t.throws(() => parseLabelSelector(text), { message }, text);
  t.throws(() => parseLabelSelector("a=-b"), { message: /^unable to parse requirement: values\[0\]\[a\]: Invalid value: "-b": a valid label must be an empty string or consist of/ });
  t.throws(() => parseLabelSelector("a/b/c=d"), { message: /^unable to parse requirement: <nil>: Invalid value: "a\/b\/c": a valid label key must consist of/ });
  t.throws(() => parseLabelSelectorQuery("="), { name: "StatusError", message: "found '=', expected: !, identifier, or 'end of string'" });
});

test("parseLabelSelector() reads empty values in sets", (t) => {
  t.deepEqual(parseLabelSelector("x in (a,,b)").requirements[0]!.values, ["", "a", "b"]);
  t.deepEqual(parseLabelSelector("x in ()").requirements[0]!.values, [""]);
  t.deepEqual(parseLabelSelector("x in (,)").requirements[0]!.values, [""]);
});

test("formatSelector() prints what parseLabelSelector() read, ordered by key", (t) => {
  t.is(formatSelector(parseLabelSelector("z,!y,b notin (2,1),a=1,c!=3,d>4")), "a=1,b notin (1,2),c!=3,d>4,!y,z");
  const name = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
  const term = fc.tuple(name, name, name, fc.constantFrom("=", "!=", "in", "notin", "exists", "!")).map(([key, a, b, operator]) =>
    operator === "exists" ? key : operator === "!" ? `!${key}` : operator.endsWith("n") ? `${key} ${operator} (${a},${b})` : `${key}${operator}${a}`);
  fc.assert(fc.property(fc.array(term, { maxLength: 4 }), (terms) => {
    const selector = parseLabelSelector(terms.join(","));
    t.deepEqual(parseLabelSelector(formatSelector(selector)), selector);
  }));
});

test("selectorFromObject() takes absent for nothing and empty for everything", (t) => {
  t.is(selectorFromObject(undefined), NOTHING);
  t.is(selectorFromObject({}), EVERYTHING);
  t.false(matchesLabels(NOTHING, {}));
  const selector = selectorFromObject({ matchLabels: { app: "web" }, matchExpressions: [{ key: "old", operator: "DoesNotExist" }, { key: "tier", operator: "In", values: ["b", "a"] }] });
  t.is(formatSelector(selector), "app=web,!old,tier in (a,b)");
  t.throws(() => selectorFromObject({ matchExpressions: [{ key: "a", operator: "Near" }] }), { message: '"Near" is not a valid label selector operator' });
  t.is(formatLabelSelector({}), "<none>");
  t.is(formatLabelSelector({ matchExpressions: [{ key: "a", operator: "In" }] }), "<error>");
});
