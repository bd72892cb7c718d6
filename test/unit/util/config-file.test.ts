import test from "ava";
import { ConfigError, parseConfig } from "../../../lib/util/config-file.ts";

const one = (text: string) => parseConfig(text, "f.yaml")[0]!;

test("parseConfig() gives each document that holds something", (t) => {
  t.deepEqual(parseConfig("# only a comment\n---\na: 1\n---\n---\nb: 2\n", "f.yaml").map(({ value }) => value), [{ a: 1 }, { b: 2 }]);
  t.deepEqual(parseConfig("", "f.yaml"), []);
});
test("parseConfig() names the line of what is no YAML, is given twice, or is no mapping", (t) => {
  t.throws(() => parseConfig("a: 1\nb: [1,\n", "f.yaml"), { instanceOf: ConfigError, message: /^Cannot use f\.yaml, line [23]: / });
  t.throws(() => parseConfig("a: 1\nb: 2\na: 3\n", "f.yaml"), { message: /line 3: Map keys must be unique/ });
  t.throws(() => parseConfig("a: 1\n---\n- x\n", "f.yaml"), { message: 'Cannot use f.yaml, line 3: expected fields as "name: value", found ["x"]' });
});
test("ConfigDocument.lineOf() finds fields in fields and entries of lists, in any document of the file", (t) => {
  const [, second] = parseConfig("a: 1\n---\nb:\n  c:\n    - x\n    - d: 1\n", "f.yaml");
  t.is(second!.lineOf(["b"]), 3);
  t.is(second!.lineOf(["b", "c"]), 4);
  t.is(second!.lineOf(["b", "c", 1, "d"]), 6);
  t.is(second!.lineOf(["b", "absent"]), 3);
});
test("ConfigSection reads fields of the wanted type and refuses others, with what was found", (t) => {
  const section = one("port: 80\nname: x\nratio: 0.5\nlist: [a, 1]\nafter: 1m\non: yes\nnothing: null\nlabels: {a: b}\n").section();
  t.is(section.get("port", "integer"), 80);
  t.is(section.get("absent", "integer", 7), 7);
  t.is(section.get("nothing", "string", "fallback"), "fallback");
  t.is(section.durationMs("after", 0), 60_000);
  t.deepEqual(section.get("labels", "texts"), { a: "b" });
  t.throws(() => section.get("ratio", "integer"), { message: 'Cannot use f.yaml, line 3: field "ratio" must be a whole number, found 0.5' });
  t.throws(() => section.get("list", "strings"), { message: 'Cannot use f.yaml, line 4: field "list" must be a list of texts, found ["a",1]' });
  t.throws(() => section.get("on", "boolean"), { message: 'Cannot use f.yaml, line 6: field "on" must be true or false, found "yes"' });
  t.throws(() => section.choice("name", ["a", "b"], "a"), { message: /line 2: field "name" must be a or b, found "x"/ });
  t.throws(() => section.durationMs("port", 0), { message: /line 1: field "port" must be a duration such as 1m30s, found 80/ });
  t.throws(() => section.section("name"), { message: /line 2: field "name" must be fields below it, found "x"/ });
});
test("ConfigSection.finish() refuses what nobody asked for with the nearest name, sections below it too, and names what does nothing", (t) => {
  const read = (text: string): string[] => { const top = one(text).section(); top.get("port", "integer"); top.section("tls").get("certFile", "string"); return top.finish(["burst"]); };
  t.deepEqual(read("port: 1\ntls: {certFile: x}\nburst: 5\n"), ["burst"]);
  t.deepEqual(read("burst: 0\n"), []);
  t.throws(() => read("prot: 1\n"), { message: 'Cannot use f.yaml, line 1: unknown field "prot"; did you mean "port"?' });
  t.throws(() => read("port: 1\ntls:\n  certfile: x\n"), { message: 'Cannot use f.yaml, line 3: unknown field "tls.certfile"; did you mean "certFile"?' });
  t.throws(() => read("zzz: 1\n"), { message: 'Cannot use f.yaml, line 1: unknown field "zzz"' });
  t.throws(() => read("__proto__: 1\nconstructor: 2\n"), { message: /unknown field/ });
});
