/**
 * Links, addresses, routes, neighbours and forwarding entries through iproute2 (`ip -j`, `bridge -j`); no shell.
 * Reads give JSON as the tools print it, narrowed to what is used here.
 */
import { exec, ExecError } from "../util/exec.ts";

export interface Link { readonly ifname: string; readonly mtu: number; readonly address?: string; readonly operstate?: string; readonly flags?: readonly string[]; readonly linkinfo?: { readonly info_kind?: string; readonly info_data?: Readonly<Record<string, unknown>> } }
export interface LinkAddress { readonly ifname: string; readonly mtu: number; readonly addr_info: readonly { readonly family: string; readonly local: string; readonly prefixlen: number }[] }
export interface KernelRoute { readonly dst: string; readonly gateway?: string; readonly dev?: string; readonly protocol?: string }
export interface Neighbour { readonly dst: string; readonly lladdr?: string; readonly state?: readonly string[] }
export interface ForwardingEntry { readonly mac: string; readonly dst?: string; readonly state?: string }

/** Routing protocol number of the routes made here: how ours are told from others'. */
export const ROUTE_PROTOCOL = "117";

export class IpRoute {
  readonly #prefix: readonly string[];

  /** `prefix` is put before each command, e.g. to run it in another network namespace. */
  constructor(prefix: readonly string[] = []) { this.#prefix = prefix; }

  /** undefined when there is no such link. */
  async link(name: string): Promise<Link | undefined> {
    try { return (await this.#json<Link>("ip", "-j", "-d", "link", "show", "dev", name))[0]; }
    catch (error) { if (isGone(error)) return undefined; throw error; }
  }
  addresses(): Promise<LinkAddress[]> { return this.#json<LinkAddress>("ip", "-j", "-4", "address", "show"); }
  /** The routes made here. */
  routes(): Promise<KernelRoute[]> { return this.#json<KernelRoute>("ip", "-j", "-4", "route", "show", "proto", ROUTE_PROTOCOL); }
  neighbours(device: string): Promise<Neighbour[]> { return this.#json<Neighbour>("ip", "-j", "-4", "neigh", "show", "dev", device, "nud", "permanent"); }
  forwarding(device: string): Promise<ForwardingEntry[]> { return this.#json<ForwardingEntry>("bridge", "-j", "fdb", "show", "dev", device); }

  /** Runs `ip` with these words. Throws ExecError. */
  async ip(...words: string[]): Promise<void> { await this.#run("ip", words); }
  async bridge(...words: string[]): Promise<void> { await this.#run("bridge", words); }

  /** As `ip`, but an object that is gone already is fine. Returns whether it was there. */
  async remove(program: "ip" | "bridge", ...words: string[]): Promise<boolean> {
    try { await this.#run(program, words); return true; }
    catch (error) {
      if (isGone(error)) return false;
      throw error;
    }
  }

  async #json<T>(program: string, ...words: string[]): Promise<T[]> {
    const text = (await this.#run(program, words)).trim();
    return text === "" ? [] : (JSON.parse(text) as T[]);
  }

  async #run(program: string, words: readonly string[]): Promise<string> {
    const [file, ...rest] = [...this.#prefix, program, ...words];
    return (await exec(file!, rest, { timeoutMs: 30_000 })).stdout;
  }
}

const isGone = (error: unknown): boolean => error instanceof ExecError && /No such|Cannot find|does not exist|Cannot assign requested address|Address not found/i.test(error.stderr);
