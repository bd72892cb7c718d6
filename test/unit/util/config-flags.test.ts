import test from "ava";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { readConfigKind, withConfigFile } from "../../../lib/util/config-flags.ts";
import { ConfigError } from "../../../lib/util/config-file.ts";
import { DAEMON_FLAGS, parseDaemonFlags, runDaemon } from "../../../lib/util/daemon.ts";
import { parseFlags } from "../../../lib/util/flags.ts";

const SPECS = {
  config: { type: "string", help: "" }, port: { type: "int", default: 1, help: "" }, name: { type: "string", help: "" }, modes: { type: "list", default: ["x"], help: "" },
  on: { type: "bool", default: true, help: "" }, wait: { type: "duration", help: "" }, ...DAEMON_FLAGS,
} as const;
const KIND = { apiVersion: "things.example/v1", kind: "ThingConfiguration" };
const folder = mkdtempSync(path.join(tmpdir(), "kaji-flags-"));
test.after.always(() => { rmSync(folder, { recursive: true }); });
let files = 0;
const write = (text: string): string => { const file = path.join(folder, `${files++}.yaml`); writeFileSync(file, text); return file; };
const flags = (text: string, ...argv: string[]) => parseFlags(withConfigFile([`--config=${write(text)}`, ...argv], SPECS, KIND), SPECS).flags;

test("withConfigFile() turns fields into flags, of their types", (t) => {
  t.like(flags("port: 80\nname: x y\nmodes: [a, b]\non: false\nwait: 1m\n"), { port: 80, name: "x y", modes: ["a", "b"], on: false, wait: 60_000 });
  t.deepEqual(flags("modes: []\n").modes, []);
});
test("withConfigFile() lets the command line win, for lists as a whole", (t) => {
  t.like(flags("port: 80\nmodes: [a, b]\n", "--port", "81", "--modes=c"), { port: 81, modes: ["c"] });
});
test("withConfigFile() refuses unknown flags and wrong types with line, field, found and expected", (t) => {
  const refused = (text: string, message: RegExp): void => { t.throws(() => flags(text), { instanceOf: ConfigError, message }); };
  refused("port: 80\nprot: 81\n", /^Cannot use .*\.yaml, line 2: unknown field "prot"; did you mean "port"\?$/);
  refused('port: "80"\n', /line 1: field "port" must be a whole number, found "80"$/);
  refused("name: 0.5\n", /line 1: field "name" must be text \(in quotes where it looks like a number\), found 0\.5$/);
  refused("modes: a\n", /field "modes" must be a list of texts, found "a"$/);
  refused("on: maybe\n", /field "on" must be true or false, found "maybe"$/);
  refused("wait: 5\n", /field "wait" must be a duration such as 1m30s, found 5$/);
  refused("config: x\n", /unknown field "config"/);
  refused("port: 1\n---\nport: 2\n", /line 3: a second document of flags; expected one$/);
  t.throws(() => withConfigFile(["--config=/nowhere.yaml"], SPECS, KIND), { instanceOf: ConfigError, message: /Cannot read \/nowhere\.yaml: ENOENT/ });
  t.throws(() => withConfigFile(["--config"], SPECS, KIND), { message: "flag needs an argument: --config" });
});
test("withConfigFile() leaves a document of the daemon's kind to readConfigKind(), and refuses it where there is none", (t) => {
  const text = "port: 80\n---\napiVersion: things.example/v1\nkind: ThingConfiguration\nspeed: 1\n", file = write(text);
  t.is(flags(text).port, 80);
  t.is(readConfigKind(file, KIND)?.value["speed"], 1);
  t.is(readConfigKind(write("port: 80\n"), KIND), undefined);
  t.throws(() => withConfigFile([`--config=${file}`], SPECS, undefined), { message: /line 3: expected flags by their names, as "secure-port: 6443"; this daemon reads no document with a kind$/ });
  t.throws(() => readConfigKind(write("apiVersion: things.example/v2\nkind: ThingConfiguration\n"), KIND), { message: /line 1: field "apiVersion" must be things\.example\/v1, found "things\.example\/v2"$/ });
});
test("runDaemon() ends with 78 for a file that cannot be used, and runs on one that can", async (t) => {
  let port = 0;
  const run = (text: string): Promise<number> => runDaemon({ name: "thing", flags: SPECS, parse: (argv) => parseDaemonFlags("thing", argv, SPECS), run: async (flags) => { port = flags.port; } }, [`--config=${write(text)}`]);
  t.is(await run("prot: 80\n"), 78);
  t.is(await run("port: 80\nlog-level: silent\n"), 0);
  t.is(port, 80);
});
