/** The addresses of one Service range. Counterpart: `pkg/registry/core/service/ipallocator`. */
import { cidrContains, formatCidr, formatIp, maskIp, parseCidr, parseIp, type Cidr } from "../../util/ip.ts";
import { NumberPool } from "./number-pool.ts";

export type IpFamily = "IPv4" | "IPv6";
/** Ranges larger than this are used only as far: a /108 of IPv6, as upstream. */
const SIZE_MAX = 1 << 20;

/** Addresses set aside for people: a sixteenth, at least 16 and at most 256. */
export const staticBandSize = (size: number): number => (size < 16 ? 0 : Math.min(256, Math.max(16, Math.floor(size / 16))));

export class ClusterIpPool {
  readonly family: IpFamily;
  /** As text, e.g. 10.96.0.0/16. */
  readonly range: string;
  readonly #cidr: Cidr;
  readonly #first: bigint;
  readonly #pool: NumberPool;

  /** Throws Error for a range that is none or holds no address. */
  constructor(cidr: string, random?: () => number) {
    const parsed = parseCidr(cidr);
    if (parsed === undefined) throw new Error(`Cannot use the Service range ${JSON.stringify(cidr)}: it is not a CIDR such as 10.96.0.0/16`);
    const bits = parsed.ip.family === 4 ? 32 : 128, base = maskIp(parsed.ip, parsed.prefix).value;
    // Not the network's own address, and in IPv4 not the broadcast address.
    const usable = 2 ** Math.min(bits - parsed.prefix, 20) - (parsed.ip.family === 4 && bits - parsed.prefix <= 20 ? 2 : 1);
    if (usable < 1) throw new Error(`Cannot use the Service range ${JSON.stringify(cidr)}: it holds no address for a Service`);
    this.family = parsed.ip.family === 4 ? "IPv4" : "IPv6";
    this.range = formatCidr(parsed);
    this.#cidr = parsed;
    this.#first = base + 1n;
    const size = Math.min(usable, SIZE_MAX);
    this.#pool = new NumberPool(size, { offset: staticBandSize(size), ...(random === undefined ? {} : { random }) });
  }

  /** Why the address cannot be given to a Service, in upstream's words; undefined when it can. */
  problem(ip: string): string | undefined {
    const index = this.#indexOf(ip);
    if (index === undefined) return `the provided IP (${ip}) is not in the valid range. The range of valid IPs is ${this.range}`;
    return this.#pool.has(index) ? "provided IP is already allocated" : undefined;
  }
  /** Whether it is an address of the range, if only the network's own. */
  covers(text: string): boolean { const ip = parseIp(text); return ip !== undefined && cidrContains(this.#cidr, ip); }
  take(ip: string): void { const index = this.#indexOf(ip); if (index !== undefined) this.#pool.take(index); }
  release(ip: string): void { const index = this.#indexOf(ip); if (index !== undefined) this.#pool.release(index); }
  /** A free address, not taken yet, or undefined when the range is full. */
  choose(): string | undefined {
    const index = this.#pool.choose();
    return index === undefined ? undefined : formatIp({ family: this.#cidr.ip.family, value: this.#first + BigInt(index) });
  }

  #indexOf(text: string): number | undefined {
    const ip = parseIp(text);
    if (ip === undefined || !cidrContains(this.#cidr, ip)) return undefined;
    const index = ip.value - this.#first;
    return index >= 0n && index < BigInt(this.#pool.size) ? Number(index) : undefined;
  }
}
