import test from "ava";
import fc from "fast-check";
import { escapeFieldValue, exactFieldValue, formatFieldSelector, matchesFields, parseFieldSelector, parseFieldSelectorQuery } from "../../../../lib/api/helpers/field-selector.ts";

test("matchesFields() reads = == and !=, an absent field as empty", (t) => {
  const fields = { "metadata.name": "web", "status.phase": "Running" };
  t.true(matchesFields(parseFieldSelector("metadata.name=web,status.phase!=Failed"), fields));
  t.true(matchesFields(parseFieldSelector("metadata.name==web,"), fields));
  t.true(matchesFields(parseFieldSelector("spec.nodeName="), fields));
  t.false(matchesFields(parseFieldSelector("spec.nodeName!="), fields));
  t.is(exactFieldValue(parseFieldSelector("a!=1,b=2"), "b"), "2");
});

test("parseFieldSelector() refuses with upstream's words", (t) => {
  t.throws(() => parseFieldSelector("a=b,c"), { message: "invalid selector: 'a=b,c'; can't understand 'c'" });
  t.throws(() => parseFieldSelector("a=\\x"), { message: "invalid field selector: invalid escape sequence: \\x" });
  t.throws(() => parseFieldSelector("a=b=c"), { message: "invalid field selector: unescaped character in value: 61" });
});

test("parseFieldSelectorQuery() names a field the kind does not offer", (t) => {
  t.throws(() => parseFieldSelectorQuery("spec.x=1", new Set(["spec.nodeName"])), { name: "StatusError", message: "field label not supported: spec.x" });
  t.throws(() => parseFieldSelectorQuery("spec.x=1", new Set()), { message: '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"' });
});

test("escapeFieldValue() makes any value read back as itself", (t) => {
  fc.assert(fc.property(fc.string(), (value) => {
    const selector = parseFieldSelector(`a=${escapeFieldValue(value)}`);
    t.is(selector.requirements[0]!.value, value);
    t.deepEqual(parseFieldSelector(formatFieldSelector(selector)), selector);
  }));
});
