/**
 * The ranges Services' addresses come from: those of `--service-cluster-ip-range`, and those of ready ServiceCIDRs of the same families,
 * which may overlap. What is taken in one is taken in all that contain it.
 *
 * An IPAddress that somebody else made is taken too. Counterpart: `pkg/registry/core/service/ipallocator/cidrallocator.go`.
 */
import type { IPAddress, ServiceCIDR } from "../../api/schema/generated/models.ts";
import { ipaddresses, servicecidrs } from "../../api/schema/generated/references.ts";
import type { CacheReader } from "../contracts.ts";
import { ClusterIpPool, type IpFamily } from "./cluster-ip-pool.ts";
import { isManaged } from "./ip-addresses.ts";

export interface ServiceRangesOptions {
  /** One range, or one of each family with the default family first. */
  readonly ranges: readonly string[];
  readonly random?: () => number;
}

/** Whether Services may get addresses of it: until somebody says otherwise, so that one works without a controller manager. */
const isReady = ({ metadata, status }: ServiceCIDR): boolean =>
  metadata.deletionTimestamp === undefined && status?.conditions?.find(({ type }) => type === "Ready")?.status !== "False";

export class ServiceRanges {
  /** The cluster's, the default one first. */
  readonly families: readonly IpFamily[];
  readonly #cache: CacheReader;
  readonly #random: (() => number) | undefined;
  /** By range. */
  readonly #own: ReadonlyMap<string, ClusterIpPool>;
  #ready: readonly ClusterIpPool[];
  #all: ReadonlyMap<string, ClusterIpPool>;
  /** How often each address is taken: a repair may find one with two owners. */
  readonly #taken = new Map<string, number>();

  /** Throws Error for ranges that cannot be used. */
  constructor(cache: CacheReader, { ranges, random }: ServiceRangesOptions) {
    this.#cache = cache;
    this.#random = random;
    const pools = ranges.map((range) => new ClusterIpPool(range, random));
    if (pools.length === 0 || pools.length > 2 || pools[0]!.family === pools[1]?.family) throw new Error(`Cannot use the Service ranges ${ranges.join(",")}: wanted one, or one of each IP family`);
    this.families = pools.map((pool) => pool.family);
    this.#own = this.#all = new Map(pools.map((pool) => [pool.range, pool]));
    this.#ready = pools;
  }

  /** Reads what ranges and addresses there are and follows them; the cache must be filled. Returns a function that stops it. */
  start(): () => void {
    const foreign = (address: IPAddress, change: (ip: string) => void): void => { if (!isManaged(address)) change(address.metadata.name); };
    for (const address of this.#cache.list(ipaddresses)) foreign(address, (ip) => this.take(ip));
    this.#sync();
    const stops = [
      this.#cache.onChange(servicecidrs, () => this.#sync()),
      this.#cache.onChange(ipaddresses, (type, address, previous) => {
        if (type === "put") foreign(address, (ip) => this.take(ip));
        const gone = type === "delete" ? (previous ?? address) : previous;
        if (gone !== undefined) foreign(gone, (ip) => this.release(ip));
      }),
    ];
    return () => { for (const stop of stops) stop(); };
  }

  /** Why the address cannot be given to a Service, in upstream's words; undefined when it can. */
  problem(ip: string): string | undefined {
    const pool = this.#ready.find((each) => each.covers(ip));
    return pool === undefined ? "the provided network does not match the current range" : pool.problem(ip);
  }
  take(ip: string): void {
    this.#taken.set(ip, (this.#taken.get(ip) ?? 0) + 1);
    for (const pool of this.#all.values()) pool.take(ip);
  }
  release(ip: string): void {
    const count = this.#taken.get(ip);
    if (count === undefined) return;
    if (count > 1) this.#taken.set(ip, count - 1);
    else this.#taken.delete(ip);
    for (const pool of this.#all.values()) pool.release(ip);
  }
  /** A free address, not taken yet, or undefined when every range of the family is full. */
  choose(family: string): string | undefined {
    for (const pool of this.#ready) {
      const ip = pool.family === family ? pool.choose() : undefined;
      if (ip !== undefined) return ip;
    }
    return undefined;
  }

  /** Pools of the ranges there are now; those of before are kept. */
  #sync(): void {
    const ready = new Map<string, boolean>(), all = new Map(this.#own);
    for (const range of this.#cache.list(servicecidrs)) {
      for (const cidr of range.spec.cidrs ?? []) {
        const pool = all.get(cidr) ?? this.#all.get(cidr) ?? this.#newPool(cidr);
        if (pool === undefined || !this.families.includes(pool.family)) continue;
        all.set(pool.range, pool);
        ready.set(pool.range, ready.get(pool.range) === true || isReady(range));
      }
    }
    this.#all = all;
    this.#ready = [...all.values()].filter(({ range }) => ready.get(range) ?? true);
  }

  #newPool(cidr: string): ClusterIpPool | undefined {
    let pool: ClusterIpPool;
    try { pool = new ClusterIpPool(cidr, this.#random); }
    catch { return undefined; } // It holds no address.
    for (const [ip, count] of this.#taken) for (let i = 0; i < count; i++) pool.take(ip);
    return pool;
  }
}
