import test from "ava";
import { gunzipSync } from "node:zlib";
import { ApiRequest, type ApiResponse, type ResponseStream } from "../../../../lib/apiserver/http/exchange.ts";
import { acceptsGzip, send, type ResponseSink } from "../../../../lib/apiserver/http/respond.ts";

const request = (headers: Record<string, string> = {}, method = "GET") => new ApiRequest(method, "/", headers, "HTTP/1.1", {} as ApiRequest["source"], 0);

/** Remembers what was sent. */
class Recorder implements ResponseSink {
  status = 0;
  headers: Record<string, string | string[]> = {};
  readonly parts: Buffer[] = [];
  readonly taking: (() => void)[] = [];
  ended = false;
  aborted = false;
  complete(status: number, headers: Record<string, string | string[]>, body: Buffer | string): void {
    Object.assign(this, { status, headers, ended: true });
    this.parts.push(Buffer.from(body));
  }
  start(status: number, headers: Record<string, string | string[]>): ResponseStream {
    Object.assign(this, { status, headers });
    return {
      write: (chunk, written) => {
        this.parts.push(chunk);
        if (written !== undefined) this.taking.push(written);
        return this.parts.length % 2 === 0;
      },
      drained: () => Promise.resolve(), bufferedBytes: () => 0, end: () => { this.ended = true; }, abort: () => { this.aborted = true; }, closed: false, onClose() {},
    };
  }
  get body(): Buffer { return Buffer.concat(this.parts); }
}
async function sent(response: ApiResponse, headers: Record<string, string> = {}, method = "GET", warnings: string[] = []): Promise<Recorder> {
  const recorder = new Recorder(), asked = request(headers, method);
  for (const text of warnings) asked.addWarning(text);
  await send(asked, response, recorder);
  return recorder;
}
const json = (body: ApiResponse["body"]): ApiResponse => ({ status: 200, contentType: "application/json", body });

test("acceptsGzip() reads the header as written by browsers, Go and those who refuse it", (t) => {
  for (const header of ["gzip", "deflate, gzip;q=1.0, *;q=0.5", "br,gzip"]) t.true(acceptsGzip(request({ "accept-encoding": header })), header);
  for (const header of ["", "identity", "gzip;q=0", "x-gzip", "gzip;q=0.0, br"]) t.false(acceptsGzip(request({ "accept-encoding": header })), header);
});

test("send() zips what is long, for those who accept it", async (t) => {
  const body = Buffer.from("abc".repeat(100_000)), zipped = await sent(json(body), { "accept-encoding": "gzip" });
  t.is(zipped.headers["content-encoding"], "gzip");
  t.is(zipped.headers["content-length"], String(zipped.body.length));
  t.deepEqual(gunzipSync(zipped.body), body);
  t.is((await sent(json(body))).headers["content-encoding"], undefined);
  t.is((await sent(json("short"), { "accept-encoding": "gzip" })).headers["content-encoding"], undefined);
});

test("send() writes chunks in order, plain and zipped", async (t) => {
  const chunks = ["a", "b", "c"].map((letter) => Buffer.from(letter.repeat(70_000))), whole = Buffer.concat(chunks), body = { chunks, sizeBytes: whole.length };
  const plain = await sent(json(body));
  t.deepEqual([plain.body.equals(whole), plain.ended, plain.headers["content-length"]], [true, true, "210000"]);
  const zipped = await sent(json(body), { "accept-encoding": "gzip" });
  t.deepEqual([gunzipSync(zipped.body).equals(whole), zipped.ended, zipped.headers["content-length"]], [true, true, undefined]);
});

test("send() tells which chunks are written, once the client or the compressor has taken them", async (t) => {
  const chunks = ["a", "b", "c"].map((letter) => Buffer.from(letter.repeat(70_000)));
  for (const headers of [{}, { "accept-encoding": "gzip" }]) {
    const written: Buffer[] = [], body = { chunks, sizeBytes: 210_000, written: (chunk: Buffer) => { written.push(chunk); } };
    const recorder = await sent(json(body), headers);
    if (!("accept-encoding" in headers)) {
      t.deepEqual(written, [], "the client has not taken them yet");
      for (const take of recorder.taking) take();
    }
    t.deepEqual(written, chunks);
  }
});

test("send() cuts an answer that breaks off", async (t) => {
  function* broken(): Generator<Buffer> { yield Buffer.from("x"); throw new Error("lost"); }
  const recorder = new Recorder();
  await t.throwsAsync(send(request(), json({ chunks: broken(), sizeBytes: 10 }), recorder), { message: "lost" });
  t.deepEqual([recorder.aborted, recorder.ended], [true, false]);
});

test("send() quotes warnings, each in a header of its own", async (t) => {
  const { headers } = await sent(json("{}"), {}, "GET", ['unknown field "a"', "two\nlines"]);
  t.deepEqual(headers["warning"], ['299 - "unknown field \\"a\\""', '299 - "two lines"']);
});

test("send() answers HEAD with the length alone", async (t) => {
  const { headers, body } = await sent(json("12345"), {}, "HEAD");
  t.deepEqual([headers["content-length"], body.length], ["5", 0]);
});
