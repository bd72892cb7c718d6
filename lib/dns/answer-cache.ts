/**
 * Answers of upstream resolvers, kept as bytes for as long as their records say (bounded), least recently used out first.
 * Promises: at most ANSWERS_MAX answers and ANSWER_BYTES_MAX each; a kept answer counts its times to live down.
 */
import type { Clock } from "../util/clock.ts";
import { skipName } from "./message.ts";
import { RCODE, TYPE } from "./record.ts";

export const ANSWERS_MAX = 10_000, ANSWER_BYTES_MAX = 16_384;
const TTL_SECONDS_MAX = 30, NEGATIVE_TTL_SECONDS_MAX = 10, FAILURE_TTL_SECONDS = 1;

interface Kept { readonly bytes: Buffer; readonly ttlOffsets: readonly number[]; readonly storedMs: number; readonly expiresMs: number }

export class AnswerCache {
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();

  constructor(clock: Clock) { this.#clock = clock; }

  get size(): number { return this.#kept.size; }

  /** A copy with the id and question of `query` (the answer's own question has the same length), or undefined. */
  get(key: string, id: number, question: Buffer): Buffer | undefined {
    const kept = this.#kept.get(key), nowMs = this.#clock.monotonicMs();
    if (kept === undefined) return undefined;
    this.#kept.delete(key);
    if (kept.expiresMs <= nowMs) return undefined;
    this.#kept.set(key, kept); // The most recent one is the last.
    const copy = Buffer.from(kept.bytes), age = Math.floor((nowMs - kept.storedMs) / 1_000);
    for (const offset of kept.ttlOffsets) copy.writeUInt32BE(Math.max(0, copy.readUInt32BE(offset) - age), offset);
    copy.writeUInt16BE(id, 0);
    question.copy(copy, 12);
    return copy;
  }

  /** Keeps an answer if it says that it may be kept. */
  set(key: string, answer: Buffer): void {
    const times = readTimes(answer);
    if (times === undefined || times.seconds <= 0 || answer.length > ANSWER_BYTES_MAX) return;
    const nowMs = this.#clock.monotonicMs();
    this.#kept.delete(key);
    this.#kept.set(key, { bytes: Buffer.from(answer), ttlOffsets: times.offsets, storedMs: nowMs, expiresMs: nowMs + times.seconds * 1_000 });
    if (this.#kept.size > ANSWERS_MAX) this.#kept.delete(this.#kept.keys().next().value!);
  }
}

/** Where the times to live stand, and for how long the whole may be kept; undefined when it cannot be read or is cut short. */
export function readTimes(answer: Buffer): { offsets: number[]; seconds: number } | undefined {
  if (answer.length < 12) return undefined;
  const flags = answer.readUInt16BE(2), rcode = flags & 0xf;
  if ((flags & 0x0200) !== 0 || answer.readUInt16BE(4) !== 1) return undefined;
  const question = skipName(answer, 12, false);
  if (question === undefined) return undefined;
  if (rcode !== RCODE.noError && rcode !== RCODE.nameError) return { offsets: [], seconds: FAILURE_TTL_SECONDS };
  const counts = [answer.readUInt16BE(6), answer.readUInt16BE(8), answer.readUInt16BE(10)] as const, offsets: number[] = [];
  let at = question + 4, lowest = TTL_SECONDS_MAX, soa: number | undefined;
  for (const [section, count] of counts.entries()) {
    for (let i = 0; i < count; i++) {
      const name = skipName(answer, at, true);
      if (name === undefined || name + 10 > answer.length) return undefined;
      const type = answer.readUInt16BE(name), ttl = answer.readUInt32BE(name + 4), length = answer.readUInt16BE(name + 8), end = name + 10 + length;
      if (end > answer.length) return undefined;
      if (type !== TYPE.OPT) { // Its field means something else.
        offsets.push(name + 4);
        if (section === 0) lowest = Math.min(lowest, ttl);
        if (section === 1 && type === TYPE.SOA && length >= 20) soa = Math.min(ttl, answer.readUInt32BE(end - 4));
      }
      at = end;
    }
  }
  const negative = rcode === RCODE.nameError || counts[0] === 0;
  return { offsets, seconds: negative ? Math.min(soa ?? 0, NEGATIVE_TTL_SECONDS_MAX) : lowest };
}
