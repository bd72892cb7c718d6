import test from "ava";
import { createBoard, endedLine, liveLines } from "../../../../lib/install/remote/board.ts";
import { ManualClock } from "../../../../lib/util/clock.ts";

test("createBoard() without a terminal writes a line for each step that ended, and nothing over it", async (t) => {
  const clock = new ManualClock(), written: string[] = [], board = createBoard({ write: (text) => written.push(text) }, ["vm1", "long-name"], clock);
  board.goLive();
  board.begin("vm1", "program");
  board.begin("long-name", "join");
  await clock.advance(1_500);
  board.progress("vm1", "50 % of 150 MB");
  board.end("vm1", "150 MB");
  await clock.advance(1_000);
  board.fail("long-name");
  board.close();
  t.is(written.join(""), "   1.5 s  vm1        program: 150 MB\n   2.5 s  long-name  join: failed\n");
});

test("createBoard() at a terminal keeps a line for each host at work below what ended, and takes them away at the end", async (t) => {
  const clock = new ManualClock(), written: string[] = [], board = createBoard({ write: (text) => written.push(text), isTTY: true, columns: 40, rows: 24 }, ["a", "b"], clock);
  board.begin("a", "connect");
  await clock.advance(200);
  t.deepEqual(written, [], "somebody may be asked for a password meanwhile");
  board.goLive();
  board.begin("b", "join");
  board.progress("b", "certificates");
  await clock.advance(100);
  t.is(written.splice(0).join(""), "   0.3 s  a  connect …\n   0.1 s  b  join … certificates\n");
  board.end("a", "done");
  t.is(written.splice(0).join(""), "\u001b[2A\u001b[0J   0.3 s  a  connect: done\n   0.1 s  b  join … certificates\n");
  board.close();
  t.is(written.splice(0).join(""), "\u001b[1A\u001b[0J");
  await clock.advance(1_000);
  t.deepEqual(written, []);
});

test("liveLines() fits the terminal: long lines are cut, more hosts than rows are counted", (t) => {
  const line = (host: string): { host: string; title: string; detail: string; sinceMs: number } => ({ host, title: "program", detail: "x".repeat(50), sinceMs: 0 });
  const lines = liveLines(["a", "b", "c", "d"].map(line), 1_000, 1, 30, 3);
  t.deepEqual(lines.map((each) => each.length <= 30), [true, true, true]);
  t.regex(lines[2]!, /and 2 more/);
});

test("what hosts say cannot steer the terminal", (t) => {
  t.is(endedLine(0, "a", 1, "join", "x\u001b[2Jy\rz\u009b1m"), "   0.0 s  a  join: x [2Jy z 1m");
});
