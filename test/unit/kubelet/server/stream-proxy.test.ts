import test, { type ExecutionContext } from "ava";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { proxyUpgrade } from "../../../../lib/kubelet/server/stream-proxy.ts";

const REQUEST = { method: "POST", rawHeaders: ["Host", "kubelet", "Authorization", "Bearer secret", "Upgrade", "SPDY/3.1"] } as IncomingMessage;

/** A streaming server of the runtime that treats each connection with `serve`. */
async function runtime(t: ExecutionContext, serve: (socket: Socket) => void): Promise<URL> {
  const server = createServer(serve).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/exec/token`);
}

/** A client's end of the connection that takes one piece a turn, as TLS on a busy machine does. */
function slowClient(): { socket: Duplex; heard: Buffer[] } {
  const heard: Buffer[] = [];
  const socket = new Duplex({ allowHalfOpen: false, read() {}, write(chunk: Buffer, _encoding, done) { heard.push(chunk); setImmediate(done); } });
  return { socket, heard };
}

test("proxyUpgrade() passes on to a slow client all that the runtime said before it closed, and keeps who the client is to itself", async (t) => {
  const words = Buffer.alloc(500_000, 7);
  let asked = "";
  const url = await runtime(t, (socket) => socket.once("data", (part) => { asked = part.toString(); socket.end(words); }));
  const { socket, heard } = slowClient();
  proxyUpgrade(REQUEST, socket, Buffer.from("head"), url);
  await once(socket, "finish");
  t.true(Buffer.concat(heard).equals(words), `${Buffer.concat(heard).length} of ${words.length} bytes`);
  t.regex(asked, /^POST \/exec\/token HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\nUpgrade: SPDY\/3\.1\r\n\r\n/);
});

test("proxyUpgrade() closes the runtime's end when the client goes, however much the runtime still has to say", async (t) => {
  let cut!: () => void;
  const wasCut = new Promise<void>((resolve) => { cut = resolve; });
  const url = await runtime(t, (socket) => {
    const talk = (): void => { if (!socket.destroyed) socket.write(Buffer.alloc(1_000), talk); };
    socket.on("error", () => {}).on("close", cut).once("data", talk);
  });
  const { socket, heard } = slowClient();
  proxyUpgrade(REQUEST, socket, Buffer.alloc(0), url);
  while (heard.length === 0) await new Promise((resolve) => { setImmediate(resolve); });
  socket.destroy();
  await wasCut;
  t.pass();
});

test("proxyUpgrade() answers 502 when the runtime cannot be reached", async (t) => {
  const url = await runtime(t, (socket) => socket.destroy());
  const { socket, heard } = slowClient();
  url.port = "1";
  proxyUpgrade(REQUEST, socket, Buffer.alloc(0), url);
  await once(socket, "finish");
  t.regex(Buffer.concat(heard).toString(), /^HTTP\/1\.1 502 Bad Gateway\r\n(.*\r\n)*\r\ncannot reach the container runtime's streaming server: connect ECONNREFUSED/);
});
