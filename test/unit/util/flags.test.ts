import test from "ava";
import { FlagError, parseDurationMs, parseFlags, flagsHelp, HelpWanted } from "../../../lib/util/flags.ts";

const specs = { port: { type: "int", default: 1, help: "" }, name: { type: "string", help: "" }, on: { type: "bool", help: "" }, grace: { type: "duration", default: "1m30s", help: "" }, list: { type: "list", help: "" } } as const;

test("parseFlags() reads equals, spaces, booleans, lists and positionals", (t) => {
  const { flags, args } = parseFlags(["--port=7", "--name", "x=y", "--on", "--list=a,b", "--list", "c", "rest", "--", "--raw"], specs);
  t.deepEqual(flags, { port: 7, name: "x=y", on: true, grace: 90_000, list: ["a", "b", "c"] });
  t.deepEqual(args, ["rest", "--raw"]);
});

test("parseFlags() refuses what it does not know with pflag's words", (t) => {
  t.throws(() => parseFlags(["--nope"], specs), { instanceOf: FlagError, message: "unknown flag: --nope" });
  t.throws(() => parseFlags(["--port=a"], specs), { message: /invalid argument "a" for "--port" flag/ });
  t.throws(() => parseFlags(["--name"], specs), { message: "flag needs an argument: --name" });
  t.throws(() => parseFlags(["--constructor=1"], specs), { message: "unknown flag: --constructor" });
});

test("parseDurationMs() adds Go units", (t) => {
  t.is(parseDurationMs("1h2m3.5s4ms"), 3_723_504);
  t.throws(() => parseDurationMs("5"), { instanceOf: FlagError });
});

test("parseFlags() tells that help is wanted, with what there is, unless the command has such a flag or it comes after what is run", (t) => {
  const specs = { all: { type: "bool", help: "everything" } } as const;
  for (const argv of [["--help"], ["-h"], ["--all", "--help"]]) t.deepEqual(t.throws(() => parseFlags(argv, specs), { instanceOf: HelpWanted }).specs, specs);
  t.deepEqual(parseFlags(["df", "-h"], specs).args, ["df", "-h"]);
  t.deepEqual(parseFlags(["--", "--help"], specs).args, ["--help"]);
  t.true(parseFlags(["--help"], { help: { type: "bool", help: "show this text" } }).flags.help);
  t.regex(flagsHelp("kaji x [flags]", specs), /^Usage:\n {2}kaji x \[flags\]\n\nFlags:\n +--all +everything\n$/);
});
