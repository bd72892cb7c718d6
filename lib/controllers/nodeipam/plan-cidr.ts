/**
 * Pod ranges of nodes: cuts the cluster's range into equal pieces and gives each node one. Pure but for its own memory.
 *
 * Promises: a piece is never given twice; a piece some node holds already, even one that straddles several of ours, is left alone;
 * pieces are given in turn, so that one that came free is not handed out again at once.
 * Counterpart: kubernetes `pkg/controller/nodeipam/ipam/cidrset`.
 */
import { formatCidr, maskIp, parseCidr, type Cidr } from "../../util/ip.ts";

/** Reads `10.244.0.0/16` or `fd00::/48`, bits beyond the prefix cleared. Throws RangeError. */
export function readRange(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === undefined || cidr.ip.mapped) throw new RangeError(`Cannot read address range ${JSON.stringify(text)}`);
  return { ...cidr, ip: maskIp(cidr.ip, cidr.prefix) };
}

export class CidrSet {
  readonly #cluster: Cidr;
  readonly #nodeBits: number;
  readonly #used = new Set<bigint>();
  #next = 0n;

  /** Throws RangeError when a node's piece would be larger than the whole. */
  constructor(cluster: Cidr, nodeBits: number) {
    if (nodeBits < cluster.prefix) throw new RangeError(`Cannot cut ${formatCidr(cluster)} into /${nodeBits} ranges: the mask size must be at least ${cluster.prefix}`);
    this.#cluster = cluster;
    this.#nodeBits = nodeBits;
  }

  get family(): 4 | 6 { return this.#cluster.ip.family; }
  get #width(): number { return this.family === 4 ? 32 : 128; }
  get #count(): bigint { return 1n << BigInt(this.#nodeBits - this.#cluster.prefix); }
  get #pieceBits(): bigint { return BigInt(this.#width - this.#nodeBits); }

  /** The next free piece, now taken; undefined when there is none. */
  take(): string | undefined {
    for (let tried = 0n; tried < this.#count && BigInt(this.#used.size) < this.#count; tried++) {
      const index = (this.#next + tried) % this.#count;
      if (this.#used.has(index)) continue;
      this.#used.add(index);
      this.#next = (index + 1n) % this.#count;
      return formatCidr({ ip: { ...this.#cluster.ip, value: this.#cluster.ip.value + (index << this.#pieceBits) }, prefix: this.#nodeBits });
    }
    return undefined;
  }

  /** Takes a piece that was given before, if it is still free. */
  takeAgain(piece: string | undefined): string | undefined {
    let free = true;
    if (piece === undefined || !this.#each(piece, (index) => { free &&= !this.#used.has(index); }) || !free) return undefined;
    this.occupy(piece);
    return piece;
  }

  /** Marks what a node holds. Returns false for a range outside the cluster's. */
  occupy(text: string): boolean { return this.#each(text, (index) => this.#used.add(index)); }
  release(text: string): boolean { return this.#each(text, (index) => this.#used.delete(index)); }

  #each(text: string, act: (index: bigint) => void): boolean {
    const range = readRange(text), { value: base } = this.#cluster.ip, { value: from } = range.ip;
    if (range.ip.family !== this.family) return false;
    const sizeOf = (prefix: number): bigint => 1n << BigInt(this.#width - prefix);
    const start = from > base ? from : base, rangeEnd = from + sizeOf(range.prefix), clusterEnd = base + sizeOf(this.#cluster.prefix);
    const end = rangeEnd < clusterEnd ? rangeEnd : clusterEnd;
    if (start >= end) return false;
    const first = (start - base) >> this.#pieceBits, last = (end - 1n - base) >> this.#pieceBits;
    for (let index = first; index <= last; index++) act(index);
    return true;
  }
}
