import test from "ava";
import fc from "fast-check";
import { execFileSync } from "node:child_process";
import { quoteWord, quoteWords } from "../../../../lib/install/remote/shell-words.ts";

test("quoteWords() gives a shell exactly the words it was given, whatever is in them", (t) => {
  const word = fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) => !text.includes("\0"));
  fc.assert(fc.property(fc.array(fc.oneof(word, fc.constantFrom("", "'", "$(id)", "`id`", "a=b", "-n", "~", "\n", "\\", "*", "!x")), { maxLength: 6 }), (words) => {
    const out = execFileSync("sh", ["-c", `for word in ${quoteWords(words)}; do printf '%s\\0' "$word"; done`], { encoding: "utf8" });
    t.deepEqual(out.split("\0").slice(0, -1), words);
  }), { numRuns: 40 });
});

test("quoteWord() leaves plain words readable and refuses a NUL", (t) => {
  t.is(quoteWord("/usr/bin/kaji"), "/usr/bin/kaji");
  t.is(quoteWord("it's"), "'it'\\''s'");
  t.is(quoteWord("A=b"), "'A=b'"); // Plain, it would be an assignment in front of a command.
  t.throws(() => quoteWord("a\0b"), { message: /holds no NUL/ });
});
