/** A small HTTP server that lives as long as its signal: health, metrics, node health checks. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { aborted } from "../util/abort.ts";

export interface HttpAnswer { readonly code: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> }
export type HttpHandler = (path: string, request: IncomingMessage) => HttpAnswer | Promise<HttpAnswer>;
export interface ListenAddress { readonly host: string; readonly port: number }

/** `host:port`, `[v6]:port`. Throws RangeError. */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d+)$/.exec(text), port = Number(match?.[3]);
  if (match === null || !(port >= 0 && port <= 65_535)) throw new RangeError(`Cannot read the address ${JSON.stringify(text)}: expected host:port`);
  return { host: match[1] ?? (match[2] === "" ? "::" : match[2]!), port };
}

/** Serves until `signal` aborts; rejects when it cannot listen. `onListening` gets the port. */
export async function serveHttp({ host, port }: ListenAddress, handler: HttpHandler, signal: AbortSignal, onListening: (port: number) => void = () => {}): Promise<void> {
  if (signal.aborted) return;
  const server = createServer((request, response) => void answer(handler, request, response));
  server.keepAliveTimeout = 5_000;
  server.requestTimeout = 10_000;
  const listen = (on: string): Promise<void> => new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: on, port, exclusive: true }, () => { server.off("error", reject); resolve(); });
  });
  try { await listen(host).catch((error: NodeJS.ErrnoException) => { if (host === "::" && error.code === "EAFNOSUPPORT") return listen("0.0.0.0"); throw error; }); } // A kernel without IPv6.
  catch (error) { throw new Error(`Cannot listen on ${host}:${port}: ${(error as Error).message}`, { cause: error }); }
  onListening((server.address() as { port: number }).port);
  await aborted(signal);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

async function answer(handler: HttpHandler, request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.resume();
  let result: HttpAnswer;
  try { result = await handler((request.url ?? "/").split("?")[0]!, request); }
  catch (error) { result = { code: 500, body: `${(error as Error).message}\n` }; }
  response.writeHead(result.code, { "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff", ...result.headers });
  response.end(result.body);
}

export const JSON_HEADERS = { "Content-Type": "application/json" } as const;
export const NOT_FOUND: HttpAnswer = { code: 404, body: "404 page not found\n" };
