/** How long a change takes to reach its watchers: WATCHES of them over CONNECTIONS HTTP/2 connections, each told of every one of CHANGES changes. */
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import path from "node:path";
import { HEADERS, post, URL_BASE, type Server } from "./server.ts";

const CONNECTIONS = 20, WATCHES = 1_000, CHANGES = 100, NAMESPACE = "watched";
const ROOT = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
export interface WatchFigures { readonly watches: number; readonly connections: number; readonly changes: number; readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number }

/** A configMap as it is made here: its name tells which change it is. */
const nameOf = (change: number): string => `change-${change}`;

export async function watchLatency({ dir }: Server): Promise<WatchFigures> {
  await post("/api/v1/namespaces", { metadata: { name: NAMESPACE } });
  const ca = readFileSync(path.join(dir, "ca.crt")), latencies: number[] = [], sentMs = new Map<string, number>();
  const sessions = Array.from({ length: CONNECTIONS + 1 }, () => connect(URL_BASE, { ca }));
  let seen = 0, allSeen: () => void = () => {};
  const onEvent = (name: string): void => {
    const sent = sentMs.get(name);
    if (sent === undefined) return;
    latencies.push(performance.now() - sent);
    if (++seen === WATCHES) allSeen();
  };
  try {
    await Promise.all(Array.from({ length: WATCHES }, (_, i) => openWatch(sessions[i % CONNECTIONS]!, onEvent)));
    for (let change = 0; change < CHANGES; change++) {
      const told = new Promise<void>((resolve) => { allSeen = resolve; });
      seen = 0;
      sentMs.set(nameOf(change), performance.now());
      await create(sessions[CONNECTIONS]!, nameOf(change));
      await told; // One after the other: what is measured is the way of one event, not a queue of our own making.
    }
  } finally { for (const session of sessions) session.destroy(); }
  const sorted = latencies.toSorted((a, b) => a - b), at = (share: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]! * 10) / 10;
  return { watches: WATCHES, connections: CONNECTIONS, changes: CHANGES, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

const streamOf = (session: ClientHttp2Session, method: string, where: string): ClientHttp2Stream => session.request({ ":method": method, ":path": where, ...HEADERS }, { endStream: method === "GET" });

/** Resolves when the server has accepted the watch. */
async function openWatch(session: ClientHttp2Session, onEvent: (name: string) => void): Promise<void> {
  const stream = streamOf(session, "GET", `${ROOT}?watch=1`);
  stream.setEncoding("utf8");
  let rest = "";
  stream.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) { const name = /"name":"(change-\d+)"/.exec(line)?.[1]; if (name !== undefined) onEvent(name); }
  });
  stream.on("error", () => {}); // The session is destroyed at the end.
  const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
  if (headers[":status"] !== 200) throw new Error(`Cannot bench watches: the server answered ${String(headers[":status"])}`);
}

async function create(session: ClientHttp2Session, name: string): Promise<void> {
  const stream = streamOf(session, "POST", ROOT);
  stream.end(JSON.stringify({ metadata: { name } }));
  const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
  if (headers[":status"] !== 201) throw new Error(`Cannot bench watches: a create was answered ${String(headers[":status"])}`);
  stream.resume();
}
