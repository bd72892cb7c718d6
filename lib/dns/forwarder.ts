/**
 * Asks upstream resolvers.
 *
 * Promises: each question leaves from a socket and under a number of its own, and only an answer that repeats both and the question
 * is taken; the servers are tried in order, the ones that lately failed last; when all failed, further questions fail at once and
 * one in a while goes through to see whether they are back (no egress: no lookups of five seconds); at most IN_FLIGHT_MAX at once.
 * Counterpart: CoreDNS `plugin/forward`.
 */
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { Clock } from "../util/clock.ts";
import type { Query } from "./message.ts";

export interface ForwarderOptions { readonly port?: number; readonly timeoutMs?: number }

export const IN_FLIGHT_MAX = 1_000;
const TIMEOUT_MS = 1_500, PROBE_EVERY_MS = 1_000;

export class ForwardError extends Error { override readonly name = "ForwardError"; }

interface Upstream { readonly address: string; failedAtMs: number | undefined }

export class Forwarder {
  readonly #clock: Clock;
  readonly #port: number;
  readonly #timeoutMs: number;
  #upstreams: Upstream[] = [];
  #inFlight = 0;
  #lastProbeMs = -Infinity;

  constructor(clock: Clock, { port = 53, timeoutMs = TIMEOUT_MS }: ForwarderOptions = {}) {
    this.#clock = clock;
    this.#port = port;
    this.#timeoutMs = timeoutMs;
  }

  /** Replaces the servers; what is known of those that stay is kept. */
  setUpstreams(addresses: readonly string[]): void {
    this.#upstreams = addresses.map((address) => this.#upstreams.find((known) => known.address === address) ?? { address, failedAtMs: undefined });
  }

  get upstreams(): string[] { return this.#upstreams.map((upstream) => upstream.address); }

  /** An answer's bytes with the id of `query`. Throws ForwardError when nobody answers. */
  async ask(query: Query, transport: "udp" | "tcp"): Promise<Buffer> {
    if (this.#upstreams.length === 0) throw new ForwardError("there is no upstream resolver");
    if (this.#inFlight >= IN_FLIGHT_MAX) throw new ForwardError("too many questions are under way");
    if (this.#upstreams.every((upstream) => upstream.failedAtMs !== undefined)) {
      const nowMs = this.#clock.monotonicMs();
      if (nowMs - this.#lastProbeMs < PROBE_EVERY_MS) throw new ForwardError("no upstream resolver answers");
      this.#lastProbeMs = nowMs;
    }
    this.#inFlight++;
    try { return await this.#askInTurn(query, transport); }
    finally { this.#inFlight--; }
  }

  async #askInTurn(query: Query, transport: "udp" | "tcp"): Promise<Buffer> {
    let cause: unknown;
    for (const upstream of this.#upstreams.toSorted((a, b) => (a.failedAtMs ?? -1) - (b.failedAtMs ?? -1))) {
      try {
        const answer = await (transport === "udp" ? askUdp : askTcp)(this.#clock, upstream.address, this.#port, query, this.#timeoutMs);
        upstream.failedAtMs = undefined;
        return answer;
      } catch (error) {
        upstream.failedAtMs = this.#clock.monotonicMs();
        this.#lastProbeMs = upstream.failedAtMs;
        cause = error;
      }
    }
    throw new ForwardError("no upstream resolver answers", { cause });
  }
}

function renumbered(query: Query): { id: number; bytes: Buffer } {
  const id = randomInt(0x10000), bytes = Buffer.from(query.raw);
  bytes.writeUInt16BE(id, 0);
  return { id, bytes };
}

/** Whether `answer` is one to this question; the id is then put back. */
function accept(answer: Buffer, id: number, query: Query): boolean {
  if (answer.length < 12 + query.question.length || answer.readUInt16BE(0) !== id || (answer[2]! & 0x80) === 0) return false;
  if (!answer.subarray(12, 12 + query.question.length).equals(query.question)) return false;
  answer.writeUInt16BE(query.id, 0);
  return true;
}

function askUdp(clock: Clock, address: string, port: number, query: Query, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4"), { id, bytes } = renumbered(query);
    const end = (finish: () => void): void => {
      stopWaiting();
      socket.removeAllListeners();
      socket.on("error", () => {});
      try { socket.close(); } catch { /* It was never opened. */ }
      finish();
    };
    const stopWaiting = clock.after(timeoutMs, () => end(() => reject(new Error(`${address} did not answer within ${timeoutMs} ms`))));
    socket.on("error", (error) => end(() => reject(error)));
    socket.on("message", (answer) => { if (accept(answer, id, query)) end(() => resolve(answer)); });
    socket.once("connect", () => socket.send(bytes));
    socket.connect(port, address); // Connected: a refusal is told at once, strangers are not heard.
  });
}

function askTcp(clock: Clock, address: string, port: number, query: Query, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const { id, bytes } = renumbered(query), socket = connect({ host: address, port }), chunks: Buffer[] = [];
    const end = (finish: () => void): void => { stopWaiting(); socket.destroy(); finish(); };
    const stopWaiting = clock.after(timeoutMs, () => end(() => reject(new Error(`${address} did not answer within ${timeoutMs} ms`))));
    const length = Buffer.alloc(2);
    length.writeUInt16BE(bytes.length);
    socket.on("connect", () => socket.write(Buffer.concat([length, bytes])));
    socket.on("error", (error) => end(() => reject(error)));
    socket.on("close", () => end(() => reject(new Error(`${address} closed the connection`))));
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      const all = Buffer.concat(chunks);
      if (all.length < 2 || all.length < 2 + all.readUInt16BE(0)) return;
      const answer = all.subarray(2, 2 + all.readUInt16BE(0));
      end(() => (accept(answer, id, query) ? resolve(answer) : reject(new Error(`${address} answered something else`))));
    });
  });
}
