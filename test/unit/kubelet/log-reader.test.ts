import test from "ava";
import { appendFile, mkdtemp, open, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseLogLine, readLog, tailOffset, type LogOptions } from "../../../lib/kubelet/log-reader.ts";

const OPTIONS: LogOptions = { follow: false, tailLines: undefined, sinceMs: undefined, timestamps: false, limitBytes: undefined, stream: "all" };
const line = (text: string, second = 0, tags = "stdout F"): string => `2026-01-01T00:00:${String(second).padStart(2, "0")}.000000000Z ${tags} ${text}\n`;

async function withLog(text: string, use: (file: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), "log-"));
  try { await writeFile(path.join(directory, "0.log"), text); await use(path.join(directory, "0.log")); }
  finally { await rm(directory, { recursive: true }); }
}
async function read(file: string, over: Partial<LogOptions> = {}): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of readLog(file, { ...OPTIONS, ...over }, async () => false, new AbortController().signal)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

test("parseLogLine() reads CRI's format", (t) => {
  t.deepEqual(parseLogLine(Buffer.from("T stderr P a b")), { time: "T", stream: "stderr", partial: true, text: Buffer.from("a b") });
  t.deepEqual(parseLogLine(Buffer.from("T stdout F"))?.text, Buffer.alloc(0));
  t.is(parseLogLine(Buffer.from("nonsense")), undefined);
});

test("readLog() gives the text, joins parts of a line, and can show times and one stream", (t) => withLog(line("a", 1) + line("b1", 2, "stderr P") + line("b2", 3, "stderr F") + line("", 4), async (file) => {
  t.is(await read(file), "a\nb1b2\n\n");
  t.is(await read(file, { timestamps: true }), "2026-01-01T00:00:01.000000000Z a\n2026-01-01T00:00:02.000000000Z b1b2\n2026-01-01T00:00:04.000000000Z \n");
  t.is(await read(file, { stream: "stderr" }), "b1b2\n");
}));

test("readLog() takes the last lines, from a time on, up to a size", (t) => withLog([1, 2, 3, 4].map((n) => line(`l${n}`, n)).join(""), async (file) => {
  t.is(await read(file, { tailLines: 2 }), "l3\nl4\n");
  t.is(await read(file, { tailLines: 0 }), "");
  t.is(await read(file, { tailLines: 9 }), "l1\nl2\nl3\nl4\n");
  t.is(await read(file, { sinceMs: Date.parse("2026-01-01T00:00:03Z") }), "l3\nl4\n");
  t.is(await read(file, { limitBytes: 5 }), "l1\nl2");
}));

test("tailOffset() finds lines across blocks", (t) => withLog(Array.from({ length: 5_000 }, (_, i) => line(`line ${i}`)).join(""), async (file) => {
  const handle = await open(file);
  const offset = await tailOffset(handle, 4_000);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(100), 0, 100, offset);
  t.true(buffer.subarray(0, bytesRead).toString("utf8").includes(" line 1000\n"));
  await handle.close();
}));

test("readLog() follows growth and rotation, and ends when the container has", (t) => withLog(line("one"), async (file) => {
  let running = true;
  const got: string[] = [], stop = new AbortController();
  let wanted = 1, reached: (() => void) | undefined;
  const until = (count: number): Promise<void> => new Promise((resolve) => { wanted = count; reached = resolve; if (got.join("").split("\n").length > count) resolve(); });
  const reading = (async () => { for await (const chunk of readLog(file, { ...OPTIONS, follow: true }, async () => running, stop.signal)) { got.push(chunk.toString("utf8")); if (got.join("").split("\n").length > wanted) reached?.(); } })();
  await until(1);
  await appendFile(file, line("two").slice(0, 20));
  await appendFile(file, line("two").slice(20));
  await until(2);
  await rename(file, `${file}.1`);
  await writeFile(file, line("three"));
  await until(3);
  await appendFile(file, line("four"));
  running = false;
  await reading;
  t.is(got.join(""), "one\ntwo\nthree\nfour\n");
}));
