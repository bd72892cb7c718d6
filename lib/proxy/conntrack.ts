/** The kernel's connection table through the `conntrack` tool; no shell. Counterpart: kube-proxy `conntrack/conntrack.go`. */
import { exec, ExecError } from "../util/exec.ts";
import { parseConntrack, type TrackedFlow } from "./plan-conntrack.ts";
import type { Family, Protocol } from "./service-port.ts";

export interface ConntrackTable {
  /** Flows of one protocol; of TCP only those that were never answered. */
  list(protocol: Protocol): Promise<TrackedFlow[]>;
  /** Forgets all flows to `flow.destination` that `flow.answerer` answers; of TCP only never answered ones. Returns how many. */
  forget(protocol: Protocol, flow: TrackedFlow): Promise<number>;
}

export class ConntrackMissingError extends Error { override readonly name = "ConntrackMissingError"; }

export class Conntrack implements ConntrackTable {
  readonly #family: Family;
  readonly #prefix: readonly string[];

  /** `prefix` is put before the command, e.g. to run it in another network namespace. */
  constructor(family: Family, prefix: readonly string[] = []) {
    this.#family = family;
    this.#prefix = prefix;
  }

  async list(protocol: Protocol): Promise<TrackedFlow[]> {
    return parseConntrack((await this.#run(["-L", ...this.#select(protocol)])).stdout);
  }

  async forget(protocol: Protocol, flow: TrackedFlow): Promise<number> {
    const [address, port] = flow.destination.split(" "), [answerer, answererPort] = flow.answerer.split(" ");
    const filter = ["--orig-dst", address!, "--orig-port-dst", port!, "--reply-src", answerer!, "--reply-port-src", answererPort!];
    const { stderr } = await this.#run(["-D", ...this.#select(protocol), ...filter]);
    return Number(/(\d+) flow entries have been deleted/.exec(stderr)?.[1] ?? 0);
  }

  #select(protocol: Protocol): string[] {
    // Established TCP connections end by themselves and may be closing gracefully: they are left alone.
    return ["-p", protocol, ...(protocol === "tcp" ? ["--state", "SYN_SENT"] : []), "-f", this.#family === 4 ? "ipv4" : "ipv6"];
  }

  async #run(args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
    const [file, ...rest] = [...this.#prefix, "conntrack", ...args];
    try { return await exec(file!, rest, { timeoutMs: 60_000 }); }
    catch (error) {
      if (error instanceof ExecError && (error.cause as NodeJS.ErrnoException | undefined)?.code === "ENOENT") {
        throw new ConntrackMissingError("Cannot clean tracked connections: the program conntrack is not installed; install the package conntrack", { cause: error });
      }
      if (error instanceof ExecError && error.exitCode === 1 && /0 flow entries/.test(error.stderr)) return error; // Nothing matched.
      throw error;
    }
  }
}
