/** The ports of a node that Services may have. Counterpart: `pkg/registry/core/service/portallocator`. */
import { NumberPool } from "./number-pool.ts";

/** Ports set aside for people: a 32nd, at least 16 and at most 128. */
const staticBandSize = (size: number): number => (size < 16 ? 0 : Math.min(128, Math.max(16, Math.floor(size / 32))));

export class NodePortPool {
  /** As text, e.g. 30000-32767. */
  readonly range: string;
  readonly #first: number;
  readonly #pool: NumberPool;
  /** `range`: `30000-32767`, or `30000+2767`. Throws Error for one that is none. */
  constructor(range: string, random?: () => number) {
    const match = /^(\d+)([-+])(\d+)$/.exec(range.trim());
    const first = Number(match?.[1]), last = match?.[2] === "+" ? first + Number(match[3]) : Number(match?.[3]);
    if (match === null || first < 1 || last > 65_535 || last < first) throw new Error(`Cannot use the node port range ${JSON.stringify(range)}: wanted two ports such as 30000-32767`);
    const size = last - first + 1;
    this.range = `${first}-${last}`;
    this.#first = first;
    this.#pool = new NumberPool(size, { offset: staticBandSize(size), ...(random === undefined ? {} : { random }) });
  }
  #contains(port: number): boolean { return port >= this.#first && port < this.#first + this.#pool.size; }
  /** Why the port cannot be given to a Service, in upstream's words; undefined when it can. */
  problem(port: number): string | undefined {
    if (!this.#contains(port)) return `provided port is not in the valid range. The range of valid ports is ${this.range}`;
    return this.#pool.has(port - this.#first) ? "provided port is already allocated" : undefined;
  }
  take(port: number): void { if (this.#contains(port)) this.#pool.take(port - this.#first); }
  release(port: number): void { if (this.#contains(port)) this.#pool.release(port - this.#first); }
  /** A free port, not taken yet, or undefined when there is none. */
  choose(): number | undefined {
    const index = this.#pool.choose();
    return index === undefined ? undefined : index + this.#first;
  }
}
