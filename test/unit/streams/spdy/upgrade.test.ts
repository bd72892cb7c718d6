import test, { type ExecutionContext } from "ava";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { acceptSpdy, asksSpdy, connectSpdy, UpgradeRefusedError } from "../../../../lib/streams/spdy/upgrade.ts";

async function serve(t: ExecutionContext, protocols: string[]): Promise<URL> {
  const server = createServer((_request, response) => response.writeHead(400).end("no upgrade"));
  server.on("upgrade", (request, socket, head) => {
    t.true(asksSpdy(request.headers));
    acceptSpdy(request.headers, socket, head, { protocols, onStream: (stream) => { stream.reply(); stream.pipe(stream); } });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/exec`);
}

test("connectSpdy() and acceptSpdy() agree on the first protocol both know and carry streams", async (t) => {
  const url = await serve(t, ["v4.channel.k8s.io", "v3.channel.k8s.io"]);
  const { connection, protocol } = await connectSpdy({ url }, ["v5.channel.k8s.io", "v4.channel.k8s.io"]);
  t.is(protocol, "v4.channel.k8s.io");
  const stream = connection.open({ streamType: "stdin" });
  stream.end("over TCP");
  t.is(Buffer.concat(await stream.toArray() as Buffer[]).toString(), "over TCP");
  connection.close();
  await connection.closed;
});

test("connectSpdy() says what the server answered instead of upgrading", async (t) => {
  const url = await serve(t, ["v4.channel.k8s.io"]);
  const error = await t.throwsAsync(() => connectSpdy({ url }, ["v9"]), { instanceOf: UpgradeRefusedError });
  t.is(error!.status, 403);
  t.regex(error!.body, /unable to negotiate protocol/);
  const plain = createServer((_request, response) => response.writeHead(404).end("container not found\n")).listen(0, "127.0.0.1");
  plain.on("upgrade", (_request, socket) => socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 19\r\nConnection: close\r\n\r\ncontainer not found"));
  await once(plain, "listening");
  t.teardown(() => plain.close());
  await t.throwsAsync(() => connectSpdy({ url: new URL(`http://127.0.0.1:${(plain.address() as AddressInfo).port}/`) }, ["v4"]), { instanceOf: UpgradeRefusedError, message: /404 container not found/ });
});
