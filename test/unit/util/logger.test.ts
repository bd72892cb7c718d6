import test from "ava";
import { execFileSync } from "node:child_process";

/** What a process of its own logs, as it writes to stderr at once. */
function logged(script: string): Record<string, unknown>[] {
  const program = `import { createLogger } from ${JSON.stringify(new URL("../../../lib/util/logger.ts", import.meta.url).href)};\nconst log = createLogger("c");\n${script}`;
  const text = execFileSync("/bin/sh", ["-c", 'exec "$0" --no-warnings --input-type=module -e "$1" 2>&1', process.execPath, program], { encoding: "utf8" });
  return text.trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("createLogger() tells of an error that was dealt with what it is, and of one nobody foresaw where it came from", (t) => {
  const error = 'Object.assign(new RangeError("outer", { cause: new Error("inner") }), { code: 14, details: "noise" })';
  const [warning, failure] = logged(`log.warn({ error: ${error}, failures: 2 }, "cannot"); log.child({ of: "x" }).error({ error: ${error} }, "failed");`);
  t.like(warning, { component: "c", level: "warn", failures: 2, msg: "cannot" });
  t.deepEqual(warning!["error"], { type: "RangeError", message: "outer: inner", code: 14 });
  t.like(failure, { level: "error", of: "x" });
  t.regex((failure!["error"] as { stack: string }).stack, /RangeError: outer\n +at /);
});

test("createLogger() keeps secrets out", (t) => {
  const [line] = logged('log.info({ token: "abc", request: { password: "def" } }, "m");');
  t.like(line, { token: "[redacted]", request: { password: "[redacted]" } });
});
