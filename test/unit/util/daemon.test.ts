import test from "ava";
import { DAEMON_FLAGS, parseDaemonFlags, runDaemon } from "../../../lib/util/daemon.ts";
import { FlagError } from "../../../lib/util/flags.ts";

const FLAGS = { port: { type: "int", default: 80, help: "port" }, ...DAEMON_FLAGS } as const;
const parse = (argv: readonly string[]) => parseDaemonFlags("kube-thing", argv, FLAGS);

test("parseDaemonFlags() refuses arguments and log levels nobody knows", (t) => {
  t.is(parse(["--port=8"]).port, 8);
  t.throws(() => parse(["start"]), { instanceOf: FlagError, message: 'unknown command "start" for "kube-thing"' });
  t.throws(() => parse(["--log-level=loud"]), { message: /invalid --log-level "loud": must be one of debug/ });
});

test("runDaemon() answers with an exit code: 0 after help or a clean end, 1 for a wrong flag or a failure", async (t) => {
  let ran = 0;
  const code = (argv: readonly string[], run = async (): Promise<void> => { ran++; }): Promise<number> => runDaemon({ name: "kube-thing", flags: FLAGS, parse, run }, argv);
  t.is(await code(["--help"]), 0);
  t.is(await code(["--nonsense"]), 1);
  t.is(ran, 0);
  t.is(await code(["--log-level=silent"]), 0);
  t.is(ran, 1);
  t.is(await code(["--log-level=silent"], async () => { throw new Error("no"); }), 1);
});
