import test from "ava";
import { Entry } from "../../../../lib/apiserver/cache/entry.ts";
import type { CacheEvent } from "../../../../lib/apiserver/cache/history.ts";
import type { ResponseStream } from "../../../../lib/apiserver/http/exchange.ts";
import { QUEUE_EVENTS_MAX, Watcher, watchEventOf } from "../../../../lib/apiserver/rest/watcher.ts";

const entry = (revision: number, labels: Record<string, string> = {}, key = "/r/ns/a") => new Entry(key, "ns", "a", revision, Buffer.from("{}"), 1, labels, undefined);
const put = (now: Entry, previous?: Entry): CacheEvent => ({ type: "put", revision: now.revision, entry: now, previous });
const web = (each: Entry) => each.labels?.["app"] === "web";

/** A client that takes what is written only when told. */
class SlowStream implements ResponseStream {
  readonly written: string[] = [];
  closed = false;
  #buffered = 0;
  #waiting: (() => void)[] = [];
  readonly #limit: number;
  constructor(limit = Infinity) { this.#limit = limit; }
  write(chunk: Buffer): boolean { this.written.push(chunk.toString()); this.#buffered += chunk.length; return this.#buffered < this.#limit; }
  bufferedBytes(): number { return this.#buffered < this.#limit ? 0 : Infinity; }
  drained(): Promise<void> { return new Promise((resolve) => { this.#waiting.push(resolve); }); }
  drain(): void { this.#buffered = 0; for (const resolve of this.#waiting.splice(0)) resolve(); }
  end(): void { this.closed = true; }
  abort(): void { this.closed = true; }
  onClose(): void {}
}
const watch = (stream: ResponseStream, matches: (each: Entry) => boolean = () => true) =>
  new Watcher(stream, { keyPrefix: "/r/ns/", matches, frame: (type, each) => Buffer.from(`${type}@${each.revision};`), afterRevision: 0 });

test("watchEventOf() sees objects come, change, leave and go", (t) => {
  const inside = entry(1, { app: "web" }), outside = entry(1, { app: "db" });
  const kind = (event: CacheEvent) => watchEventOf(event, web)?.type;
  t.is(kind(put(entry(2, { app: "web" }))), "ADDED");
  t.is(kind(put(entry(2, { app: "web" }), outside)), "ADDED");
  t.is(kind(put(entry(2, { app: "web" }), inside)), "MODIFIED");
  t.is(kind(put(entry(2, { app: "db" }), inside)), "DELETED");
  t.is(kind(put(entry(2, { app: "db" }), outside)), undefined);
  t.is(kind({ type: "delete", revision: 2, entry: inside.at(2), previous: inside }), "DELETED");
  t.is(kind({ type: "delete", revision: 2, entry: outside.at(2), previous: outside }), undefined);
  const left = watchEventOf(put(entry(7, { app: "db" }), inside), web)!;
  t.deepEqual([left.entry.revision, left.entry.labels], [7, { app: "web" }]);
});

test("Watcher holds events until it is released, and takes none twice", (t) => {
  const stream = new SlowStream(), watcher = watch(stream);
  watcher.onEvents([put(entry(1)), put(entry(2))]);
  t.deepEqual(stream.written, []);
  watcher.release();
  watcher.onEvents([put(entry(2)), put(entry(3))]);
  t.is(stream.written.join(""), "ADDED@1;ADDED@2;ADDED@3;");
});

test("Watcher passes over other namespaces", (t) => {
  const stream = new SlowStream(), watcher = watch(stream);
  watcher.release();
  watcher.onEvents([put(entry(1, {}, "/r/other/a")), put(entry(2, {}, "/r/ns-2/a"))]);
  t.deepEqual(stream.written, []);
  t.is(watcher.revision, 2);
});

test("Watcher waits for a slow client and goes on in order", async (t) => {
  const stream = new SlowStream(5), watcher = watch(stream);
  watcher.release();
  watcher.onEvents([put(entry(1))]);
  watcher.onEvents([put(entry(2))]);
  t.is(stream.written.join(""), "ADDED@1;");
  t.false(watcher.idle);
  stream.drain();
  await Promise.resolve();
  t.is(stream.written.join(""), "ADDED@1;ADDED@2;");
});

test("Watcher cuts off a client that falls too far behind", (t) => {
  const stream = new SlowStream(5), watcher = watch(stream);
  watcher.release();
  for (let revision = 1; revision <= QUEUE_EVENTS_MAX + 2; revision++) watcher.onEvents([put(entry(revision))]);
  t.true(stream.closed);
});
