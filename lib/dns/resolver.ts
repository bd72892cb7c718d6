/**
 * Resolver: one question in, one answer's bytes out. Names of the cluster from its zone, all others from the cache or upstream.
 *
 * Promises: never throws; the same question asked by many at once goes upstream once; an alias out of the cluster is followed.
 */
import { decode } from "dns-packet";
import type { Clock } from "../util/clock.ts";
import { AnswerCache } from "./answer-cache.ts";
import type { ClusterZone } from "./cluster-zone.ts";
import { ForwardError, type Forwarder } from "./forwarder.ts";
import { encodeAnswer, encodeError, parseQuery, sizeLimit, truncate, type Query } from "./message.ts";
import { RCODE, TYPE, type Answer, type ResourceRecord } from "./record.ts";

export type Transport = "udp" | "tcp";
export type Source = "cluster" | "cache" | "upstream" | "failed" | "refused";
export interface ResolverDeps { readonly zone: ClusterZone; readonly forwarder: Forwarder; readonly clock: Clock; readonly onAnswer?: (source: Source, durationMs: number) => void; readonly onError?: (error: unknown) => void }

const CLASS_IN = 1, ALIASES_MAX = 8;

export class Resolver {
  readonly #deps: ResolverDeps;
  readonly #cache: AnswerCache;
  readonly #underWay = new Map<string, Promise<Buffer>>();

  constructor(deps: ResolverDeps) {
    this.#deps = deps;
    this.#cache = new AnswerCache(deps.clock);
  }

  /** The answer's bytes; undefined when the message deserves none. */
  async handle(raw: Buffer, transport: Transport): Promise<Buffer | undefined> {
    const startMs = this.#deps.clock.monotonicMs();
    const done = (source: Source, answer: Buffer): Buffer => { this.#deps.onAnswer?.(source, this.#deps.clock.monotonicMs() - startMs); return answer; };
    const parsed = parseQuery(raw);
    if (parsed.kind === "ignore") return undefined;
    if (parsed.kind === "error") return done("refused", encodeError(raw, parsed.rcode));
    const { query } = parsed;
    try {
      if (query.class !== CLASS_IN) return done("refused", this.#fail(query, RCODE.refused, transport));
      const result = await this.#cluster(query);
      if (result !== undefined) return done("cluster", encodeAnswer(query, result, sizeLimit(query, transport)));
      return await this.#elsewhere(query, transport, done);
    } catch (error) {
      if (!(error instanceof ForwardError)) this.#deps.onError?.(error);
      return done("failed", this.#fail(query, RCODE.serverFailure, transport));
    }
  }

  async #cluster(query: Query): Promise<Answer | undefined> {
    const followed: ResourceRecord[] = [];
    for (let name = query.name; followed.length < ALIASES_MAX;) {
      const result = this.#deps.zone.resolve({ name, type: query.type });
      if (result.kind === "answer") return followed.length === 0 ? result.answer : { ...result.answer, answers: [...followed, ...result.answer.answers] };
      if (result.kind === "elsewhere") return followed.length === 0 ? undefined : this.#followOut(query, followed, name);
      followed.push(result.record);
      if (query.type === TYPE.CNAME) break;
      name = result.target;
    }
    return { rcode: RCODE.noError, authoritative: true, answers: followed };
  }

  /** An alias of the cluster that leads outside: the addresses behind it go along, when there are any to be had. */
  async #followOut(query: Query, followed: readonly ResourceRecord[], name: string): Promise<Answer> {
    const found: ResourceRecord[] = [];
    if (query.type === TYPE.A || query.type === TYPE.AAAA) {
      const outside = parseQuery(questionFor(name, query.type));
      const bytes = outside.kind === "query" ? await this.#ask(outside.query, "udp").catch(() => undefined) : undefined;
      for (const record of bytes === undefined ? [] : (decode(bytes).answers ?? [])) {
        const named = { name: record.name.toLowerCase(), ttl: "ttl" in record ? (record.ttl ?? 0) : 0 };
        if (record.type === "A" || record.type === "AAAA") found.push({ ...named, type: record.type, address: record.data });
        else if (record.type === "CNAME") found.push({ ...named, type: "CNAME", target: record.data });
      }
    }
    return { rcode: RCODE.noError, authoritative: true, answers: [...followed, ...found] };
  }

  async #elsewhere(query: Query, transport: Transport, done: (source: Source, answer: Buffer) => Buffer): Promise<Buffer> {
    if (!query.recursionDesired) return done("refused", this.#fail(query, RCODE.refused, transport));
    const kept = this.#cache.get(cacheKey(query), query.id, query.question);
    const answer = kept ?? await this.#ask(query, transport);
    return done(kept === undefined ? "upstream" : "cache", answer.length > sizeLimit(query, transport) ? truncate(answer, query) : answer);
  }

  async #ask(query: Query, transport: Transport): Promise<Buffer> {
    const key = cacheKey(query), id = `${transport} ${key}`;
    let asked = this.#underWay.get(id);
    if (asked === undefined) {
      asked = this.#deps.forwarder.ask(query, transport).then((answer) => { this.#cache.set(key, answer); return answer; }).finally(() => this.#underWay.delete(id));
      this.#underWay.set(id, asked);
    }
    const answer = Buffer.from(await asked); // Others wait for the same one: theirs has another id.
    answer.writeUInt16BE(query.id, 0);
    query.question.copy(answer, 12);
    return answer;
  }

  #fail(query: Query, rcode: number, transport: Transport): Buffer { return encodeAnswer(query, { rcode, authoritative: false, answers: [] }, sizeLimit(query, transport)); }
}

/** Answers differ by what the client said it understands. */
const cacheKey = ({ name, type, edns, checkingDisabled }: Query): string => `${name} ${type} ${edns === undefined ? "-" : edns.dnssecOk ? "D" : "E"}${checkingDisabled ? "C" : ""}`;

function questionFor(name: string, type: number): Buffer {
  const header = Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), labels = name.split(".").map((label) => Buffer.concat([Buffer.from([Buffer.byteLength(label)]), Buffer.from(label)]));
  return Buffer.concat([header, ...labels, Buffer.from([0, type >> 8, type & 0xff, 0, 1])]);
}
