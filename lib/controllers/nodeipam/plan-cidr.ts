/**
 * Pod ranges of nodes: cuts the cluster's range into equal pieces and gives each node one. Pure but for its own memory.
 *
 * Promises: a piece is never given twice; a piece some node holds already, even one that straddles several of ours, is left alone;
 * pieces are given in turn, so that one that came free is not handed out again at once.
 * Counterpart: kubernetes `pkg/controller/nodeipam/ipam/cidrset`.
 */

/** An address range as numbers. */
export interface Cidr { readonly base: bigint; readonly bits: number; readonly family: 4 | 6 }

/** Reads `10.244.0.0/16` or `fd00::/48`. Throws RangeError. */
export function parseCidr(text: string): Cidr {
  const match = /^([0-9a-fA-F:.]+)\/(\d{1,3})$/.exec(text), family = text.includes(":") ? 6 : 4, width = family === 4 ? 32 : 128;
  const base = match === null ? undefined : family === 4 ? parseV4(match[1]!) : parseV6(match[1]!);
  const bits = Number(match?.[2]);
  if (base === undefined || !(bits <= width)) throw new RangeError(`Cannot read address range ${JSON.stringify(text)}`);
  const host = BigInt(width - bits);
  return { base: (base >> host) << host, bits, family };
}

function parseV4(text: string): bigint | undefined {
  const parts = text.split(".").map(Number);
  if (parts.length !== 4 || parts.some((p) => !(p >= 0 && p <= 255) || !Number.isInteger(p))) return undefined;
  return parts.reduce((n, p) => (n << 8n) | BigInt(p), 0n);
}

function parseV6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const groups = (half: string | undefined): string[] => (half === undefined || half === "" ? [] : half.split(":"));
  const head = groups(halves[0]), tail = groups(halves[1]), missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const all = [...head, ...Array.from({ length: missing }, () => "0"), ...tail];
  if (all.some((g) => !/^[0-9a-fA-F]{1,4}$/.test(g))) return undefined;
  return all.reduce((n, g) => (n << 16n) | BigInt(Number.parseInt(g, 16)), 0n);
}

/** `10.244.1.0/24`; IPv6 in RFC 5952 form. */
export function formatCidr({ base, bits, family }: Cidr): string {
  if (family === 4) return `${[24n, 16n, 8n, 0n].map((shift) => (base >> shift) & 0xffn).join(".")}/${bits}`;
  const groups = Array.from({ length: 8 }, (_, i) => ((base >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  let best = { at: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === "0") length++;
    if (length > best.length) best = { at: i, length };
  }
  const text = best.at < 0 ? groups.join(":") : `${groups.slice(0, best.at).join(":")}::${groups.slice(best.at + best.length).join(":")}`;
  return `${text}/${bits}`;
}

export class CidrSet {
  readonly #cluster: Cidr;
  readonly #nodeBits: number;
  readonly #used = new Set<bigint>();
  #next = 0n;

  /** Throws RangeError when a node's piece would be larger than the whole. */
  constructor(cluster: Cidr, nodeBits: number) {
    if (nodeBits < cluster.bits) throw new RangeError(`Cannot cut ${formatCidr(cluster)} into /${nodeBits} ranges: the mask size must be at least ${cluster.bits}`);
    this.#cluster = cluster;
    this.#nodeBits = nodeBits;
  }

  get family(): 4 | 6 { return this.#cluster.family; }
  get #count(): bigint { return 1n << BigInt(this.#nodeBits - this.#cluster.bits); }
  get #pieceBits(): bigint { return BigInt((this.#cluster.family === 4 ? 32 : 128) - this.#nodeBits); }

  /** The next free piece, now taken; undefined when there is none. */
  take(): string | undefined {
    for (let tried = 0n; tried < this.#count && BigInt(this.#used.size) < this.#count; tried++) {
      const index = (this.#next + tried) % this.#count;
      if (this.#used.has(index)) continue;
      this.#used.add(index);
      this.#next = (index + 1n) % this.#count;
      return formatCidr({ base: this.#cluster.base + (index << this.#pieceBits), bits: this.#nodeBits, family: this.family });
    }
    return undefined;
  }

  /** Marks what a node holds. Returns false for a range outside the cluster's. */
  occupy(text: string): boolean { return this.#each(text, (index) => this.#used.add(index)); }
  release(text: string): boolean { return this.#each(text, (index) => this.#used.delete(index)); }

  #each(text: string, act: (index: bigint) => void): boolean {
    const range = parseCidr(text), width = this.family === 4 ? 32 : 128;
    if (range.family !== this.family) return false;
    const size = 1n << BigInt(width - range.bits), clusterSize = 1n << BigInt(width - this.#cluster.bits);
    const start = range.base > this.#cluster.base ? range.base : this.#cluster.base;
    const rangeEnd = range.base + size, clusterEnd = this.#cluster.base + clusterSize, end = rangeEnd < clusterEnd ? rangeEnd : clusterEnd;
    if (start >= end) return false;
    const first = (start - this.#cluster.base) >> this.#pieceBits, last = (end - 1n - this.#cluster.base) >> this.#pieceBits;
    for (let index = first; index <= last; index++) act(index);
    return true;
  }
}
